-- CHANGE and MODIFY that do several things to columns at once.
CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c FLOAT, d DECIMAL(6, 2));
INSERT INTO t VALUES (1, 1, -1, 0.5, 1.25), (2, 2, -2, 1.5, NULL), (3, 3, -3, -0.25, 9999.99), (4, NULL, NULL, 4, 4);
CREATE TABLE swapped (id INT PRIMARY KEY, a INT, b VARCHAR(10));
INSERT INTO swapped VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, NULL);
CREATE TABLE circle (a INT PRIMARY KEY, b INT, c BIGINT);
INSERT INTO circle VALUES (1, 10, 100), (2, 20, 200), (3, 30, 300);
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 2), (1, 2), (2, 1), (NULL, 3);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT, b INT);
INSERT INTO last_change VALUES (1, 10, -10), (2, 20, -20);
