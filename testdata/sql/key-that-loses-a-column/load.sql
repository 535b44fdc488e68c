CREATE TABLE t (a INT, b INT, v INT, PRIMARY KEY (a, b));
INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3);
