package e2e

import (
	"database/sql"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireSameShapes compares the tables' columns, as the lake remembers them and as
// PyIceberg sees them, with those that information_schema shows: names, order, types and
// which may be NULL.
func requireSameShapes(t *testing.T, db *sql.DB, lake string, read map[tableName]lakeTable) {
	t.Helper()
	var tables []struct {
		Table    string
		Versions []struct{ Columns []shownColumn }
	}
	require.NoError(t, json.Unmarshal([]byte(runs(t, "tables", "--json", "--to", lake)), &tables))
	require.Len(t, tables, len(read))
	for _, table := range tables {
		database, name, _ := strings.Cut(table.Table, ".")
		id := tableName{database, name}
		require.Len(t, table.Versions, 1, id)
		types, fields := columnTypes{}, fieldIDs{}
		var got []shownColumn
		for _, c := range table.Versions[0].Columns {
			types[c.Field], fields[c.Field] = c.FieldType, c.FieldID
			got = append(got, shownColumn{Name: c.Name, Type: c.Type, Nullable: c.Nullable})
		}
		require.Equal(t, serverColumns(t, db, id), got, id)
		require.Equal(t, read[id].Types, types, id)
		require.Equal(t, read[id].Fields, fields, id)
	}
}

// unlogged is what information_schema says of types that the binlog does not, and the
// lake has no use for.
var unlogged = regexp.MustCompile(`^(tinyint|vector)\([0-9]+\)|^(?:multi)?(?:point|linestring|polygon)$|^geom(?:etry)?collection$| zerofill`)

// serverColumns returns the columns that information_schema shows.
func serverColumns(t *testing.T, db *sql.DB, table tableName) (columns []shownColumn) {
	t.Helper()
	rows, err := db.Query("SELECT column_name, column_type, is_nullable = 'YES', COALESCE(character_set_name, 'utf8mb4') FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", table.database, table.name)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var c shownColumn
		var charset string
		require.NoError(t, rows.Scan(&c.Name, &c.Type, &c.Nullable, &charset))
		if c.Type = unlogged.ReplaceAllString(c.Type, "$1"); c.Type == "" {
			c.Type = "geometry"
		}
		if charset != "utf8mb4" {
			c.Type += " " + charset
		}
		columns = append(columns, c)
	}
	require.NoError(t, rows.Err())
	return columns
}
