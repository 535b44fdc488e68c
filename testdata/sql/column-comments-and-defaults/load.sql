-- What a column says of itself and of rows to come: no row that is there changes.
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT DEFAULT 1, b VARCHAR(60) NOT NULL DEFAULT 'x', c INT) COMMENT 'first';
INSERT INTO t (a, b, c) VALUES (1, 'one', 1), (DEFAULT, DEFAULT, 2), (NULL, '', NULL);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT);
INSERT INTO last_change VALUES (1, 10), (2, NULL);
