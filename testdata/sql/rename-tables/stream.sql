UPDATE one SET v = 5 WHERE id = 1;
-- Two tables that change their names, through a third one.
RENAME TABLE one TO three, two TO one, three TO two;
UPDATE one SET v = v + 1;
INSERT INTO two VALUES (3, 6, 'late');
-- One that has another name, and a new one under its old name.
RENAME TABLE plain TO renamed;
INSERT INTO renamed VALUES (3, 3);
CREATE TABLE plain (id INT PRIMARY KEY, other DATE);
INSERT INTO plain VALUES (7, '2020-02-02');
ALTER TABLE renamed RENAME TO renamed_again, ADD COLUMN more INT DEFAULT 4;
-- Out of the databases that are replicated, and into them.
CREATE DATABASE `${database}_other`;
RENAME TABLE leaves TO `${database}_other`.leaves;
CREATE TABLE `${database}_other`.arrives (id INT PRIMARY KEY, v INT);
INSERT INTO `${database}_other`.arrives VALUES (1, 1), (2, 2);
RENAME TABLE `${database}_other`.arrives TO arrives;
INSERT INTO arrives VALUES (3, 3);
-- As tools for schema changes do it: an altered copy takes the place of the table.
CREATE TABLE _altered_new LIKE altered;
ALTER TABLE _altered_new ADD COLUMN d INT DEFAULT 9 AFTER id, MODIFY c BIGINT, DROP COLUMN b, MODIFY e INT;
INSERT INTO _altered_new (id, a, c, e) SELECT id, a, c, e FROM altered;
UPDATE altered SET a = 20 WHERE id = 2;
UPDATE _altered_new SET a = 20 WHERE id = 2;
RENAME TABLE altered TO _altered_old, _altered_new TO altered;
INSERT INTO altered (id, a, c) VALUES (3, 3, 5000000000);
DROP TABLE _altered_old;
-- There and back.
RENAME TABLE around TO elsewhere, elsewhere TO around;
UPDATE around SET v = 2;
RENAME TABLE keyless TO keyless_2;
DELETE FROM keyless_2 LIMIT 1;
DROP DATABASE `${database}_other`;
