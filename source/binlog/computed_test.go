package binlog

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestComputes: rows are read again where a statement gives them values that only the
// server knows, and nowhere else.
func TestComputes(t *testing.T) {
	r := &run{cfg: Config{Choose: func(_ schema.TableID, column string) (*schema.Treatment, bool) { return nil, column != "secret" }}}
	id := &table{shape: &schema.Table{Columns: []schema.Column{{Name: "id"}, {Name: "v"}}}}
	for clause, want := range map[string]bool{
		"ADD x INT AS (id + 1)":                           true,
		"ADD x INT GENERATED ALWAYS AS (5) VIRTUAL":       true,
		"ADD (y INT, x INT AUTO_INCREMENT UNIQUE)":        true,
		"ADD x SERIAL":                                    true,
		"ADD x INT DEFAULT (5)":                           true,
		"ADD x DATETIME DEFAULT CURRENT_TIMESTAMP":        true,
		"ADD x DATETIME DEFAULT NOW() COMMENT 'now'":      true,
		"MODIFY v INT AS (id * 2) STORED":                 true,
		"CHANGE v w INT AS (id * 2)":                      true,
		"RENAME COLUMN v TO w, ADD v INT AS (id) VIRTUAL": true,
		"ADD secret INT AS (id)":                          false,
		"ADD v INT AS (id)":                               false, // IF NOT EXISTS: it is there
		"MODIFY x INT AS (id)":                            false,
		"MODIFY v DATETIME DEFAULT CURRENT_TIMESTAMP":     false,
		"MODIFY id BIGINT AUTO_INCREMENT":                 false,
		"ADD x INT COMMENT 'AS (id)'":                     false,
		"ADD x INT CHECK (x = (1) AS y)":                  false,
		"ADD x INT COLUMN_FORMAT DEFAULT":                 false,
		"ADD x INT COLUMN_FORMAT DEFAULT DEFAULT 5 FIRST": false,
		"ADD x BOOL DEFAULT TRUE":                         false,
		"ADD x BIT(3) DEFAULT b'101'":                     false,
		"ADD x BINARY(3) DEFAULT 0x41":                    false,
		"ADD x DOUBLE DEFAULT 1e3":                        false,
		"ADD x DATE DEFAULT DATE '2020-01-31'":            false,
		"ADD x INT DEFAULT -5":                            false,
		"ADD INDEX ((id + 1)), ALTER v SET DEFAULT (1)":   false,
	} {
		s := parseStatement(tokens([]byte("ALTER TABLE t "+clause), 0), "db")
		shape := &schema.Table{}
		for _, c := range id.shape.Columns {
			c.Name, _ = s.newName(c.Name)
			shape.Columns = append(shape.Columns, c)
		}
		require.Equal(t, want, r.computes(&table{shape: shape}, &s) != "", clause)
	}
}
