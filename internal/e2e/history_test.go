package e2e

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// shownColumn is a column as beluga tables --json shows it.
type shownColumn struct {
	Name, Type string
	Nullable   bool
	Key        int
	FieldID    int `json:"field_id"`
	Field      string
	FieldType  string `json:"field_type"`
}

// TestTableHistory alters a table while beluga runs and while it does not, over each
// transport: the lake remembers every shape, with statement, transaction and field ids,
// and the run tells of each as a notification.
func TestTableHistory(t *testing.T) {
	server := servers.MySQL(t)
	for name, options := range map[string][]string{"direct": nil, "embedded": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := "e2e_history_" + name
			lake, args := shop(t, server, database)
			runs(t, append(command("run", args, "--once", "--names-column-prefix", "c_"), options...)...)
			exec := func(sql string) { server.Exec(t, strings.ReplaceAll(sql, "DB", database)) }
			exec("ALTER TABLE DB.a RENAME COLUMN v TO `größe`, ADD COLUMN note VARCHAR(7) CHARACTER SET latin1 FIRST; UPDATE DB.a SET note = 'x' WHERE id = 1")
			p := start(t, append(command("run", args, "--names-column-prefix", "c_", "--notify-log", "--http", "127.0.0.1:0", "--commit-interval", "100ms"), options...)...)
			p.says(t, "following the binlog")
			exec("ALTER /* twice */ TABLE DB.a\n DROP COLUMN w; ALTER TABLE DB.b COMMENT 'x', ADD INDEX (v); INSERT INTO DB.a VALUES ('y', 3, 3); CREATE TABLE DB.c (id INT UNSIGNED, d DECIMAL(9,2) NOT NULL, k CHAR(3) NOT NULL, PRIMARY KEY (k, id)); INSERT INTO DB.c VALUES (1, 2, 'a')")
			p.until(t, "the new table", func() bool {
				return strings.Contains(runs(t, "status", "--to", lake), database+".c ") && strings.Contains(p.out.String(), "table created")
			})
			exec("CREATE TABLE DB.gone (id INT PRIMARY KEY); TRUNCATE DB.c; ALTER TABLE DB.c MODIFY id INT UNSIGNED NOT NULL AFTER k, MODIFY k CHAR(4) NOT NULL, MODIFY d DECIMAL(10,2) NOT NULL, ADD COLUMN e INT, ADD COLUMN f INT; DROP TABLE DB.gone; ALTER TABLE DB.b MODIFY w INT NOT NULL, DROP PRIMARY KEY, ADD PRIMARY KEY (w)")
			p.says(t, `change:key changed`)
			_, metrics := fetch(t, "http://"+regexp.MustCompile(`msg=listening.* address=(\S+)`).FindStringSubmatch(p.out.String())[1]+"/metrics")
			p.terminate(t)
			runs(t, append(command("run", args, "--once", "--names-column-prefix", "c_"), options...)...) // what no cut held yet
			said := p.out.String()
			requireCounts(t, metrics, database, []string{
				"a column_added 1", "a column_dropped 1", "a column_renamed 1", "b key_changed 1", "c column_added 2", "c columns_moved 1", "c table_created 1", "c table_truncated 1", "c type_changed 1",
				"gone table_created 1", "gone table_dropped 1"})
			require.Contains(t, said, "kinds:table_truncated")
			require.Contains(t, said, `column note added`)
			require.Contains(t, said, `change:column w dropped`)
			require.Contains(t, said, `aggregate="Schema Change" type=COMPLETED`)
			require.NotContains(t, said, "ADD INDEX", "readers see nothing of it")

			var tables []struct {
				Table    string
				Versions []struct {
					Number              int
					Position, Statement string
					Time                time.Time
					Columns             []shownColumn
				}
			}
			require.NoError(t, json.Unmarshal([]byte(runs(t, "tables", "a", database+".c", "--history", "--json", "--to", lake)), &tables))
			require.Len(t, tables, 2)
			require.Len(t, tables[0].Versions, 3)
			uuid := regexp.MustCompile(`^[0-9a-f-]{36}:\d+$`)
			for i, want := range []string{"ALTER /* twice */ TABLE " + database + ".a\n DROP COLUMN w", "ALTER TABLE " + database + ".a RENAME COLUMN v TO `größe`, ADD COLUMN note VARCHAR(7) CHARACTER SET latin1 FIRST", ""} {
				v := tables[0].Versions[i]
				require.Equal(t, want, v.Statement)
				require.Equal(t, 3-i, v.Number)
				require.False(t, v.Time.IsZero())
				if want != "" {
					require.Regexp(t, uuid, v.Position)
				}
			}
			id := shownColumn{Name: "id", Type: "int", Key: 1, FieldID: 1, Field: "c_id", FieldType: "int"}
			note := shownColumn{Name: "note", Type: "varchar(7) latin1", Nullable: true, FieldID: 4, Field: "c_note", FieldType: "string"}
			v := shownColumn{Name: "v", Type: "int", Nullable: true, FieldID: 2, Field: "c_v", FieldType: "int"}
			w := shownColumn{Name: "w", Type: "int", Nullable: true, FieldID: 3, Field: "c_w", FieldType: "int"}
			renamed := shownColumn{Name: "größe", Type: "int", Nullable: true, FieldID: 2, Field: "c_größe", FieldType: "int"}
			require.Equal(t, []shownColumn{id, v, w}, tables[0].Versions[2].Columns)
			require.Equal(t, []shownColumn{note, id, renamed, w}, tables[0].Versions[1].Columns)
			require.Equal(t, []shownColumn{note, id, renamed}, tables[0].Versions[0].Columns)
			require.Len(t, tables[1].Versions, 2)
			require.Contains(t, tables[1].Versions[1].Statement, "CREATE TABLE "+database+".c (id INT UNSIGNED")

			text := runs(t, "tables", "--history", "--to", lake)
			require.Contains(t, text, "    ALTER /* twice */ TABLE "+database+".a DROP COLUMN w\n    4  note   varchar(7) latin1   →  c_note   string\n    1  id     int not null key 1  →  c_id     int\n    2  größe  int                 →  c_größe  int\n")
			require.Contains(t, text, "    3  k   char(3) not null key 1       →  c_k   string\n")
			require.NotContains(t, runs(t, "tables", "--to", lake), "RENAME COLUMN", "only the newest shape")
			require.Contains(t, runs(t, "status", "--json", "--to", lake), `"versions": 3`)
			require.Equal(t, usage, start(t, "tables", "none", "--to", lake).wait(t))
		})
	}
}

// requireCounts compares the counts of changes of tables, as Prometheus reads them.
func requireCounts(t *testing.T, metrics, database string, want []string) {
	t.Helper()
	require.Contains(t, metrics, "# TYPE beluga_schema_changes_total counter\n")
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^beluga_schema_changes_total\{kind="([^"]*)",table="([^"]*)"\} (\d+)$`).FindAllStringSubmatch(metrics, -1) {
		got = append(got, strings.TrimPrefix(m[2], database+".")+" "+m[1]+" "+m[3])
	}
	require.ElementsMatch(t, want, got)
}
