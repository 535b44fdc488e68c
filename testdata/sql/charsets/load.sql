ALTER DATABASE CHARACTER SET latin1;
CREATE TABLE inherits (id INT PRIMARY KEY, c CHAR(10), v VARCHAR(100), t TEXT, e ENUM('ä', 'b'));
INSERT INTO inherits VALUES (1, 'ä', '€uro œuvre', 'façade', 'ä'), (2, 'ab  ', 'ab  ', 'ab  ', 'b'), (3, '', '', '', NULL);
CREATE TABLE mixed (id INT PRIMARY KEY, u4 VARCHAR(20) CHARACTER SET utf8mb4, u3 VARCHAR(20) CHARACTER SET utf8mb3, a VARCHAR(20) CHARACTER SET ascii, l VARCHAR(20) CHARACTER SET latin1, b VARCHAR(20) CHARACTER SET binary,
  n NATIONAL VARCHAR(20), nc NCHAR(20), bin VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, lt LONGTEXT CHARACTER SET latin1, tt TINYTEXT CHARACTER SET utf8mb3) CHARACTER SET utf8mb4;
INSERT INTO mixed VALUES (1, '产品 😀', '产品', 'ascii~', 'ÿþý', 'é', '产品', '产品', 'Aa', 'Füße', 'été'), (2, '', '', '', '', '', '', '', '', '', ''), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- latin1 has a character for each of its bytes, also where Windows-1252 has none.
INSERT INTO mixed (id, l, lt) VALUES (4, x'818d8f909d', x'80a0ff');
CREATE TABLE spaces (id INT PRIMARY KEY, c CHAR(10) CHARACTER SET utf8mb4, v VARCHAR(10) CHARACTER SET utf8mb4, c255 CHAR(255) CHARACTER SET utf8mb4);
INSERT INTO spaces VALUES (1, 'a  ', 'a  ', REPEAT('漢', 255)), (2, '  a', '  a', REPEAT('😀', 255)), (3, CONCAT('a', CHAR(9)), CONCAT('a', CHAR(9)), CONCAT('line', CHAR(10), 'break', CHAR(0), 'zero'));
