-- Columns whose values the server makes for the rows that are there, and does not log: the tables are read again beside the stream.
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b INT, doc JSON);
INSERT INTO t (a, b, doc) VALUES (1, 10, '{"name": "one"}'), (2, 20, NULL), (3, NULL, '{"name": 3}'), (4, 40, '{}');
CREATE TABLE renamed (id INT PRIMARY KEY, a INT, b VARCHAR(20));
INSERT INTO renamed VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, NULL);
CREATE TABLE changed (id INT PRIMARY KEY, a INT, twice INT AS (a * 2) STORED, plain INT);
INSERT INTO changed (id, a, plain) VALUES (1, 1, -1), (2, 2, -2), (3, NULL, -3);
CREATE TABLE numbered (v VARCHAR(10));
INSERT INTO numbered VALUES ('a'), ('a'), ('b');
CREATE TABLE expressions (id INT PRIMARY KEY, v INT);
INSERT INTO expressions VALUES (1, 1), (2, 2), (3, 3);
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 2), (1, 2), (2, 1), (NULL, 3);
CREATE TABLE short_lived (id INT PRIMARY KEY, v INT);
INSERT INTO short_lived VALUES (1, 1), (2, 2);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT);
INSERT INTO last_change VALUES (1, 10), (2, 20);
