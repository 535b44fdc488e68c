UPDATE t SET may = 10 WHERE id = 1;
ALTER TABLE t MODIFY must INT NULL, MODIFY text VARCHAR(20);
INSERT INTO t (may, must, text) VALUES (NULL, NULL, NULL);
UPDATE t SET must = NULL WHERE id = 2;
UPDATE t SET may = 0 WHERE may IS NULL;
ALTER TABLE t MODIFY may INT NOT NULL;
INSERT INTO t (may) VALUES (5);
UPDATE t SET must = 0 WHERE must IS NULL;
-- There and back, beside another name and a wider type.
ALTER TABLE t CHANGE must should BIGINT NOT NULL DEFAULT 6, MODIFY may INT;
INSERT INTO t (may) VALUES (NULL);
UPDATE t SET text = NULL WHERE id = 1;
-- A row without a key is all its values.
ALTER TABLE keyless MODIFY a INT;
INSERT INTO keyless VALUES (NULL, 2), (NULL, NULL);
DELETE FROM keyless WHERE a = 1 LIMIT 1;
UPDATE keyless SET a = 3, b = 3 WHERE a IS NULL;
ALTER TABLE keyless MODIFY a INT NOT NULL, MODIFY b INT NOT NULL;
UPDATE keyless SET b = 4 WHERE a = 2;
-- No row comes after it.
ALTER TABLE last_change MODIFY a INT;
