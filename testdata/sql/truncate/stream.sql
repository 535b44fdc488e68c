-- Rows before it go, those behind it stay, also of one key and in one batch.
UPDATE keyed SET v = 'before' WHERE id = 1;
INSERT INTO keyed VALUES (4, 'before', 4);
TRUNCATE TABLE keyed;
INSERT INTO keyed VALUES (2, 'behind', 20), (5, 'behind', 50);
UPDATE keyed SET v = 'later' WHERE id = 2;
INSERT INTO untouched VALUES (2, 2);
-- A key that comes and goes around two of them.
INSERT INTO words VALUES ('z', 1, 4);
TRUNCATE words;
INSERT INTO words VALUES ('x', 1, 5), ('z', 1, 6);
DELETE FROM words WHERE a = 'x';
truncate /* all of it */ table `words`;
INSERT INTO words VALUES ('x', 2, 7), ('z', 2, 8);
-- As many rows alike as there were.
DELETE FROM keyless WHERE a = 1 LIMIT 1;
TRUNCATE TABLE keyless;
INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL);
DELETE FROM keyless WHERE a = 1 LIMIT 1;
-- Between changes of the shape: the columns stay what they were.
INSERT INTO altered VALUES (3, 12, 22);
ALTER TABLE altered RENAME COLUMN a TO b, RENAME COLUMN b TO c, ADD COLUMN d INT NOT NULL DEFAULT 7;
TRUNCATE TABLE altered;
ALTER TABLE altered RENAME COLUMN c TO e, DROP COLUMN d;
INSERT INTO altered VALUES (1, 100, 200), (4, 13, 23);
UPDATE in_parts SET id = id + 10;
TRUNCATE TABLE in_parts;
INSERT INTO in_parts VALUES (1, 2), (11, 3);
-- Nothing comes after it, nothing was there before it, or both.
TRUNCATE TABLE emptied;
TRUNCATE TABLE rowless;
TRUNCATE TABLE rowless;
CREATE TABLE made (id INT PRIMARY KEY, v INT);
TRUNCATE TABLE made;
INSERT INTO made VALUES (1, 1), (2, 2);
TRUNCATE TABLE made;
INSERT INTO made VALUES (2, 3);
CREATE TEMPORARY TABLE untouched (id INT);
INSERT INTO untouched VALUES (1);
TRUNCATE TABLE untouched;
DROP TEMPORARY TABLE untouched;
CREATE DATABASE `${database}_other`;
CREATE TABLE `${database}_other`.untouched (id INT PRIMARY KEY);
TRUNCATE TABLE `${database}_other`.untouched;
