CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20), b TEXT, c CHAR(5), e ENUM('a', 'b')) CHARACTER SET latin1;
INSERT INTO t VALUES (1, 'é', 'ü', 'ñ', 'a'), (2, NULL, NULL, NULL, NULL), (3, 'plain', '', 'x', 'b');
CREATE TABLE keyed (c VARCHAR(20) PRIMARY KEY, v INT) CHARACTER SET latin1;
INSERT INTO keyed VALUES ('é', 1), ('b', 2), ('ß', 3);
CREATE TABLE sorted (c VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, v INT);
INSERT INTO sorted VALUES ('a', 1), ('é', 2);
CREATE TABLE last_change (id INT PRIMARY KEY, a VARCHAR(20)) CHARACTER SET latin1;
INSERT INTO last_change VALUES (1, 'é');
