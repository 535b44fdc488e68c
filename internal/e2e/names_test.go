package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestNames gives tables and columns other names in the lake, over each transport:
// verify and a reader that is not ours find the same rows under them, also after columns
// came and were renamed. Other rules than the lake was made with are refused, and a
// column whose new name is another's stops the run until it has one of its own.
func TestNames(t *testing.T) {
	server := servers.MySQL(t)
	for name, options := range map[string][]string{"direct": nil, "embedded": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := "E2E_names_" + name
			lower := strings.ToLower(database)
			server.Exec(t, strings.ReplaceAll("DROP DATABASE IF EXISTS DB; CREATE DATABASE DB; USE DB; CREATE TABLE Orders (`Id` INT PRIMARY KEY, `Unit Price` DECIMAL(10,2), note TEXT, `größe` INT);"+
				"INSERT INTO Orders VALUES (1, 1.5, 'a', 7), (2, NULL, 'b', NULL), (3, 3, 'c', 9); CREATE TABLE log (Line VARCHAR(20)); INSERT INTO log VALUES ('x'), ('x'); CREATE TABLE items LIKE Orders;", "DB", database))
			args := []string{"--from", server.URL(database), "--to", t.TempDir() + "/lake"}
			lake := args[3]
			names := []string{"--names-case", "lower", "--names-sanitize", "--names-namespace-prefix", "raw_", "--names-tables", database + `\.(items)=lake.$1_v1`,
				"--names-column-prefix", "c_", "--names-rename", database + ".Orders.note=Comment"}
			runs(t, command("check", args, names...)...)
			run := append(command("run", args, "--once"), options...)
			runs(t, append(slices.Clone(run), names...)...)
			server.Exec(t, strings.ReplaceAll("USE DB; UPDATE Orders SET note = 'd' WHERE Id = 1; DELETE FROM Orders WHERE Id = 2; DELETE FROM log LIMIT 1; INSERT INTO items VALUES (1, 1, 'i', 1);"+
				"ALTER TABLE Orders RENAME COLUMN `Unit Price` TO `Price!`, ADD COLUMN `Né` INT NOT NULL DEFAULT 4 FIRST; INSERT INTO Orders VALUES (5, 4, 4.25, 'e', 1)", "DB", database))
			runs(t, append(slices.Clone(run), names...)...)

			orders := database + ".Orders as raw_" + lower + ".orders"
			out := runs(t, command("verify", args)...)
			require.Contains(t, out, orders+": equal, 3 rows")
			require.Contains(t, out, database+".items as raw_lake.items_v1: equal, 1 row")
			require.Contains(t, runs(t, "status", "--to", lake), orders+"  ")
			require.Contains(t, runs(t, "status", "--to", lake, "--json"), `"lake_table": "raw_lake.items_v1"`)
			require.Contains(t, runs(t, "status", "--to", lake, "--snippets=pyiceberg"), "raw_"+lower)
			requireNamed(t, server, lake, database, map[string]map[string]int{
				"Orders": {"c_id": 1, "c_price_": 2, "Comment": 3, "c_gr__e": 4, "c_n_": 5}, "log": {"c_line": 1}, "items": {"c_id": 1, "c_unit_price": 2, "c_note": 3, "c_gr__e": 4}},
				map[string]tableName{"Orders": {"raw_" + lower, "orders"}, "log": {"raw_" + lower, "log"}, "items": {"raw_lake", "items_v1"}})

			// Other rules for what is there, and for what is not there yet.
			const otherwise = "table DB.Orders: its column Né stands there as c_n_, and would now be called c_N_"
			upper := append(slices.Clone(names), "--names-case", "upper", "--names-rename", database+".Orders="+"raw_"+lower+".orders")
			for _, p := range []*process{start(t, append(slices.Clone(run), upper...)...), start(t, command("check", args, upper...)...)} {
				require.Equal(t, fault, p.wait(t), p.out.String())
				require.Contains(t, p.out.String(), strings.ReplaceAll(otherwise, "DB", database))
				require.Contains(t, p.out.String(), "it stands there as raw_lake.items_v1, and would now be called raw_LAKE.ITEMS_V1", "all at once")
				require.Equal(t, 1, strings.Count(p.out.String(), "remedy: set them as they were, or load all tables into an empty lake"))
			}

			server.Exec(t, strings.ReplaceAll("ALTER TABLE DB.Orders ADD COLUMN price_ INT", "DB", database))
			p := start(t, append(slices.Clone(run), names...)...)
			require.Equal(t, fault, p.wait(t), p.out.String())
			require.Contains(t, p.out.String(), "table "+database+".Orders: column Price! and column price_ would all be called c_price_ in the lake; give one of them another name with --names-rename, or leave it out")
			names = append(names, "--names-rename", database+".Orders.PRICE_=price")
			runs(t, append(slices.Clone(run), names...)...)
			require.Contains(t, runs(t, command("verify", args)...), orders+": equal, 3 rows")
			requireNamed(t, server, lake, database, map[string]map[string]int{"Orders": {"c_id": 1, "c_price_": 2, "Comment": 3, "c_gr__e": 4, "c_n_": 5, "price": 6}},
				map[string]tableName{"Orders": {"raw_" + lower, "orders"}})
		})
	}
}

