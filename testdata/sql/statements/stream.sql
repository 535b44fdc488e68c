-- Of several tables at once.
UPDATE a JOIN b ON a.id = b.id SET a.v = a.v + 10, b.v = b.v + 20;
DELETE a, b FROM a JOIN b USING (id) WHERE a.id = 4;
DELETE FROM b WHERE id IN (SELECT id FROM a);
INSERT INTO b SELECT id + 100, v, w FROM a;
-- That find their key, or another unique value, taken.
REPLACE INTO a (id, v, w) VALUES (1, 100, 'three');
INSERT INTO a (id, v, w) VALUES (2, 5, 'five') ON DUPLICATE KEY UPDATE v = 50;
INSERT INTO a (v, w) VALUES (6, 'two') AS new ON DUPLICATE KEY UPDATE v = new.v;
INSERT IGNORE INTO a (id, v, w) VALUES (1, 7, 'seven'), (8, 8, 'eight'), (9, 9, 'eight');
UPDATE IGNORE a SET w = 'eight';
-- In the order of another column, and only some.
UPDATE b SET v = 0 ORDER BY w DESC LIMIT 2;
DELETE FROM b ORDER BY v, w LIMIT 1;
WITH big AS (SELECT id FROM a WHERE v > 5) UPDATE a SET v = -v WHERE id IN (SELECT id FROM big);
INSERT INTO a SET v = 11, w = 'eleven';
CREATE TABLE made (PRIMARY KEY (id)) SELECT id, v, w FROM a;
INSERT INTO made VALUES (1000, 1, 'x');
CREATE TABLE made_empty (PRIMARY KEY (id)) SELECT id, v FROM a WHERE FALSE;
