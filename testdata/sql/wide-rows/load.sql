-- The bits that say which columns are NULL take many bytes, and not a whole number of them.
SET SESSION group_concat_max_len = 1000000;
SET SESSION cte_max_recursion_depth = 2000;
SET @columns = (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 299) SELECT GROUP_CONCAT('c', i, IF(i % 3 = 0, ' INT', IF(i % 3 = 1, ' VARCHAR(20)', ' DECIMAL(10,3)')) ORDER BY i) FROM n);
SET @statement = CONCAT('CREATE TABLE wide (id INT PRIMARY KEY, ', @columns, ')');
PREPARE s FROM @statement;
EXECUTE s;
INSERT INTO wide (id) VALUES (1), (2), (3);
INSERT INTO wide (id, c1, c2, c3, c297, c298, c299) VALUES (4, 'a', 1.5, 7, 8, 'z', 2.5);
CREATE TABLE nothing_but_a_key (id INT PRIMARY KEY);
INSERT INTO nothing_but_a_key VALUES (1), (2), (3);
