SET SESSION binlog_row_image = MINIMAL;
UPDATE t SET v = 2;
