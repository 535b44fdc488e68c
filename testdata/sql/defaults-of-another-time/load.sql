-- Rows that were there show in a new column the default that it was added with, whatever became of it by the time the run comes to it.
CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(20));
INSERT INTO orders VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE TABLE without_rows_between (id INT PRIMARY KEY);
INSERT INTO without_rows_between VALUES (1), (2);
