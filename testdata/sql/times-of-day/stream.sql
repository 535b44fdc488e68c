UPDATE times SET t = '01:02:03.5', t1 = '01:02:03.45', t6 = '01:02:03.0000005' WHERE id = 1;
UPDATE times SET t6 = NULL WHERE id = 2;
UPDATE times SET t6 = '12:00' WHERE id = 4;
DELETE FROM times WHERE id = 3;
INSERT INTO times (id, t, t3) VALUES (5, 123456, '5:6:7.089');
