UPDATE t SET a = a + 1 WHERE id = 1;
ALTER TABLE t RENAME COLUMN a TO a2;
UPDATE t SET a2 = a2 + 1 WHERE id IN (1, 2);
-- A chain over several statements, without rows between.
ALTER TABLE t RENAME COLUMN a2 TO a3; ALTER TABLE t CHANGE a3 a4 INT; ALTER TABLE t RENAME COLUMN a4 TO `a 5`;
INSERT INTO t (`a 5`, b) VALUES (5, 50);
-- A name that is given up goes to a new column in the same statement, beside other clauses.
ALTER TABLE t CHANGE COLUMN b `b2` INT DEFAULT 9 COMMENT 'b, or not b', ADD COLUMN b INT AFTER id, ADD KEY (b) /* , RENAME COLUMN c TO d */;
UPDATE t SET b = 1 WHERE id = 2;
ALTER TABLE t RENAME COLUMN `odd, ``name``` TO `plain`, DROP COLUMN c, RENAME COLUMN b TO c;
UPDATE t SET plain = 0 WHERE id > 3;
ALTER TABLE t RENAME COLUMN plain TO PLAIN;
-- Two that change their names with each other, between two updates of one row.
BEGIN; UPDATE swapped SET a = 100 WHERE id = 1; COMMIT;
ALTER TABLE swapped RENAME COLUMN a TO b, RENAME COLUMN b TO a;
UPDATE swapped SET a = 0 WHERE id = 1;
ALTER TABLE swapped CHANGE a b INT, CHANGE b a INT;
ALTER TABLE swapped RENAME COLUMN a TO c; ALTER TABLE swapped RENAME COLUMN b TO a; ALTER TABLE swapped RENAME COLUMN c TO b;
INSERT INTO swapped (id, a, b) VALUES (4, 4, -4);
-- Those of the key.
ALTER TABLE keyed RENAME COLUMN one TO two, RENAME COLUMN two TO three;
UPDATE keyed SET v = 11 WHERE three = 'a' AND two = 1;
DELETE FROM keyed WHERE three = 'b';
UPDATE keyed SET two = 3 WHERE two = 2;
ALTER TABLE keyless RENAME COLUMN a TO c;
DELETE FROM keyless WHERE c = 1 LIMIT 1;
INSERT INTO keyless (c, b) VALUES (NULL, 3);
-- No row comes after it.
ALTER TABLE last_change RENAME COLUMN a TO z;
