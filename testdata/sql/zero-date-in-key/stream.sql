SET sql_mode = '';
INSERT INTO dates VALUES ('0000-00-00', '0000-00-00', 2);
