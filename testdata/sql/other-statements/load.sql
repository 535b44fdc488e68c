-- Statements that are in the binlog and change no row.
CREATE TABLE t (id INT PRIMARY KEY, v INT, KEY (v));
INSERT INTO t VALUES (1, 1), (2, 2);
