-- The binlog holds a statement in the bytes that its client sent. The bytes of this file are UTF-8, and count as latin1: two characters for each of the letters with a mark.
SET NAMES latin1;
CREATE TABLE `é` (id INT PRIMARY KEY, `ü` VARCHAR(10) COMMENT 'ß');
INSERT INTO `é` VALUES (1, 'ß');
