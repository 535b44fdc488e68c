UPDATE t SET a = 5 WHERE id = 1;
ALTER TABLE t ADD total INT AS (a + b) STORED AFTER id;
UPDATE t SET b = 50 WHERE id = 1;
INSERT INTO t (a, b) VALUES (6, 60);
ALTER TABLE t ADD COLUMN name VARCHAR(20) GENERATED ALWAYS AS (doc ->> '$.name') VIRTUAL, ADD plain INT DEFAULT 7;
UPDATE t SET doc = '{"name": "two"}', plain = 8 WHERE id = 2;
DELETE FROM t WHERE id = 4;
-- Beside other clauses: the column that has another name keeps its field id.
ALTER TABLE renamed RENAME COLUMN a TO c, ADD a BIGINT AS (c + 100) VIRTUAL AFTER id, DROP COLUMN b;
UPDATE renamed SET c = 20 WHERE id = 2;
DELETE FROM renamed WHERE id = 3;
-- Another expression, and one for a column that had values of its own.
ALTER TABLE changed MODIFY twice INT AS (a * 20) STORED;
UPDATE changed SET a = 3 WHERE id = 3;
ALTER TABLE changed MODIFY plain INT AS (a + 1) STORED;
INSERT INTO changed (id, a) VALUES (4, 4);
-- It has its values from now on.
ALTER TABLE changed MODIFY twice INT;
UPDATE changed SET twice = 0 WHERE id = 1;
ALTER TABLE numbered ADD id INT AUTO_INCREMENT PRIMARY KEY FIRST;
UPDATE numbered SET v = 'c' WHERE id = 2;
INSERT INTO numbered (v) VALUES ('d');
ALTER TABLE expressions ADD sum INT DEFAULT (1 + 2), ADD word VARCHAR(10) DEFAULT (CONCAT('a', 'b')), ADD at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6);
UPDATE expressions SET sum = 4 WHERE id = 1;
ALTER TABLE expressions ADD by_row CHAR(36) DEFAULT (CAST(id * 10 AS CHAR)), ADD list JSON DEFAULT (JSON_ARRAY(1)), ADD code BINARY(2) DEFAULT (x'4142');
INSERT INTO expressions (id, v) VALUES (4, 4);
DELETE FROM expressions WHERE id = 2;
ALTER TABLE keyless ADD c INT AS (a * b) STORED FIRST;
DELETE FROM keyless WHERE a = 1 LIMIT 1;
UPDATE keyless SET b = 4 WHERE b = 3;
-- It is gone before its table is read.
ALTER TABLE short_lived ADD w INT AS (v + 1) STORED;
UPDATE short_lived SET v = 3 WHERE id = 1;
ALTER TABLE short_lived DROP w, ADD x INT NOT NULL DEFAULT 9;
UPDATE short_lived SET x = 8 WHERE id = 2;
-- No row comes after it.
ALTER TABLE last_change ADD b INT AS (a + 1) VIRTUAL;
