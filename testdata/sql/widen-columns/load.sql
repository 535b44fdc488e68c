-- Columns that become wider in place, in rows of every age; keys too.
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, tiny TINYINT, small SMALLINT UNSIGNED, medium MEDIUMINT UNSIGNED, i INT, u INT UNSIGNED, f FLOAT, d DECIMAL(9, 2),
	y YEAR, c VARCHAR(5), x TINYTEXT, v VARBINARY(4), e ENUM('a', 'b'), s SET('a', 'b'), bits BIT(9), at DATETIME, day TIMESTAMP NULL, n INT NOT NULL);
INSERT INTO t VALUES
	(1, -128, 65535, 16777215, -2147483648, 4294967295, 0.1, 1234567.89, 1999, 'one', 'x', 'v', 'a', 'a,b', 511, '2020-01-01 10:00:00', '2020-01-01 10:00:00', 1),
	(2, 127, 0, 0, 2147483647, 0, -3.4e38, -9999999.99, 0, 'five5', '', '', 'b', '', 0, '1000-01-01', '2038-01-19 03:14:07', 2),
	(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3),
	(4, 4, 4, 4, 4, 4, 1.17549435e-38, 4.00, 2004, '4', '4', '4', 'a', 'a', 4, '2004-04-04', '2004-04-04', 4);
CREATE TABLE keyed (a INT, b SMALLINT UNSIGNED, c VARCHAR(5), v INT, PRIMARY KEY (b, c, a));
INSERT INTO keyed VALUES (1, 1, 'a', 1), (2, 1, 'a', 2), (-1, 65535, 'b', 3);
CREATE TABLE by_decimal (id DECIMAL(6) PRIMARY KEY, v INT);
INSERT INTO by_decimal VALUES (1, 1), (-999999, 2), (999999, 3);
CREATE TABLE by_float (f FLOAT, v INT, PRIMARY KEY (f));
INSERT INTO by_float VALUES (0.1, 1), (2.5, 2), (-3, 3);
CREATE TABLE keyless (a INT, b FLOAT);
INSERT INTO keyless VALUES (1, 0.1), (1, 0.1), (2, 1.5), (NULL, NULL);
CREATE TABLE last_change (id INT PRIMARY KEY, a INT, b DECIMAL(5, 2));
INSERT INTO last_change VALUES (1, 10, 1.5), (2, 20, 2.5);
