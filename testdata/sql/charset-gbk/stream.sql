INSERT INTO t VALUES (2, '数据湖'), (3, ''), (4, NULL);
UPDATE t SET v = CONCAT(v, ' x') WHERE id = 1;
