package e2e

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireSameRows compares every row of the database, as MySQL's own functions
// write it, and the columns, with what PyIceberg and DuckDB read from the lake.
func requireSameRows(t *testing.T, db *sql.DB, database, lake string) {
	t.Helper()
	requireSameDatabases(t, db, []string{database}, lake)
}

// requireSameDatabases does so for several at once, and returns what the readers see.
func requireSameDatabases(t *testing.T, db *sql.DB, databases []string, lake string) map[tableName]lakeTable {
	t.Helper()
	var tables []tableName
	for _, database := range databases {
		its := tablesOf(t, db, database)
		require.NotEmpty(t, its, "database %s", database)
		tables = append(tables, its...)
	}
	lakeTables := readLake(t, lake, tables)
	rows := 0
	for _, table := range tables {
		want, got := readSource(t, db, table), lakeTables[table]
		got.requireSeen(t, want, "table "+table.String())
		rows += len(want.rows)
	}
	require.False(t, t.Failed(), "the lake differs from the database")
	t.Logf("PyIceberg and DuckDB read the same as MySQL: %d tables, %d rows", len(tables), rows)
	return lakeTables
}

// sourceTable is a table as the server shows it, its rows in order.
type sourceTable struct{ columns, rows []string }

func readSource(t *testing.T, db *sql.DB, table tableName) (s sourceTable) {
	t.Helper()
	for _, c := range serverColumns(t, db, table) {
		s.columns = append(s.columns, c.Name)
	}
	s.rows = sourceRows(t, db, table)
	slices.Sort(s.rows)
	return s
}

// tableName is a table's name on both sides.
type tableName struct{ database, name string }

func (n tableName) String() string { return n.database + "." + n.name }

func firstDifferences(reader string, want, got []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "MySQL has %d rows, %s reads %d", len(want), reader, len(got))
	n := 0
	for _, side := range []struct {
		name string
		a, b []string
	}{{"only in MySQL", want, got}, {"only in the lake", got, want}} {
		for _, row := range side.a {
			if _, ok := slices.BinarySearch(side.b, row); !ok && n < 3 {
				fmt.Fprintf(&b, "\n%s: %.1500s", side.name, row)
				n++
			}
		}
		n = 0
	}
	return b.String()
}

func tablesOf(t *testing.T, db *sql.DB, database string) (names []tableName) {
	t.Helper()
	rows, err := db.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY 1", database)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		n := tableName{database: database}
		require.NoError(t, rows.Scan(&n.name))
		names = append(names, n)
	}
	require.NoError(t, rows.Err())
	return names
}

// sourceRows returns each row as a JSON list of texts. What text a value has is
// said once here, in SQL, and once in readTables, in Python; Beluga's own code has
// no part in it.
func sourceRows(t *testing.T, db *sql.DB, table tableName) (lines []string) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "SET time_zone = '+00:00'")
	require.NoError(t, err)
	stmt, err := conn.PrepareContext(t.Context(), fmt.Sprintf("SELECT %s FROM %s.%s", expressions(t, db, table), quoteName(table.database), quoteName(table.name)))
	require.NoError(t, err)
	defer stmt.Close()
	rows, err := stmt.Query() // prepared: as text, FLOAT would be rounded
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		require.NoError(t, rows.Scan(values...))
		list := make([]any, len(names))
		for i := range values {
			switch v := (*values[i].(*any)).(type) {
			case nil:
			case []byte:
				list[i] = string(v)
			case float32:
				list[i] = fmt.Sprintf("%08x", math.Float32bits(v))
			case float64:
				list[i] = fmt.Sprintf("%016x", math.Float64bits(v))
			default:
				t.Fatalf("column %s: unexpected %T", names[i], v)
			}
		}
		b, err := json.Marshal(list)
		require.NoError(t, err)
		lines = append(lines, plainJSON(t, b))
	}
	require.NoError(t, rows.Err())
	return lines
}

// plainJSON writes a list without Go's escaping of HTML, hex-encoded so that a
// row is one line and sorts the same everywhere.
func plainJSON(t *testing.T, b []byte) string {
	t.Helper()
	var list []*string
	require.NoError(t, json.Unmarshal(b, &list))
	parts := make([]string, len(list))
	for i, s := range list {
		if s == nil {
			parts[i] = "NULL"
		} else {
			parts[i] = "'" + hex.EncodeToString([]byte(*s))
		}
	}
	return strings.Join(parts, " ")
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func expressions(t *testing.T, db *sql.DB, table tableName) string {
	t.Helper()
	rows, err := db.Query("SELECT column_name, data_type, COALESCE(numeric_precision, 0), column_type LIKE '%zerofill%' FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", table.database, table.name)
	require.NoError(t, err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name, kind string
		var precision int
		var zerofill bool
		require.NoError(t, rows.Scan(&name, &kind, &precision, &zerofill))
		c := quoteName(name)
		if zerofill { // which is how it is shown, not what it is
			c = "(" + c + " + 0)"
		}
		switch kind {
		case "float", "double":
		case "year":
			c = fmt.Sprintf("CAST(%s + 0 AS CHAR)", c)
		case "bit":
			if precision == 1 {
				c = fmt.Sprintf("CAST(%s + 0 AS CHAR)", c)
			} else {
				c = fmt.Sprintf("LPAD(LOWER(HEX(%s + 0)), %d, '0')", c, (precision+7)/8*2)
			}
		case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
			c = fmt.Sprintf("LOWER(HEX(%s))", c)
		case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geomcollection":
			// From SRID, byte order, type and the rest to byte order, type with its bit, SRID and the rest.
			c = fmt.Sprintf("LOWER(IF(ST_SRID(%[1]s) = 0, SUBSTR(HEX(%[1]s), 9), CONCAT(SUBSTR(HEX(%[1]s), 9, 8), '20', SUBSTR(HEX(%[1]s), 1, 8), SUBSTR(HEX(%[1]s), 19))))", c)
		case "vector": // its bytes are those of its numbers
			c = fmt.Sprintf("LOWER(HEX(%s))", c)
		case "date":
			c = wholeDate(c, "%Y-%m-%d")
		case "time":
			c = fmt.Sprintf("TIME_FORMAT(%s, '%%H:%%i:%%s.%%f')", c)
		case "datetime", "timestamp":
			c = wholeDate(c, "%Y-%m-%d %H:%i:%s.%f")
		default:
			c = fmt.Sprintf("CAST(%s AS CHAR CHARACTER SET utf8mb4)", c)
		}
		list = append(list, c)
	}
	require.NoError(t, rows.Err())
	return strings.Join(list, ", ")
}

// wholeDate writes a date, and NULL for the dates that the lake does not have:
// zero ones, those without month or day, and days that their month lacks.
func wholeDate(column, format string) string {
	return fmt.Sprintf("IF(LAST_DAY(%[1]s) IS NULL OR DAYOFMONTH(%[1]s) NOT BETWEEN 1 AND DAYOFMONTH(LAST_DAY(%[1]s)), NULL, DATE_FORMAT(%[1]s, '%[2]s'))", column, format)
}
