DROP DATABASE IF EXISTS `${database}_other`;
CREATE DATABASE `${database}_other`;
CREATE TABLE `${database}_other`.t (id INT PRIMARY KEY, v INT, w JSON);
CREATE TABLE `${database}_other`.keyless (v GEOMETRY);
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO t VALUES (1, 'a'), (2, 'b');
