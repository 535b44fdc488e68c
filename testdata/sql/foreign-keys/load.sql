-- What foreign keys change by themselves, over several generations.
CREATE TABLE parents (id INT PRIMARY KEY, v INT, code VARCHAR(10) UNIQUE);
CREATE TABLE children (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE grandchildren (id INT PRIMARY KEY, child INT, v INT, FOREIGN KEY (child) REFERENCES children (id) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE keyed (parent INT, n INT, v INT, PRIMARY KEY (parent, n), FOREIGN KEY (parent) REFERENCES parents (id) ON UPDATE CASCADE);
CREATE TABLE coded (code VARCHAR(10), v INT, KEY (code), FOREIGN KEY (code) REFERENCES parents (code) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE tree (id INT PRIMARY KEY, above INT, FOREIGN KEY (above) REFERENCES tree (id) ON DELETE CASCADE);
INSERT INTO parents VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three'), (4, 4, NULL);
INSERT INTO children VALUES (10, 1), (11, 1), (20, 2), (30, 3), (31, 3), (90, NULL);
INSERT INTO grandchildren VALUES (100, 10, 0), (101, 10, 0), (110, 11, 0), (200, 20, 0), (300, 30, 0), (900, 90, 0);
INSERT INTO keyed VALUES (4, 1, 1), (4, 2, 2);
INSERT INTO coded VALUES ('one', 1), ('one', 1), ('two', 2), ('three', 3), (NULL, 4);
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, NULL), (6, 5);
