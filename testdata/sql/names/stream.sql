UPDATE `special_"[``]$'_table` SET `some column` = 3, `a.b` = 'x', `ключ` = 4 WHERE `special_"[``]$'_id` = 1;
DELETE FROM `special_"[``]$'_table` WHERE `special_"[``]$'_id` = 2;
UPDATE `DBZ.1834` SET v = 3 WHERE id = 1;
DELETE FROM `DBZ.1834` WHERE id = 2;
UPDATE `order` SET `by` = 3 WHERE `group` = 1;
UPDATE `some|table@name` SET v = 3 WHERE id = 1;
UPDATE `таблица 表` SET v = 3 WHERE id = 1;
UPDATE `a name that is as long as the server allows: 64 letters and sign` SET v = 3 WHERE id = 1;
UPDATE `CON` SET v = 3 WHERE id = 1;
