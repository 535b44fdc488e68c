INSERT INTO t VALUES (1, 128, '漢字', 'a', '', 'ß', x'', '[]', -1.5, '2024-01-01 12:00:00.999', 1, '', '');
UPDATE t SET n = 200, name = 'x', e = 'a', s = 'y', l = 'é' WHERE id = 18446744073709551615;
INSERT INTO t (id) VALUES (2);
DELETE FROM t WHERE id = 1;
