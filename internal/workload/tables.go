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

	triggers []string
	// numbered: the key is an integer called id, so that it can be joined.
	numbered bool
	// origin is a table with the same columns, and originKey what of it becomes
	// the key here.
	origin, originKey string
	// line writes a row as LOAD DATA reads it; nil where it would need escaping.
	line func(r *rand.Rand, key []string) string
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
		{"c_decimal_most", "DECIMAL(65,30)", decimal(35, 30)},
		{"c_float", "FLOAT", float(32)},
		{"c_double", "DOUBLE", float(64)},
		{"c_bit1", "BIT(1)", bits(1)},
		{"c_bit", "BIT(13)", bits(13)},
		{"c_bit64", "BIT(64)", bits(64)},
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
		{"c_gbk", "VARCHAR(20) CHARACTER SET gbk", text(20, chinese)},
		{"c_sjis", "CHAR(20) CHARACTER SET sjis", text(20, japanese)},
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

// names lists the columns, those of the key first.
func (t *table) names() string {
	names := slices.Clone(t.key)
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func (t *table) columnList() string { return " (" + t.names() + ")" }

// insert is the beginning of an INSERT or a REPLACE.
func (t *table) insert(verb string) string {
	return verb + " INTO " + t.name + t.columnList() + " VALUES"
}

func (t *table) where(key []string) string { return strings.Join(t.pairs(key), " AND ") }

// from is a condition for so many rows from the key's first column on.
func (t *table) from(key []string, rows int) string {
	return fmt.Sprintf("%s >= %s ORDER BY %s LIMIT %d", t.key[0], key[0], strings.Join(t.key, ", "), rows)
}

func (t *table) setKey(key []string) string { return strings.Join(t.pairs(key), ", ") }

func (t *table) pairs(key []string) (list []string) {
	for i, k := range t.key {
		list = append(list, k+" = "+key[i])
	}
	return list
}
