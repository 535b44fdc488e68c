-- Two rows change places.
BEGIN;
UPDATE plain SET id = -1 WHERE id = 1;
UPDATE plain SET id = 1 WHERE id = 2;
UPDATE plain SET id = 2 WHERE id = -1;
COMMIT;
-- Each row takes the key that the one before it gives up.
UPDATE plain SET id = id + 1 ORDER BY id DESC;
-- There and back in one transaction, with the value changed on the way.
BEGIN;
UPDATE plain SET id = 100 WHERE id = 3;
UPDATE plain SET v = CONCAT(v, '!') WHERE id = 100;
UPDATE plain SET id = 3 WHERE id = 100;
COMMIT;
-- The key that a deleted row had.
BEGIN;
DELETE FROM plain WHERE id = 4;
UPDATE plain SET id = 4 WHERE id = 5;
INSERT INTO plain VALUES (5, 'new five');
COMMIT;
UPDATE pairs SET b = 'z' WHERE a = 1 AND b = 'x';
UPDATE pairs SET a = 3, b = 'x', v = 9 WHERE a = 2;
UPDATE pairs SET v = 0 WHERE a = 1 AND b = 'y';
UPDATE loose SET k = 'A' WHERE k = 'a';
UPDATE loose SET k = 'e', v = 4 WHERE k = 'É';
REPLACE INTO loose VALUES ('B', 5);
INSERT INTO loose VALUES ('á', 6) ON DUPLICATE KEY UPDATE v = 60;
UPDATE padded SET k = 'a  ' WHERE k = 'a';
UPDATE padded SET k = 'b' WHERE k = 'b';
