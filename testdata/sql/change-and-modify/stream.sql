UPDATE t SET a = 10 WHERE id = 1;
-- Another name, a wider type, another place, NOT NULL and a default, in one clause.
ALTER TABLE t CHANGE COLUMN a `a 2` BIGINT FIRST, CHANGE c e DOUBLE NOT NULL DEFAULT 7 AFTER id, MODIFY COLUMN d DECIMAL(20, 2) AFTER `a 2`;
UPDATE t SET `a 2` = 5000000000, e = 0.1 WHERE id = 1;
INSERT INTO t (id, `a 2`, b, d) VALUES (5, -5000000000, 5, 123456789012345678.25);
DELETE FROM t WHERE id = 3;
-- The name that one gives up goes to another that becomes wider.
ALTER TABLE t CHANGE `a 2` gone BIGINT, CHANGE b `a 2` BIGINT;
UPDATE t SET `a 2` = 6000000000, gone = 1 WHERE id = 2;
-- The same by MODIFY, of what it was already.
ALTER TABLE t MODIFY gone BIGINT, CHANGE e e DOUBLE NOT NULL DEFAULT 8;
INSERT INTO t (id, gone) VALUES (6, 6);
-- Names of one another: values and field ids go with the columns.
BEGIN; UPDATE swapped SET a = 100 WHERE id = 1; COMMIT;
ALTER TABLE swapped CHANGE a b BIGINT, CHANGE b a VARCHAR(100);
UPDATE swapped SET a = REPEAT('é', 100), b = 5000000000 WHERE id = 1;
DELETE FROM swapped WHERE id = 2;
INSERT INTO swapped (id, a, b) VALUES (4, 'four', 4);
ALTER TABLE circle CHANGE a b BIGINT, CHANGE b c BIGINT, CHANGE c a BIGINT;
UPDATE circle SET c = 11, a = 101 WHERE b = 1;
UPDATE circle SET b = 5000000000 WHERE b = 2;
DELETE FROM circle WHERE b = 3;
ALTER TABLE keyless CHANGE a b BIGINT, CHANGE b a INT FIRST;
DELETE FROM keyless WHERE b = 1 LIMIT 1;
UPDATE keyless SET b = 5000000000 WHERE a = 3;
-- No row comes after it.
ALTER TABLE last_change CHANGE a b BIGINT, CHANGE b a INT AFTER id;
