XA START 'one phase'; INSERT INTO t VALUES (2, 2); UPDATE t SET v = 10 WHERE id = 1; XA END 'one phase'; XA COMMIT 'one phase' ONE PHASE;
XA BEGIN x'00ff', x'01', 7; INSERT INTO t VALUES (3, 3); XA END x'00ff', x'01', 7; XA COMMIT x'00ff', x'01', 7 ONE PHASE;
XA START 'undone'; DELETE FROM t; XA END 'undone'; XA ROLLBACK 'undone';
INSERT INTO t VALUES (4, 4);
