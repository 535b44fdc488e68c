CREATE TABLE v (id INT PRIMARY KEY, twice INT AS (id * 2) VIRTUAL, thrice INT AS (id * 3) STORED);
