-- Labels with everything that could be taken for their quotes and commas.
CREATE TABLE labels (id INT PRIMARY KEY,
  e ENUM('a,b', 'it''s', '"quoted"', 'back\\slash', '(paren)', 'NULL', '', ' leading', 'ünïcödé', 'tab	tab', '100%', 'now'),
  s SET('a b', 'it''s', '"', '\\', '(', 'NULL', '漢字', 'x;y'),
  l ENUM('é', 'E!') CHARACTER SET latin1,
  required ENUM('first', 'second') NOT NULL DEFAULT 'second');
INSERT INTO labels (id, e, s, l) VALUES (1, 'a,b', 'a b', 'é'), (2, 'it''s', 'it''s', 'E!'), (3, '"quoted"', '",\\', NULL), (4, 'back\\slash', '(,NULL,漢字', 'é'), (5, '(paren)', '', 'E!'), (6, 'NULL', NULL, 'E!'),
  (7, '', 'x;y', 'é'), (8, ' leading', 'a b,it''s,",\\,(,NULL,漢字,x;y', 'é'), (9, 'ünïcödé', 255, 'é'), (10, NULL, 0, NULL), (11, 'tab	tab', 1, 1), (12, 11, 2, 2), (13, 'now', 4, 1);
-- More than 255 labels need two bytes, more than eight members of a set too.
CREATE TABLE many (id INT PRIMARY KEY, s SET('0','1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20','21','22','23','24','25','26','27','28','29','30','31','32','33','34','35','36','37','38','39','40','41','42','43','44','45','46','47','48','49','50','51','52','53','54','55','56','57','58','59','60','61','62','63'));
INSERT INTO many VALUES (1, 1), (2, 18446744073709551615), (3, 9223372036854775808), (4, '0,63'), (5, '');
-- A value that is no label is stored as number 0.
SET sql_mode = '';
INSERT IGNORE INTO labels (id, e, s, required) VALUES (14, 'nope', 'nope', 'nope');
