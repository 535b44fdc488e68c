CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c VARCHAR(20));
INSERT INTO t VALUES (1, 1, 10, 'one'), (2, 2, 20, 'two'), (3, 3, 30, 'three');
CREATE TABLE keyed (a INT, b INT, v INT, PRIMARY KEY (b, a));
INSERT INTO keyed VALUES (1, 2, 3), (2, 1, 4), (2, 2, 5);
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 2), (1, 2), (2, 1), (NULL, 3);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT, b INT);
INSERT INTO last_change VALUES (1, 10, 100), (2, 20, 200);
