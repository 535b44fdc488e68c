UPDATE values_of_all_sizes SET t = CONCAT(t, 'x') WHERE id = 1;
UPDATE values_of_all_sizes SET t = REPEAT('é', 2000000), b = REPEAT(x'ab', 5000000) WHERE id = 4;
INSERT INTO values_of_all_sizes SELECT id + 10, t, b, j FROM values_of_all_sizes;
DELETE FROM values_of_all_sizes WHERE id = 1;
