package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestTypes takes columns that are read, carried or written in a way of their
// own through load and stream, directly and through the log, and reads the lake
// with a reader that is not ours.
func TestTypes(t *testing.T) {
	for _, option := range [][]string{nil, {"--kafka", "embedded"}} {
		database := "e2e_types" + strings.ReplaceAll(strings.Join(option, ""), "--", "_")
		t.Run(database, func(t *testing.T) { replicateTypes(t, database, option) })
	}
}

func replicateTypes(t *testing.T, database string, options []string) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database+" CHARACTER SET utf8mb4; USE "+database+`;
		CREATE TABLE texts (id INT PRIMARY KEY, g VARCHAR(20) CHARACTER SET gbk, s CHAR(5) CHARACTER SET sjis, u TEXT CHARACTER SET ucs2, l VARCHAR(9) CHARACTER SET utf16le,
			k CHAR(100) CHARACTER SET utf32, h VARCHAR(9) CHARACTER SET hebrew, e ENUM('я','ф') CHARACTER SET cp1251, v SET('中','文') CHARACTER SET gb18030);
		CREATE TABLE codes (k VARCHAR(9) CHARACTER SET koi8r PRIMARY KEY, n INT);
		CREATE TABLE places (id INT PRIMARY KEY, p POINT, s POINT NOT NULL SRID 4326, g GEOMETRY, after INT);
		CREATE TABLE computed (id INT PRIMARY KEY COMMENT 'the ''key''', a INT NOT NULL DEFAULT 7 COMMENT 'größe', b VARCHAR(9) DEFAULT 'x''y', hidden DECIMAL(9,2) INVISIBLE DEFAULT 1.5,
			twice BIGINT GENERATED ALWAYS AS (a * 2) VIRTUAL, upper_b VARCHAR(20) GENERATED ALWAYS AS (CONCAT(UPPER(b), '!')) STORED,
			j JSON DEFAULT (JSON_OBJECT('a', 1)), ja INT GENERATED ALWAYS AS (j->'$.a') VIRTUAL INVISIBLE, made DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)) COMMENT 'sums'`)
	rows := func(first string) {
		server.Exec(t, "USE "+database+"; SET @i = "+first+`;
			INSERT INTO texts VALUES (@i, '中文', '表ｱ ', 'фЖ', '中😀', '中😀 ', 'עברית', 'ф', '中,文'), (@i + 1, '', '', '', '', '', '', 'я', ''), (@i + 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
			INSERT INTO codes VALUES (CONCAT('Ключ', @i), 1), (CONCAT('ключ!', @i), 2);
			INSERT INTO places VALUES (@i, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(1 2)', 4326), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 3857), 1),
				(@i + 1, NULL, ST_GeomFromText('POINT(-90 180)', 4326), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))'), 2), (@i + 2, NULL, ST_GeomFromText('POINT(0 0)', 4326), NULL, 3);
			INSERT INTO computed (id) VALUES (@i), (@i + 1); INSERT INTO computed (id, a, b, hidden) VALUES (@i + 2, -1, NULL, NULL)`)
	}
	rows("1")
	lake := filepath.Join(t.TempDir(), "lake")
	args := append([]string{"--from", server.URL(database), "--to", lake, "--name", database}, options...)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args[:6])...), "equal: 4 tables, 11 rows")
	requireSameRows(t, server.DB(t), database, lake)

	rows("10")
	server.Exec(t, "USE "+database+`; UPDATE texts SET g = '龍', u = 'ё' WHERE id IN (1, 10); DELETE FROM texts WHERE id = 11;
		UPDATE codes SET k = CONCAT(k, 'ъ') WHERE n = 2; DELETE FROM codes WHERE k = 'Ключ1';
		UPDATE places SET p = s, after = 9 WHERE id = 2; UPDATE places SET p = ST_GeomFromText('POINT(7 7)') WHERE id = 12; DELETE FROM places WHERE id = 3;
		UPDATE computed SET a = a + 1, b = 'ß' WHERE id < 11; UPDATE computed SET hidden = 9, j = '{"a": 5}' WHERE id = 2`)
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args[:6])...), "equal: 4 tables, 19 rows")
	requireSameRows(t, server.DB(t), database, lake)
	require.Equal(t, "the 'key'|größe", strings.TrimSpace(runPython(t, servers.Python(t, readers...), `
import sys
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("beluga", uri=f"sqlite:///{sys.argv[1]}/catalog.db", warehouse=f"file://{sys.argv[1]}")
print("|".join(f.doc for f in catalog.load_table((sys.argv[2], "computed")).schema().fields[:2]))
`, lake, database)))
}
