CREATE TABLE bytes (id INT PRIMARY KEY, b BINARY, b16 BINARY(16), b255 BINARY(255), v VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, c CHAR(4) BYTE, t TEXT CHARACTER SET binary);
-- BINARY is filled with zero bytes, which the binlog leaves away.
INSERT INTO bytes VALUES (1, x'01', x'010203', x'', x'010200', x'00', x'ff00', x'', REPEAT(x'ab', 70000), x'01', x'fffe'), (2, x'00', x'00000000000000000000000000000000', REPEAT(x'ff', 255), x'', x'', x'', x'', x'', x'', x''),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (4, 'a', 'text', 'text', REPEAT('a', 256), REPEAT('b', 255), REPEAT('c', 65535), REPEAT('d', 65536), 'e', 'f', 'g'),
  (5, ' ', x'ff000000000000000000000000000000', x'20', x'2000', x'20', x'20', x'20', x'20', x'2020', x'20');
