BEGIN;
INSERT INTO `${database}_other`.t VALUES (1, 1, '{}');
UPDATE t SET v = 'c' WHERE id = 1;
INSERT INTO `${database}_other`.keyless VALUES (POINT(1, 2));
DELETE FROM t WHERE id = 2;
COMMIT;
-- Like a table that is not captured.
CREATE TABLE alike LIKE `${database}_other`.t;
INSERT INTO alike SELECT * FROM `${database}_other`.t;
UPDATE t, `${database}_other`.t AS o SET t.v = 'd', o.v = 5 WHERE t.id = o.id;
USE `${database}_other`;
INSERT INTO t VALUES (7, 7, NULL);
ALTER TABLE t DROP COLUMN w;
TRUNCATE TABLE t;
DROP TABLE keyless;
RENAME TABLE t TO u;
INSERT INTO `${database}`.t VALUES (3, 'e');
DROP DATABASE `${database}_other`;
