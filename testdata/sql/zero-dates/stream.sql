SET sql_mode = 'ALLOW_INVALID_DATES';
INSERT INTO dates VALUES (4, '2024-02-31', '2023-02-29', '2024-04-31 12:00:00', '0000-00-00');
UPDATE dates SET d = '2024-01-01', t = '2024-01-01' WHERE id = 1;
UPDATE dates SET d = '0000-00-00', t6 = '0000-00-00' WHERE id = 3;
INSERT INTO required (id, d) VALUES (3, '0000-00-00');
UPDATE required SET t = '2024-01-01', ts = '2024-01-01' WHERE id = 1;
DELETE FROM required WHERE id = 2;
