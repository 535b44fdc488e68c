UPDATE commented SET v = 3 WHERE id = 1;
UPDATE checked SET w = 'other words' WHERE id = 1;
ALTER TABLE checked ADD INDEX later (w), COMMENT 'new';
ALTER TABLE checked DROP INDEX later, ALGORITHM=INPLACE, LOCK=NONE;
CREATE INDEX another ON checked (w);
DROP INDEX another ON checked;
DELETE FROM checked WHERE id = 2;
