UPDATE wide SET c7 = 'seven', c8 = 8, c9 = 9, c255 = 255, c256 = '256', c257 = 257 WHERE id = 2;
UPDATE wide SET c299 = NULL WHERE id = 4;
DELETE FROM wide WHERE id = 1;
UPDATE nothing_but_a_key SET id = 10 WHERE id = 1;
DELETE FROM nothing_but_a_key WHERE id = 2;
INSERT INTO nothing_but_a_key VALUES (2), (20);
