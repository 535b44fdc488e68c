UPDATE numbers SET f = -f, d = -d, f10 = f10 / 3, d10 = d10 / 3;
UPDATE numbers SET f = 0.1 + 0.2, d = 0.1 + 0.2e0 WHERE id = 4;
DELETE FROM numbers WHERE id = 3;
INSERT INTO numbers (id, f, d) VALUES (6, 1e38, 1e308), (7, 1.4e-45, 4.9e-324), (8, -0e0, -0e0);
