CREATE TABLE plain (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO plain VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four'), (5, 'five');
CREATE TABLE pairs (a INT, b VARCHAR(10), v INT, PRIMARY KEY (a, b));
INSERT INTO pairs VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3);
-- The server takes these keys for the same as others that differ in case or accents.
CREATE TABLE loose (k VARCHAR(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v INT);
INSERT INTO loose VALUES ('a', 1), ('b', 2), ('É', 3);
CREATE TABLE padded (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT);
INSERT INTO padded VALUES ('a', 1), ('b ', 2);
