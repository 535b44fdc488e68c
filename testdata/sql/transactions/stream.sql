-- Over several tables, and some of them again.
BEGIN; INSERT INTO a VALUES (4, 4); UPDATE b SET v = 10 WHERE id = 1; INSERT INTO c VALUES (1, 1); UPDATE a SET v = 40 WHERE id = 4; DELETE FROM b WHERE id = 2; COMMIT;
-- Rolled back: nothing of it is in the binlog.
BEGIN; DELETE FROM a; INSERT INTO c VALUES (99, 99); ROLLBACK;
-- Savepoints: what came after one is undone, and what came before and later stays.
BEGIN; INSERT INTO a VALUES (5, 5); SAVEPOINT one; UPDATE a SET v = 0; SAVEPOINT two; DELETE FROM a; ROLLBACK TO one; INSERT INTO a VALUES (6, 6); RELEASE SAVEPOINT one; COMMIT;
BEGIN; INSERT INTO c VALUES (2, 2); SAVEPOINT s; INSERT INTO c VALUES (3, 3); ROLLBACK TO s; COMMIT;
-- Nothing at all, or nothing in the end.
BEGIN; COMMIT;
BEGIN; INSERT INTO c VALUES (50, 50); DELETE FROM c WHERE id = 50; COMMIT;
BEGIN; DELETE FROM c WHERE id = 2; INSERT INTO c VALUES (2, 20); DELETE FROM c WHERE id = 2; INSERT INTO c VALUES (2, 200); COMMIT;
-- A row that stays as it is.
UPDATE a SET v = v;
-- DDL commits what came before it.
SET autocommit = 0;
INSERT INTO a VALUES (7, 7);
CREATE TABLE d (id INT PRIMARY KEY, v INT);
INSERT INTO d VALUES (1, 1);
COMMIT;
INSERT INTO d VALUES (2, 2);
ROLLBACK;
SET autocommit = 1;
-- Each with other ways to begin.
START TRANSACTION WITH CONSISTENT SNAPSHOT; INSERT INTO d VALUES (3, 3); COMMIT AND CHAIN; INSERT INTO d VALUES (4, 4); COMMIT WORK;
SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; BEGIN; UPDATE d SET v = v + 1; COMMIT;
