package workload

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// table is a table of the workload. Keys come from a small space, so that rows
// meet the same key again and again.
type table struct {
	name    string
	ddl     string
	key     []string
	copies  bool                                   // rows may be alike
	newKey  func(r *rand.Rand, space int) []string // literals
	columns []column                               // those outside the key
}

// column is a column and how a value of it is made.
type column struct {
	name, ddl string
	value     func(r *rand.Rand) string // a literal
}

// everyType is a column of each type.
func everyType() []column {
	return []column{
		{"c_tinyint", "TINYINT", signed(8)},
		{"c_tinyint_u", "TINYINT UNSIGNED", unsigned(8)},
		{"c_smallint", "SMALLINT", signed(16)},
		{"c_smallint_u", "SMALLINT UNSIGNED", unsigned(16)},
		{"c_mediumint", "MEDIUMINT", signed(24)},
		{"c_mediumint_u", "MEDIUMINT UNSIGNED", unsigned(24)},
		{"c_int", "INT", signed(32)},
		{"c_int_u", "INT UNSIGNED", unsigned(32)},
		{"c_bigint", "BIGINT", signed(64)},
		{"c_bigint_u", "BIGINT UNSIGNED", unsigned(64)},
		{"c_decimal", "DECIMAL(10,2)", decimal(8, 2)},
		{"c_decimal_wide", "DECIMAL(38,10)", decimal(28, 10)},
		{"c_decimal_whole", "DECIMAL(20,0)", decimal(20, 0)},
		{"c_float", "FLOAT", float(32)},
		{"c_double", "DOUBLE", float(64)},
		{"c_bit1", "BIT(1)", bits(1)},
		{"c_bit", "BIT(13)", bits(13)},
		{"c_year", "YEAR", year},
		{"c_date", "DATE", date},
		{"c_time", "TIME", timeOfDay(0)},
		{"c_time6", "TIME(6)", timeOfDay(6)},
		{"c_datetime", "DATETIME", dateTime(0)},
		{"c_datetime6", "DATETIME(6)", dateTime(6)},
		{"c_timestamp", "TIMESTAMP NULL", timestamp(0)},
		{"c_timestamp3", "TIMESTAMP(3) NULL", timestamp(3)},
		{"c_char", "CHAR(10)", text(10, letters)},
		{"c_varchar", "VARCHAR(100)", text(100, letters)},
		{"c_latin1", "VARCHAR(50) CHARACTER SET latin1", text(50, latin)},
		{"c_tinytext", "TINYTEXT", text(40, letters)},
		{"c_text", "TEXT", text(300, letters)},
		{"c_mediumtext", "MEDIUMTEXT", text(500, letters)},
		{"c_longtext", "LONGTEXT CHARACTER SET latin1", text(60, latin)},
		{"c_binary", "BINARY(8)", binary(8, 8)},
		{"c_varbinary", "VARBINARY(20)", binary(0, 20)},
		{"c_tinyblob", "TINYBLOB", binary(0, 20)},
		{"c_blob", "BLOB", binary(0, 200)},
		{"c_enum", "ENUM('small','medium','x-large','größe')", oneOf("'small'", "'medium'", "'x-large'", "'größe'")},
		{"c_set", "SET('a','b','c d','é')", oneOf("''", "'a'", "'a,b'", "'c d'", "'a,c d,é'")},
		{"c_json", "JSON", json},
		{"c_vector", "VECTOR(8)", vector},
		{"c_point", "POINT SRID 4326", geometry(point, 4326)},
		{"c_geometry", "GEOMETRY", geometry(anyShape, 0, 4326, 3857)},
	}
}

