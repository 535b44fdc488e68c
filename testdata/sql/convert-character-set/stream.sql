UPDATE t SET a = 'ö' WHERE id = 2;
ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;
INSERT INTO t VALUES (4, '😀', '日本', '😀😀', 'a');
UPDATE t SET b = '日' WHERE id = 1;
ALTER TABLE t MODIFY a VARCHAR(20) CHARACTER SET utf32, MODIFY b LONGTEXT CHARACTER SET utf16;
UPDATE t SET c = 'y' WHERE id = 1;
INSERT INTO t VALUES (5, '😀', '𝄞', NULL, 'b');
ALTER TABLE keyed CONVERT TO CHARACTER SET utf8mb3;
UPDATE keyed SET v = 10 WHERE c = 'é';
INSERT INTO keyed VALUES ('日', 4);
ALTER TABLE keyed MODIFY c VARCHAR(20) CHARACTER SET utf8mb4;
DELETE FROM keyed WHERE c = 'b';
UPDATE keyed SET c = '😀' WHERE v = 3;
-- Only the order of the key's values, and what is equal among them.
ALTER TABLE sorted MODIFY c VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
UPDATE sorted SET v = 10 WHERE c = 'a';
UPDATE sorted SET c = 'A' WHERE c = 'a';
DELETE FROM sorted WHERE c = 'é';
ALTER TABLE last_change CONVERT TO CHARACTER SET utf8mb4;
