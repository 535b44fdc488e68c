UPDATE t SET a = a + 10 WHERE id < 3;
ALTER TABLE t DROP COLUMN d;
INSERT INTO t (a, b, c) VALUES (5, 'five', 5.5);
UPDATE t SET c = c + 1;
-- Several at once, with other clauses, one of which only looks like a column.
ALTER TABLE t DROP a, DROP KEY a, ADD KEY k (b), DROP COLUMN c;
INSERT INTO t (b) VALUES ('six');
DELETE FROM t WHERE id = 2;
-- The same name again is another column, whose old rows show its default.
ALTER TABLE t ADD COLUMN a INT DEFAULT 7 AFTER id;
UPDATE t SET a = 8 WHERE id = 1;
UPDATE t SET a = NULL WHERE id = 3;
ALTER TABLE t ADD short_lived INT;
UPDATE t SET short_lived = 1 WHERE id = 1;
ALTER TABLE t DROP short_lived, DROP a, ADD a INT DEFAULT 7;
UPDATE t SET a = 9 WHERE id = 1;
INSERT INTO t (b) VALUES ('seven');
-- Its columns alone identify a row of this one.
UPDATE keyless SET b = 'z' WHERE c = 2;
ALTER TABLE keyless DROP c;
DELETE FROM keyless WHERE b = 'x';
INSERT INTO keyless VALUES (1, 'y'), (NULL, NULL);
UPDATE keyless SET a = 2 WHERE b = 'y' LIMIT 1;
-- No row comes after it.
ALTER TABLE last_change DROP COLUMN a;
