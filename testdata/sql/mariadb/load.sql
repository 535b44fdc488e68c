-- What only MariaDB has: types that the log holds as bytes, JSON that is text, collations beyond number 2047,
-- sequences (which are no tables), invisible columns, ON UPDATE, GTID domains.
CREATE TABLE ids (
  id UUID NOT NULL PRIMARY KEY, other UUID, six INET6, four INET4, raw BINARY(16), small BINARY(4), y YEAR, n INT UNSIGNED NOT NULL DEFAULT 4000000000
);
INSERT INTO ids (id, other, six, four, raw, small, y) VALUES
  ('123e4567-e89b-12d3-a456-426614174000', '00000000-0000-0000-0000-000000000000', '2001:db8::ff00:42:8329', '10.1.2.3', REPEAT('x', 16), 'abcd', 2155),
  ('018e4567-e89b-72d3-a456-426614174000', 'ffffffff-ffff-ffff-ffff-ffffffffff00', '::', '0.0.0.0', '', '', 1901),
  ('123e4567-e89b-42d3-8456-426614170000', NULL, '::1.2.3.4', '255.255.255.255', NULL, NULL, NULL),
  ('123e4567-e89b-62d3-a456-426614174000', '123e4567-e89b-02d3-a456-426614174000', '::ffff:1.2.3.0', '1.2.3.0', X'01020304050607080900000000000000', X'01000000', 2000),
  ('123e4567-e89b-52d3-c456-426614174000', '123e4567-e89b-42d3-7456-426614174000', '1:0:0:2::', '0.0.0.1', X'00', X'00', 1970);
CREATE TABLE mixed (
  id INT PRIMARY KEY, doc JSON, greek VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_cs, latin CHAR(10) CHARACTER SET latin1 COLLATE latin1_swedish_nopad_ci,
  label ENUM('é', 'b') CHARACTER SET utf8mb3 COLLATE utf8mb3_uca1400_ai_ci, at TIMESTAMP(6) NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  hidden INT INVISIBLE DEFAULT 7, price DECIMAL(10,2) DEFAULT (1.5)
);
CREATE SEQUENCE numbers START WITH 10;
INSERT INTO mixed (id, doc, greek, latin, label) VALUES (NEXTVAL(numbers), '{"a": [1, 2.50, null], "b": "é"}', 'αβγ', 'ärger', 'é'), (NEXTVAL(numbers), ' [ ] ', NULL, '', 'b');
