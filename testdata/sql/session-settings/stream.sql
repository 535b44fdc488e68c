-- The statements stand in the binlog beside their rows.
SET SESSION binlog_rows_query_log_events = ON;
INSERT INTO t VALUES (2, 'ROLLBACK; DROP TABLE t', NULL);
UPDATE t SET v = 'b' WHERE id = 1;
-- Other quotes, and another meaning of the backslash.
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT';
CREATE TABLE "quoted" ("id" INT PRIMARY KEY, "v" VARCHAR(20) DEFAULT '\', "w" INT);
INSERT INTO "quoted" VALUES (1, '\' || '"', 1);
SET sql_mode = DEFAULT;
INSERT INTO quoted VALUES (2, '\\', 2);
/* a comment */ CREATE /*!50000 TABLE */ IF NOT EXISTS /* another; */ `commented` -- and one more
( id INT PRIMARY KEY /*!80000 , v INT */ );
INSERT INTO commented VALUES (1, 1);
CREATE TABLE IF NOT EXISTS t (other INT);
-- Rows that go without checks, and in another order.
SET foreign_key_checks = 0, unique_checks = 0;
CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parents (id));
INSERT INTO child VALUES (1, 7);
CREATE TABLE parents (id INT PRIMARY KEY);
INSERT INTO parents VALUES (7);
SET timestamp = 1000000000, insert_id = 5;
INSERT INTO t VALUES (3, 'then', CURRENT_TIMESTAMP);
SET SESSION sql_require_primary_key = ON, time_zone = '+13:00';
INSERT INTO t VALUES (4, 'there', '2024-01-01');
