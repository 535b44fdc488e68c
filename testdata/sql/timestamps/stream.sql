SET time_zone = '+05:45';
INSERT INTO moments VALUES (5, '2024-10-27 02:30:00', '2024-10-27 02:30:00.5', '2024-10-27 02:30:00.000001', '2024-10-27 02:30:00');
UPDATE moments SET ts = ts + INTERVAL 1 DAY, dt = dt + INTERVAL 1 DAY WHERE id IN (1, 4);
UPDATE moments SET ts2 = '2000-01-01 00:00:00' WHERE id = 3;
DELETE FROM moments WHERE id = 2;
UPDATE stamped SET v = 3 WHERE id = 1;
INSERT INTO stamped (id, v) VALUES (3, 3);
