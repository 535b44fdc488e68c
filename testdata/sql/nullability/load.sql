CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, may INT, must INT NOT NULL, text VARCHAR(20) NOT NULL DEFAULT 'x');
INSERT INTO t (may, must, text) VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three');
CREATE TABLE keyless (a INT NOT NULL, b INT);
INSERT INTO keyless VALUES (1, 2), (1, 2), (2, 1);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT NOT NULL);
INSERT INTO last_change VALUES (1, 10), (2, 20);
