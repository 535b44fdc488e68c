XA START 'two phases'; INSERT INTO t VALUES (2, 2); XA END 'two phases'; XA PREPARE 'two phases'; XA COMMIT 'two phases';
