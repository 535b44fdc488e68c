INSERT INTO moments VALUES (3, '2014-09-08 17:51:04', '2014-09-08 17:51:04.777777', '2014-09-08 17:51:04', '17:51:04', '2014-09-08');
INSERT INTO moments (id, ts) VALUES (4, '2024-03-31 02:30:00');
UPDATE moments SET ts = NULL, dt = dt + INTERVAL 1 HOUR WHERE id = 1;
UPDATE words SET v = 'naïve €' WHERE k = 'Größe';
INSERT INTO words VALUES ('ÿ', 'ÿ');
