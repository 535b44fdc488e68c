-- Clauses of ALTER TABLE that change no value: how rows are kept, found and checked.
CREATE TABLE parent (id INT PRIMARY KEY, v INT);
INSERT INTO parent VALUES (1, 1), (2, 2);
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(200), p INT, note TEXT, KEY a (a));
INSERT INTO t (a, b, p, note) VALUES (1, 'one', 1, 'first note'), (2, 'two', 2, NULL), (3, NULL, NULL, 'third'), (4, 'four', 1, '');
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 2), (1, 2), (NULL, 3);
