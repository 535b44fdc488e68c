-- Made again as it was: the rows of before are gone, also one of the same key.
INSERT INTO made_again VALUES (3, 3);
DROP TABLE made_again;
CREATE TABLE made_again (id INT PRIMARY KEY, v INT);
INSERT INTO made_again VALUES (2, 20), (4, 40);
INSERT INTO stays VALUES (2, 2);
-- With other columns and another key, twice, and empty in between.
DROP TABLE IF EXISTS made_otherwise, never_was;
CREATE TABLE made_otherwise (w DATE, k VARCHAR(9) PRIMARY KEY);
DROP TABLE made_otherwise;
CREATE TABLE made_otherwise (v BIGINT, k VARCHAR(9) PRIMARY KEY);
INSERT INTO made_otherwise VALUES (9, 'a'), (8, 'b');
UPDATE made_otherwise SET v = 7 WHERE k = 'b';
DELETE FROM keyless LIMIT 1;
DROP TABLE keyless;
CREATE TABLE keyless (v INT) AS SELECT 1 AS v UNION ALL SELECT 1;
DELETE FROM keyless LIMIT 1;
DROP TABLE gone, also_gone;
DROP VIEW seen;
CREATE TABLE passing (id INT PRIMARY KEY);
INSERT INTO passing VALUES (1);
DROP TABLE passing;
CREATE TEMPORARY TABLE stays (id INT PRIMARY KEY);
DROP TEMPORARY TABLE stays;
UPDATE stays SET v = 3 WHERE id = 1;
CREATE DATABASE `${database}_other`;
CREATE TABLE `${database}_other`.stays (id INT PRIMARY KEY);
DROP TABLE `${database}_other`.stays;
DROP DATABASE `${database}_other`;
