CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(20), c DECIMAL(10, 2), d DATETIME, KEY (a, b));
INSERT INTO t (a, b, c, d) VALUES (1, 'one', 1.5, '2020-01-01'), (2, 'two', 2.5, NULL), (3, NULL, 3.5, '2020-01-03'), (4, 'four', NULL, NULL);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT, b INT);
INSERT INTO last_change VALUES (1, 10, 100), (2, 20, 200);
CREATE TABLE keyless (a INT, b VARCHAR(20), c INT);
INSERT INTO keyless VALUES (1, 'x', 1), (1, 'x', 2), (1, 'y', 1), (NULL, NULL, NULL);
