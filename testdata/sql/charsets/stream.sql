UPDATE inherits SET v = 'naïve', e = 'b' WHERE id = 1;
INSERT INTO inherits VALUES (4, 'Ÿ', REPEAT('é', 100), REPEAT('ü', 60000), 'ä');
UPDATE mixed SET u4 = '🐋', u3 = 'é', l = 'é', n = 'n', nc = 'nc ', bin = 'aA' WHERE id IN (2, 3);
DELETE FROM mixed WHERE id = 1;
SET NAMES latin1;
-- Now the bytes of this file count as latin1: two characters for each of these.
INSERT INTO mixed (id, u4, l) VALUES (5, 'é', 'ü');
UPDATE spaces SET c = CONCAT(c, 'b '), v = CONCAT(v, 'b ');
