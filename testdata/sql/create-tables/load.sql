CREATE TABLE pattern (id INT PRIMARY KEY AUTO_INCREMENT, a VARCHAR(20) DEFAULT 'x', b DECIMAL(8, 2) NOT NULL, UNIQUE KEY (a));
INSERT INTO pattern (a, b) VALUES ('one', 1), ('two', 2), ('three', 3);
