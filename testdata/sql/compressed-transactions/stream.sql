SET SESSION binlog_transaction_compression = ON;
INSERT INTO t VALUES (2, REPEAT('y', 2000), 2.5, '[1]'), (3, '', NULL, NULL);
BEGIN; UPDATE t SET v = CONCAT(v, 'z') WHERE id = 3; INSERT INTO u VALUES (1, REPEAT(x'00', 60000)); DELETE FROM t WHERE id = 1; UPDATE t SET id = 20 WHERE id = 2; COMMIT;
CREATE TABLE made (PRIMARY KEY (id)) SELECT id, v FROM t;
SET SESSION binlog_transaction_compression_level_zstd = 19;
INSERT INTO u SELECT id + 1, b FROM u;
SET SESSION binlog_transaction_compression = OFF;
INSERT INTO u VALUES (9, '');
