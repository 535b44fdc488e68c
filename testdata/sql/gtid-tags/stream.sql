SET gtid_next = 'AUTOMATIC:a_tag'; INSERT INTO t VALUES (3, 3);
SET gtid_next = 'AUTOMATIC:another'; UPDATE t SET v = 10 WHERE id = 1;
SET gtid_next = 'AUTOMATIC'; DELETE FROM t WHERE id = 2;
SET gtid_next = 'AUTOMATIC:a_tag'; CREATE TABLE made (id INT PRIMARY KEY); INSERT INTO made VALUES (1);
SET gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:7'; INSERT INTO t VALUES (4, 4);
SET gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:tagged:9'; INSERT INTO t VALUES (5, 5);
SET gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:8'; BEGIN; COMMIT;
SET gtid_next = 'AUTOMATIC'; INSERT INTO t VALUES (6, 6);
