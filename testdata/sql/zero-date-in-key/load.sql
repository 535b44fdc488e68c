SET sql_mode = '';
CREATE TABLE dates (d DATE, t DATETIME, v INT, PRIMARY KEY (d, t));
INSERT INTO dates VALUES ('2024-01-01', '2024-01-01', 1);
