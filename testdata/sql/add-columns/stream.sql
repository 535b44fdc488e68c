UPDATE t SET a = a + 10 WHERE id = 1;
-- Each at its place, without a default.
ALTER TABLE t ADD COLUMN z INT FIRST, ADD y INT AFTER a, ADD (x INT, w VARCHAR(10));
INSERT INTO t (a, b, w, x, y, z) VALUES (5, 'five', 'w', 1, 2, 3);
UPDATE t SET z = 1, y = 2 WHERE id = 2;
-- Behind one that the same statement adds.
ALTER TABLE t ADD one INT AFTER id, ADD two INT AFTER one, ADD three INT FIRST;
UPDATE t SET one = 1, two = 2, three = 3 WHERE id = 1;
-- Defaults of every kind of constant.
ALTER TABLE t ADD n INT DEFAULT NULL, ADD i INT NOT NULL DEFAULT -7, ADD u BIGINT UNSIGNED NOT NULL DEFAULT 18446744073709551615, ADD d DECIMAL(8, 3) DEFAULT 1.5,
	ADD f DOUBLE DEFAULT 0.1, ADD s VARCHAR(40) CHARACTER SET latin1 DEFAULT 'it''s "ä", a\\b', ADD e ENUM('p', 'q') NOT NULL, ADD bits BIT(3) DEFAULT b'101',
	ADD day DATE DEFAULT '2020-02-29', ADD at DATETIME(3) DEFAULT '2020-01-01 10:00:00.125', ADD bin BINARY(3) DEFAULT 'x', ADD flag BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE t SET i = 8, s = NULL WHERE id = 3;
INSERT INTO t (a, e) VALUES (6, 'q');
DELETE FROM t WHERE id = 4;
-- NOT NULL without a default shows what its type has for nothing.
ALTER TABLE t ADD nothing INT NOT NULL, ADD no_text VARCHAR(10) NOT NULL, ADD no_number DECIMAL(5, 2) NOT NULL AFTER nothing;
UPDATE t SET nothing = 9 WHERE id = 1;
-- As the server makes the table: by the dictionary alone, by a copy.
ALTER TABLE t ADD at_once INT DEFAULT 1, ALGORITHM=INSTANT;
UPDATE t SET at_once = 2 WHERE id = 2;
ALTER TABLE t ADD by_copy INT DEFAULT 3 AFTER at_once, ALGORITHM=COPY, LOCK=SHARED;
UPDATE t SET by_copy = 4 WHERE id = 2;
ALTER TABLE t ADD hidden INT INVISIBLE DEFAULT 5;
INSERT INTO t (a, e, nothing, no_text, no_number, hidden) VALUES (7, 'p', 1, 'x', 1.25, 6);
-- Between two changes of one row, with other clauses.
BEGIN; UPDATE keyed SET v = 10 WHERE a = 1; COMMIT;
ALTER TABLE keyed ADD c VARCHAR(10) NOT NULL DEFAULT 'c' AFTER b, ADD INDEX (c), DROP COLUMN v, COMMENT 'ADD COLUMN no INT';
UPDATE keyed SET c = 'd' WHERE a = 1 AND b = 'x';
DELETE FROM keyed WHERE a = 2;
INSERT INTO keyed (a, b) VALUES (3, 'z');
UPDATE keyed SET a = 4 WHERE b = 'z';
ALTER TABLE keyless ADD c INT DEFAULT 7 FIRST, ADD d VARCHAR(5);
DELETE FROM keyless WHERE b = 2 LIMIT 1;
UPDATE keyless SET c = 8, d = 'x' WHERE b = 3;
INSERT INTO keyless (a, b) VALUES (1, 2);
ALTER TABLE without_rows ADD v INT NOT NULL DEFAULT 9;
INSERT INTO without_rows (id) VALUES (1);
ALTER TABLE never_a_row ADD bin VARBINARY(3) NOT NULL DEFAULT 'x', ADD bits BIT(3) DEFAULT b'101', ADD at TIMESTAMP NULL DEFAULT '2020-01-01 10:00:00';
-- No row comes after it.
ALTER TABLE last_change ADD b VARCHAR(20) NOT NULL DEFAULT 'last' AFTER id;
