CREATE TABLE documents (id INT PRIMARY KEY, j JSON, required JSON NOT NULL DEFAULT (JSON_OBJECT()));
INSERT INTO documents (id, j) VALUES (1, NULL), (2, 'null'), (3, 'true'), (4, 'false'), (5, '0'), (6, '-1'), (7, '"text"'), (8, '""'), (9, '[]'), (10, '{}'), (11, '3.14'), (12, '-0.0'), (13, '1e100'), (14, '1.0'),
  (20, '[32767, 32768, -32768, -32769, 65535, 65536]'), (21, '[2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296]'), (22, '[9223372036854775807, 9223372036854775808, -9223372036854775808, 18446744073709551615, 18446744073709551616]'),
  (30, '{"b": 1, "aa": 2, "a": 3, "": 4, "é": 5, "漢": 6}'), (31, '{"k": {"k": {"k": [[[{}]]]}}}'), (32, '{"a": 1, "a": 2}'),
  (40, '"quote \\" backslash \\\\ slash \\/ newline \\n tab \\t bell \\u0007 é \\u00e9 \\ud83d\\ude00"'), (41, '["\\u0000", "\\u001f", "\\u007f", "\\u2028"]'),
  (50, '[1e15, 1e14, 1.2345678901234568e17, 123456789012345680, 1e-5, 1.5e-15, 1e-16, 1e308, 5e-324, 0.1, 100000.0, 1e21, 1e22]');
INSERT INTO documents (id, j) VALUES
  (60, CAST(CAST('2015-01-15' AS DATE) AS JSON)), (61, CAST(CAST('23:24:25.12' AS TIME(2)) AS JSON)), (62, CAST(CAST('-838:59:58.999999' AS TIME(6)) AS JSON)), (63, CAST(CAST('2015-01-15 23:24:25.12' AS DATETIME(3)) AS JSON)),
  (64, JSON_ARRAY(CAST('2015-01-15' AS DATETIME), TIMESTAMP '2015-01-15 23:24:25', CAST('2015' AS YEAR))), (65, JSON_ARRAY(CAST(1.50 AS DECIMAL(10,2)), CAST(-0.5 AS DECIMAL(5,5)), 12345678901234567890.123456789, CAST(0 AS DECIMAL(65,30)))),
  (66, JSON_ARRAY(x'cafe', b'101', CAST('abc' AS BINARY), CAST(REPEAT('x', 100) AS BINARY))), (67, CAST(x'cafebabe' AS JSON)), (68, CAST(ST_GeomFromText('POINT(1 1)') AS JSON)), (69, JSON_ARRAY(1 = 1, 1 = 2, NULL)),
  (70, JSON_ARRAY(1.5e0, CAST(1.1 AS FLOAT), CAST(1.1 AS DOUBLE), 1e0 / 3));
-- Objects and arrays above 64 KB are stored in another form.
INSERT INTO documents (id, j) VALUES (80, JSON_OBJECT('long', REPEAT('y', 70000), 'n', 70000)), (81, JSON_ARRAY(REPEAT('é', 40000), 1, 65536, 'short')), (82, JSON_OBJECT(REPEAT('k', 300), REPEAT('v', 300)));
