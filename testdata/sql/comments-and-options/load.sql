CREATE TABLE commented (id INT PRIMARY KEY COMMENT 'the key; with "quotes" and ''apostrophes''', v INT COMMENT '') COMMENT = 'a table''s comment 漢字' ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8 STATS_PERSISTENT = 0;
INSERT INTO commented VALUES (1, 1), (2, 2);
CREATE TABLE checked (id INT PRIMARY KEY, v INT CHECK (v > 0), w VARCHAR(30), FULLTEXT KEY (w), UNIQUE KEY (v), KEY backwards (v DESC, w(5)));
INSERT INTO checked VALUES (1, 1, 'some words'), (2, 2, 'more words');
