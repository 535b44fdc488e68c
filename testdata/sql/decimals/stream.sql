UPDATE numbers SET d65 = -d65, d30 = -d30, d30_30 = -d30_30, whole = -whole, n = -n, f = -f, bare = -bare, seven = -seven;
INSERT INTO numbers (id, seven, n) VALUES (5, 234.5, 1.335);
UPDATE numbers SET d65 = 1 WHERE id = 3;
DELETE FROM numbers WHERE id = 2;
UPDATE widths SET d1 = -d1, d2 = -d2, d4 = -d4, d6 = -d6, d8 = -d8, d9 = -d9, d10 = -d10, d18 = -d18, d19 = -d19, d20 = -d20, d27 = -d27, d28 = -d28, d36 = -d36, d39 = -d39 WHERE id > 1;
INSERT INTO widths VALUES (4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
