CREATE TABLE t (id INT PRIMARY KEY, j JSON);
INSERT INTO t VALUES (1, '{"a": "xxxxxxxxxxxxxxxx"}');
