-- Clauses of ALTER TABLE and CREATE TABLE that MySQL does not have.
CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), c INT);
INSERT INTO t VALUES (1, 1, 'one', 10), (2, 2, 'two', 20), (3, 3, NULL, NULL);
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 2), (1, 2), (NULL, 3);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT);
INSERT INTO last_change VALUES (1, 10), (2, 20);
