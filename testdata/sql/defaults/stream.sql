INSERT INTO defaults () VALUES ();
INSERT INTO defaults (s) SELECT CONCAT(s, id) FROM defaults;
UPDATE defaults SET i = DEFAULT, s = DEFAULT, d = 2.345 WHERE id = 1;
UPDATE defaults SET n = 1;
DELETE FROM defaults WHERE id = 2;
