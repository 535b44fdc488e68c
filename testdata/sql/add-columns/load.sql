-- Columns that come, in rows of every age: what the old rows show of them is not in the binlog.
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(20));
INSERT INTO t (a, b) VALUES (1, 'one'), (2, 'two'), (3, NULL), (4, 'four');
CREATE TABLE keyed (a INT, b VARCHAR(10), v INT, PRIMARY KEY (b, a));
INSERT INTO keyed VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3);
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 2), (1, 2), (2, 1), (NULL, 3);
CREATE TABLE without_rows (id INT PRIMARY KEY);
CREATE TABLE never_a_row (id INT PRIMARY KEY);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT);
INSERT INTO last_change VALUES (1, 10), (2, 20);