// requireNamed compares tables under their names in the lake with the server's.
func requireNamed(t *testing.T, server *servers.MySQLServer, lake, database string, fields map[string]map[string]int, at map[string]tableName) {
	t.Helper()
	db := server.DB(t)
	read := readLake(t, lake, slices.Collect(maps.Values(at)))
	for table, want := range fields {
		require.ElementsMatch(t, sourceRows(t, db, tableName{database, table}), read[at[table]].Rows, table)
		require.Equal(t, fieldIDs(want), read[at[table]].Fields, table)
	}
}

// TestNamesThatCollide: all of them are told before anything is made.
func TestNamesThatCollide(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP DATABASE IF EXISTS e2e_collide; CREATE DATABASE e2e_collide; USE e2e_collide; CREATE TABLE `a b` (id INT PRIMARY KEY); CREATE TABLE `a_b` LIKE `a b`; CREATE TABLE A_b LIKE `a b`;"+
		"CREATE TABLE x (id INT PRIMARY KEY, `v?` INT, `v!` INT); CREATE TABLE y (id INT PRIMARY KEY)")
	args := []string{"--from", server.URL("e2e_collide"), "--to", t.TempDir() + "/lake", "--names-sanitize", "--names-case", "lower", "--names-rename", "e2e_collide.y=_beluga.y"}
	const columns, tables, reserved = "table e2e_collide.x: column v! and column v? would all be called v_ in the lake; give one of them another name with --names-rename, or leave it out",
		"tables: e2e_collide.A_b and e2e_collide.a b and e2e_collide.a_b would all be called e2e_collide.a_b in the lake; give one of them another name with --names-rename, or leave it out",
		"table e2e_collide.y: the namespace _beluga is Beluga's own; leave the database out of the captured ones, or give it another name in the lake with --names-tables"
	refused(t, nil, fault, "beluga: "+columns+"\n"+reserved+"\n"+tables+"\n", command("run", args, "--once")...)
	refused(t, nil, fault, "ok       server: can be replicated\nFAULT    "+columns+"\nFAULT    "+reserved+"\nFAULT    "+tables+"\nok       lake: nothing of pipeline beluga yet\nbeluga: check: 3 of the above must be repaired first\n",
		command("check", args)...)
	runs(t, command("run", args, "--once", "--names-rename", "e2e_collide.a b=one.x,e2e_collide.A_b=one.y,e2e_collide.x.v!=v2", "--tables-exclude", `.*\.y`)...)
	require.Contains(t, runs(t, command("verify", args[:4], "--tables-exclude", `.*\.y`)...), "equal: 4 tables, 0 rows")
}
