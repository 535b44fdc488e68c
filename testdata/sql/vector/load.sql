-- Lists of floats: none, few and the most that a VECTOR has, numbers at their limits,
-- NULL, with and without a key, and before the columns of a key.
CREATE TABLE embeddings (id INT PRIMARY KEY, v VECTOR(3), large VECTOR(16383), name VARCHAR(20));
INSERT INTO embeddings VALUES
  (1, TO_VECTOR('[1.1, 2.2, 3.3]'), NULL, 'one'),
  (2, NULL, TO_VECTOR(CONCAT('[', REPEAT('0.5,', 16382), '-1e-3]')), 'two'),
  (3, TO_VECTOR('[-0.0]'), TO_VECTOR('[3.4028234e38, -3.4028234e38, 1.17549435e-38, 16777217, 0.1]'), NULL);
CREATE TABLE last_key (v VECTOR NOT NULL, name VARCHAR(10), id BIGINT NOT NULL, PRIMARY KEY (id));
INSERT INTO last_key VALUES (TO_VECTOR('[1]'), 'a', 1), (TO_VECTOR('[2, 3]'), 'b', 2), (0x0000803f01000080, 'c', 3);
CREATE TABLE without_key (v VECTOR(2), n INT);
INSERT INTO without_key VALUES (TO_VECTOR('[1, 2]'), 1), (TO_VECTOR('[1, 2]'), 1), (NULL, 2), (TO_VECTOR('[2, 1]'), 1);
