CREATE TABLE values_of_all_sizes (id INT PRIMARY KEY, t LONGTEXT, b LONGBLOB, j JSON);
INSERT INTO values_of_all_sizes VALUES (1, REPEAT('abc', 500000), REPEAT(x'00ff', 700000), JSON_ARRAY(REPEAT('x', 100000))), (2, '', '', '[]'), (3, NULL, NULL, NULL), (4, 'x', 'x', '1');
