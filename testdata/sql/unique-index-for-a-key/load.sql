-- MySQL takes the first unique index without NULL for the primary key, in the binlog too.
CREATE TABLE t (id INT NOT NULL UNIQUE, v INT);
INSERT INTO t VALUES (1, 1), (2, 2);
CREATE TABLE nullable (id INT UNIQUE, v INT);
INSERT INTO nullable VALUES (1, 1), (NULL, 2), (NULL, 2);
