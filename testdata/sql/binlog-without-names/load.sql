-- The binlog does not name the columns: they are looked up in information_schema.
CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, n TINYINT UNSIGNED, name VARCHAR(20), e ENUM('a', 'b'), s SET('x', 'y'), l VARCHAR(20) CHARACTER SET latin1, b VARBINARY(20), j JSON, d DECIMAL(10,2), dt DATETIME(3), bits BIT(9), tx TEXT, bl BLOB);
INSERT INTO t VALUES (18446744073709551615, 255, 'é', 'b', 'x,y', 'ü', x'00ff', '{"a": 1}', 1.5, '2024-01-01 12:00:00.123', b'101010101', 'text', 'blob');
