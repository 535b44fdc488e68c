CREATE TABLE computed (id INT PRIMARY KEY, a INT, b INT, total INT AS (a + b) VIRTUAL, kept VARCHAR(50) AS (CONCAT(a, '/', b)) STORED, doc JSON, name VARCHAR(20) AS (doc ->> '$.name') STORED, hidden INT INVISIBLE DEFAULT 7);
INSERT INTO computed (id, a, b, doc) VALUES (1, 1, 2, '{"name": "x"}'), (2, NULL, 2, NULL);
INSERT INTO computed (id, a, b, hidden) VALUES (3, 5, 6, NULL);
CREATE TABLE computed_first (total BIGINT AS (v * 2) STORED, v INT, id INT PRIMARY KEY);
INSERT INTO computed_first (id, v) VALUES (1, 1), (2, 2);
CREATE TABLE computed_key (v INT, k INT AS (v + 100) STORED, PRIMARY KEY (k));
INSERT INTO computed_key (v) VALUES (1), (2), (3);
-- An index over an expression makes a hidden column, which is not in the binlog.
CREATE TABLE indexed (id INT PRIMARY KEY, v VARCHAR(20), KEY ((UPPER(v))), tags JSON, KEY ((CAST(tags AS UNSIGNED ARRAY))));
INSERT INTO indexed VALUES (1, 'a', '[1, 2]'), (2, 'b', '[3]');
-- The server makes a key of its own, invisible too.
SET sql_generate_invisible_primary_key = ON;
CREATE TABLE keyless (v INT);
INSERT INTO keyless VALUES (1), (1), (2);
