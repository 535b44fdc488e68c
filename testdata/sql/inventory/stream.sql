INSERT INTO customers VALUES (DEFAULT, 'Anne', 'Kretchmar', 'annek@noanswer.org');
INSERT INTO products VALUES (2001, 'roy', 'old robot', 1234.56);
UPDATE products SET weight = 1345.67 WHERE id = 2001;
UPDATE orders SET quantity = 2 WHERE order_number = 10004;
UPDATE orders SET order_number = 10303 WHERE order_number = 10003;
DELETE FROM orders WHERE order_number = 10001;
DELETE FROM products_on_hand WHERE product_id = 1;
UPDATE customers SET email = 'gb@foobar.com', last_name = 'Bailey-Smith' WHERE id = 1002;
