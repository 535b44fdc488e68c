-- A small shop, as in Debezium's tutorial: keys that count themselves, foreign keys, a unique index.
CREATE TABLE products (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL, description VARCHAR(512), weight FLOAT);
INSERT INTO products VALUES
  (DEFAULT, 'scooter', 'Small 2-wheel scooter', 3.14), (DEFAULT, 'car battery', '12V car battery', 8.1), (DEFAULT, 'hammer', '12oz carpenter''s hammer', 0.75),
  (DEFAULT, 'rocks', 'box of assorted rocks', 5.3), (DEFAULT, 'jacket', 'water resistent black wind breaker', 0.1), (DEFAULT, 'spare tire', NULL, NULL);
CREATE TABLE products_on_hand (product_id INT NOT NULL PRIMARY KEY, quantity INT NOT NULL, FOREIGN KEY (product_id) REFERENCES products (id));
INSERT INTO products_on_hand VALUES (1, 3), (2, 8), (3, 18), (4, 4), (5, 5), (6, 0);
CREATE TABLE customers (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(255) NOT NULL, last_name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL UNIQUE) AUTO_INCREMENT = 1001;
INSERT INTO customers VALUES (DEFAULT, 'Sally', 'Thomas', 'sally.thomas@acme.com'), (DEFAULT, 'George', 'Bailey', 'gbailey@foobar.com'), (DEFAULT, 'Edward', 'Walker', 'ed@walker.com');
CREATE TABLE orders (order_number INT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_date DATE NOT NULL, purchaser INT NOT NULL, quantity INT NOT NULL, product_id INT NOT NULL,
  FOREIGN KEY (purchaser) REFERENCES customers (id), FOREIGN KEY (product_id) REFERENCES products (id)) AUTO_INCREMENT = 10001;
INSERT INTO orders VALUES (DEFAULT, '2016-01-16', 1001, 1, 2), (DEFAULT, '2016-01-17', 1002, 2, 5), (DEFAULT, '2016-02-19', 1002, 2, 6), (DEFAULT, '2016-02-21', 1003, 1, 4);
