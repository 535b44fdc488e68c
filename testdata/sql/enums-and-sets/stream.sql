UPDATE labels SET e = 'now', s = 'x;y' WHERE id = 1;
UPDATE labels SET e = e + 1 WHERE id BETWEEN 2 AND 5;
UPDATE labels SET s = 'a b,漢字', required = 'first' WHERE id > 5;
DELETE FROM labels WHERE id = 10;
INSERT INTO labels VALUES (15, '100%', 'NULL', 'é', 'first');
UPDATE many SET s = '1,2,62' WHERE id IN (1, 2);
