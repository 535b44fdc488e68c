SET NAMES latin1;
CREATE TABLE `à la carte` (id INT PRIMARY KEY, `ü` ENUM('ä', 'b'));
INSERT INTO `à la carte` VALUES (1, 'ä');
INSERT INTO `é` VALUES (2, 'ÿ');
