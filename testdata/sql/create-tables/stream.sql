UPDATE pattern SET b = 10 WHERE id = 1;
CREATE TABLE alike LIKE pattern;
INSERT INTO alike (a, b) SELECT a, b + 1 FROM pattern;
DELETE FROM alike WHERE a = 'two';
CREATE TABLE IF NOT EXISTS alike (other INT);
UPDATE alike SET b = 0 WHERE a = 'one';
-- With the rows that a SELECT has; of it the log has a statement and rows in one transaction.
CREATE TABLE selected (PRIMARY KEY (id)) AS SELECT id, a, b * 2 AS twice, 'text' AS word FROM pattern;
UPDATE selected SET twice = 1 WHERE id = 2;
DELETE FROM selected WHERE id = 3;
CREATE TABLE selected_keyless SELECT a, b FROM pattern UNION ALL SELECT a, b FROM pattern;
DELETE FROM selected_keyless WHERE a = 'one' LIMIT 1;
CREATE TABLE selected_nothing (id INT PRIMARY KEY, more INT DEFAULT 3) AS SELECT id, a FROM pattern WHERE id > 100;
INSERT INTO selected_nothing (id, a) VALUES (1, 'a');
CREATE TABLE selected_into (id BIGINT NOT NULL PRIMARY KEY, first INT DEFAULT 7, b DECIMAL(12, 2)) REPLACE AS SELECT id, b FROM pattern;
UPDATE selected_into SET first = 8 WHERE id = 2;
-- As MySQL itself writes CREATE … AS SELECT to the log.
CREATE TABLE started (id INT PRIMARY KEY, v INT);
BEGIN; INSERT INTO started SELECT id, b FROM pattern; COMMIT;
UPDATE started SET v = 5 WHERE id = 1;
-- Changed before it has a row.
CREATE TABLE changed (id INT PRIMARY KEY, a INT);
ALTER TABLE changed ADD b INT DEFAULT 4 AFTER id, MODIFY a BIGINT;
INSERT INTO changed (id, a) VALUES (1, 5000000000);
ALTER TABLE changed RENAME COLUMN a TO c;
UPDATE changed SET c = 1;
CREATE TABLE unused (id INT PRIMARY KEY, v INT);
