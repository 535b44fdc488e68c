-- Types that do not hold what the columns held: the server cuts, rounds and clamps the rows
-- that are there, and logs none of it.
SET sql_mode = '';
UPDATE narrower SET n = 1;
ALTER TABLE narrower MODIFY v SMALLINT, MODIFY w INT FIRST;
INSERT INTO narrower (id, v) VALUES (3, 3);
ALTER TABLE converted CHANGE v renamed VARCHAR(9), MODIFY w INT, MODIFY d DATE;
UPDATE converted SET n = 2;
ALTER TABLE unsigned_now MODIFY v INT UNSIGNED;
DELETE FROM unsigned_now WHERE id = 2;
-- Nothing is to be seen of it afterwards but the values.
ALTER TABLE rounded MODIFY v DECIMAL(9,2), MODIFY t TIME;
ALTER TABLE rounded MODIFY v DECIMAL(9,3), MODIFY t TIME(3);
ALTER TABLE cut MODIFY v VARCHAR(5);
UPDATE cut SET n = 1;
ALTER TABLE cut MODIFY w TINYTEXT, MODIFY b TINYBLOB;
ALTER TABLE labels MODIFY e ENUM('b', 'a'), MODIFY s SET('y');
UPDATE labels SET n = 1 WHERE id = 1;
ALTER TABLE spelled CONVERT TO CHARACTER SET latin1;
INSERT INTO spelled VALUES (3, 0, 'ü');
ALTER TABLE keyed MODIFY id VARCHAR(9);
INSERT INTO keyed VALUES ('x', 1);
ALTER TABLE keyed DROP PRIMARY KEY, ADD k INT NOT NULL DEFAULT 3 FIRST, ADD PRIMARY KEY (k, id);
UPDATE keyed SET n = 5 WHERE id = '1';
ALTER TABLE rowless MODIFY v TINYINT;
-- Before, between and behind, in one batch.
UPDATE same_batch SET n = 1; ALTER TABLE same_batch MODIFY v TINYINT; UPDATE same_batch SET n = 2 WHERE id = 1;
ALTER TABLE same_batch ADD COLUMN w INT NOT NULL DEFAULT 4; UPDATE same_batch SET n = 3 WHERE id = 2; ALTER TABLE same_batch MODIFY v VARCHAR(2), DROP w;
ALTER TABLE unkeyed MODIFY v VARCHAR(5);
INSERT INTO unkeyed VALUES (0, 1);
ALTER TABLE unkeyed MODIFY v INT NOT NULL;
DELETE FROM unkeyed WHERE v = 1 LIMIT 1;
ALTER TABLE filled ADD v INT AUTO_INCREMENT UNIQUE;
INSERT INTO filled (id, n) VALUES (1, 0);
