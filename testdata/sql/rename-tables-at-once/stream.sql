CREATE DATABASE `${database}_other`;
UPDATE first SET v = 3 WHERE id = 1;
-- One takes the name that another one had, and one gets two names.
RENAME TABLE second TO third, first TO second, there TO elsewhere, elsewhere TO somewhere;
INSERT INTO second VALUES (3, 3);
UPDATE third SET w = 'third';
DELETE FROM somewhere;
-- One that is not replicated takes the name, and one that is replicated gets it back.
CREATE TABLE `${database}_other`.another (id INT PRIMARY KEY, v INT);
INSERT INTO `${database}_other`.another VALUES (7, 7);
UPDATE left_out SET v = 5 WHERE id = 2;
RENAME TABLE left_out TO `${database}_other`.left_out, `${database}_other`.another TO left_out;
UPDATE left_out SET v = 8;
UPDATE `${database}_other`.left_out SET v = 9;
-- Of several names the last one counts.
ALTER TABLE twice RENAME TO twice_a, RENAME TO twice_b, ADD COLUMN n INT NOT NULL DEFAULT 3;
INSERT INTO twice_b VALUES (2, 2, 2);
-- The name that it has.
ALTER TABLE stays CHANGE v w INT, CHANGE w v INT, ADD COLUMN n INT, RENAME TO stays;
INSERT INTO stays VALUES (2, 100, 200, 300);
-- What could not be followed under its own name can be under another.
ALTER TABLE narrower MODIFY v TINYINT UNSIGNED, MODIFY id VARCHAR(20), RENAME narrower_now;
INSERT INTO narrower_now VALUES ('three', 3);
-- A column that becomes one of the key has another field id: older files may lack values of it.
CREATE TABLE rekeyed_now (id INT, v INT, w INT, PRIMARY KEY (v));
INSERT INTO rekeyed_now SELECT * FROM rekeyed;
RENAME TABLE rekeyed TO `${database}_other`.rekeyed, rekeyed_now TO rekeyed;
RENAME TABLE keyless TO keyless_x, keyless_too TO keyless, keyless_x TO keyless_too;
DELETE FROM keyless_too WHERE v = 1 LIMIT 1;
INSERT INTO keyless VALUES (3, 'z');
RENAME TABLE seen TO seen_now;
DROP DATABASE `${database}_other`;
