-- From one partition to another.
UPDATE by_range SET day = '2022-02-02' WHERE id IN (1, 3);
DELETE FROM by_range PARTITION (p1) WHERE id = 2;
UPDATE by_hash SET id = id + 10;
INSERT INTO by_hash SELECT id + 100, v FROM by_hash;
UPDATE in_two_levels SET id = 3, k = 'z' WHERE id = 4;
-- These move rows without changing them.
ALTER TABLE by_hash ADD PARTITION PARTITIONS 2;
ALTER TABLE by_range REORGANIZE PARTITION p2 INTO (PARTITION p2 VALUES LESS THAN (2030), PARTITION p3 VALUES LESS THAN MAXVALUE);
ALTER TABLE by_range ANALYZE PARTITION p1;
INSERT INTO by_range VALUES (5, '2031-01-01', 5);
-- Names that could be those of clauses.
ALTER TABLE rearranged REBUILD PARTITION p0, import, discard;
UPDATE rearranged SET v = v + 1;
ALTER TABLE rearranged REORGANIZE PARTITION p0, import INTO (PARTITION import VALUES LESS THAN (20));
ALTER TABLE rearranged OPTIMIZE PARTITION discard, import;
ALTER TABLE rearranged ADD PARTITION (PARTITION drops VALUES LESS THAN (40));
INSERT INTO rearranged VALUES (31, 4);
ALTER TABLE fewer COALESCE PARTITION 3;
DELETE FROM fewer WHERE id = 2;
ALTER TABLE fewer PARTITION BY KEY (id) PARTITIONS 3;
UPDATE fewer SET v = 7 WHERE id = 3;
ALTER TABLE fewer REMOVE PARTITIONING;
INSERT INTO fewer VALUES (6, 6);