// tables returns the workload's tables.
func tables(plain bool) []table {
	all := everyType()
	if plain {
		all = slices.DeleteFunc(all, func(c column) bool { return c.name == "c_vector" || c.name == "c_point" || c.name == "c_geometry" })
	}
	few := []column{
		{"note", "VARCHAR(200) NOT NULL DEFAULT ''", text(200, letters)},
		{"n", "INT NOT NULL DEFAULT 0", signed(20)},
		{"price", "DECIMAL(12,4)", decimal(8, 4)},
		{"changed", "DATETIME(6)", dateTime(6)},
	}
	list := []table{
		newTable("by_integer", all, []string{"id BIGINT NOT NULL AUTO_INCREMENT"}, func(r *rand.Rand, n int) []string {
			return []string{fmt.Sprint(1 + r.IntN(n))}
		}),
		newTable("by_string", all, []string{"code VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"}, func(r *rand.Rand, n int) []string {
			// Case, accents and spaces at the end make keys of their own here.
			return []string{quote(fmt.Sprintf("%s-%d%s", pick(r, "Äpfel", "äpfel", "apfel", "APFEL"), r.IntN(1+n/8), pick(r, "", " ")))}
		}),
		newTable("by_several", all, []string{"shop SMALLINT UNSIGNED NOT NULL", "day DATE NOT NULL", "code CHAR(8) NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{fmt.Sprint(r.IntN(5)), fmt.Sprintf("'2026-01-%02d'", 1+r.IntN(28)), quote(fmt.Sprint("x", r.IntN(1+n/140)))}
		}),
		newTable("by_bytes", few, []string{"id BINARY(16) NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{fmt.Sprintf("x'%032x'", r.IntN(n)*256)} // zero bytes at the end, which the binlog drops
		}),
		newTable("by_decimal", few, []string{"id DECIMAL(24,4) NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{fmt.Sprintf("%d.%04d", r.IntN(n)-n/2, r.IntN(2)*5000)}
		}),
		// What MySQL takes for the key where there is no primary one. Its collation
		// takes all the spellings for one, and an update may write another.
		constrained("by_unique", "UNIQUE KEY", few, []string{"code VARCHAR(20) COLLATE utf8mb4_0900_ai_ci NOT NULL", "shop INT NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{quote(fmt.Sprint(pick(r, "Äpfel", "äpfel", "apfel", "APFEL"), r.IntN(1+n/4))), fmt.Sprint(r.IntN(4))}
		}),
		// Without any key, and with few values, so that most rows are there many times.
		constrained("alike", "KEY", []column{
			{"n", "INT", oneOf("1", "2")},
			{"x", "FLOAT", oneOf("0.1", "-0e0")},
			{"doc", "JSON", oneOf(`'{"a": 1.0}'`, `'[]'`)},
			{"day", "DATE", oneOf("'1000-01-01'")},
		}, []string{"kind VARCHAR(10)", "part INT"}, func(r *rand.Rand, n int) []string {
			return []string{quote(pick(r, "one", "two", "three")), fmt.Sprint(r.IntN(1 + n/150))}
		}),
		constrained("without_key", "KEY", all, []string{"part INT NOT NULL"}, func(r *rand.Rand, n int) []string {
			return []string{fmt.Sprint(r.IntN(1 + n/30))}
		}),
		newTable("hot", few, []string{"shard INT NOT NULL", "name VARCHAR(20) NOT NULL"}, func(r *rand.Rand, _ int) []string {
			return []string{fmt.Sprint(r.IntN(3)), quote(pick(r, "one", "two", "three"))}
		}),
	}
	for _, name := range []string{"sbtest1", "sbtest2"} {
		list = append(list, newTable(name, []column{
			{"k", "INT NOT NULL DEFAULT 0, KEY (k)", signed(20)},
			{"c", "CHAR(120) NOT NULL DEFAULT ''", text(119, digits)},
			{"pad", "CHAR(60) NOT NULL DEFAULT ''", text(59, digits)},
		}, []string{"id INT NOT NULL AUTO_INCREMENT"}, func(r *rand.Rand, n int) []string { return []string{fmt.Sprint(1 + r.IntN(n))} }))
	}
	return list
}

func newTable(name string, columns []column, key []string, newKey func(*rand.Rand, int) []string) table {
	return constrained(name, "PRIMARY KEY", columns, key, newKey)
}

// constrained returns a table whose key columns have the given kind of index.
func constrained(name, index string, columns []column, key []string, newKey func(*rand.Rand, int) []string) table {
	t := table{name: name, columns: columns, newKey: newKey}
	var lines []string
	for _, k := range key {
		lines = append(lines, k)
		column, _, _ := strings.Cut(k, " ")
		t.key = append(t.key, column)
	}
	for _, c := range columns {
		lines = append(lines, c.name+" "+c.ddl)
	}
	t.copies = index == "KEY"
	lines = append(lines, index+" ("+strings.Join(t.key, ", ")+")")
	t.ddl = fmt.Sprintf("CREATE TABLE %s (%s) CHARACTER SET utf8mb4", name, strings.Join(lines, ", "))
	return t
}
