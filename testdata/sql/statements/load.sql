CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, v INT, w VARCHAR(20), UNIQUE KEY (w));
CREATE TABLE b (id INT PRIMARY KEY, v INT, w VARCHAR(20));
INSERT INTO a (v, w) VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
INSERT INTO b SELECT id * 2, v, w FROM a;
