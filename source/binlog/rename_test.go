package binlog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestRenamed: the names of one statement are given one after the other, and what counts
// is which table stands under each of them at the end.
func TestRenamed(t *testing.T) {
	for statement, want := range map[string]string{
		"RENAME TABLE a TO b":                          "b; a",
		"RENAME TABLE a TO x.a, b TO y.b":              "x.a y.b; a b",
		"RENAME TABLE a TO c, b TO a, c TO b":          "a b; c",
		"RENAME TABLE a TO _a_del, _a_gho TO a":        "a _a_del; _a_gho",
		"RENAME TABLE a TO b, b TO a":                  "; b",
		"RENAME TABLE a TO b, b TO c, d TO a":          "a c; b d",
		"ALTER TABLE a ADD n INT, RENAME TO b":         "b; a",
		"ALTER TABLE a RENAME AS a":                    ";",
		"ALTER TABLE a RENAME TO b, RENAME c":          "c; a",
		"RENAME TABLE a TO t, b TO a, c TO b, t TO c;": "a b c; t",
	} {
		q := query{text: []byte(statement), database: "db"}
		s := parseStatement(q.tokens(), q.database)
		shown, gone := renamed(s.tables, s.targets)
		require.Equal(t, want, strings.TrimSpace(list(shown))+";"+list(gone), statement)
	}
}

// list leaves the name of the current database out.
func list(ids []schema.TableID) (text string) {
	for _, id := range ids {
		text += " " + strings.TrimPrefix(id.String(), "db.")
	}
	return text
}
