-- Rows that are alike: the lake has each as often as MySQL.
CREATE TABLE t (v INT, name VARCHAR(20));
INSERT INTO t VALUES (1, 'a'), (1, 'a'), (2, NULL);
