package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestRowFilter loads some rows of two tables, in chunks and in one piece. What
// happens later to rows that were left out is replicated, also what has nothing
// to happen to in the lake.
func TestRowFilter(t *testing.T) {
	server := servers.MySQL(t)
	for name, options := range map[string][]string{"direct": nil, "embedded": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			database := "e2e_filter_" + name
			server.Exec(t, strings.ReplaceAll(`DROP DATABASE IF EXISTS DB; CREATE DATABASE DB; USE DB;
				CREATE TABLE orders (code VARCHAR(9) PRIMARY KEY, year INT, note VARCHAR(20));
				INSERT INTO orders VALUES ('a', 2023, 'x'), ('b', 2024, 'x'), ('c', 2025, 'y,z'), ('d', 2023, 'y,z'), ('e', 2024, 'x'), ('f', 2025, NULL), ('g', 2022, 'x'), ('h', 2021, 'y,z');
				CREATE TABLE bits (b BIT(8) PRIMARY KEY, n INT); INSERT INTO bits VALUES (1, 1), (2, 2), (3, NULL);
				CREATE TABLE whole (id INT PRIMARY KEY); INSERT INTO whole VALUES (1), (2)`, "DB", database))
			lake := filepath.Join(t.TempDir(), "lake")
			args := []string{"--from", server.URL(database), "--to", lake,
				"--snapshot-filter", database + `\.orders where year >= 2024 OR note = 'y,z' AND code < 'h' -- the last years`, "--snapshot-filter", `.*\.bits WHERE n IN (2, 3)`}
			runs(t, command("check", args)...)
			run := append(append([]string{"run", "--once", "--snapshot-chunk-rows", "2"}, args...), options...)
			runs(t, run...)
			codes := func() (list []string) {
				for _, row := range readerRows(t, lake, database, "orders") {
					list = append(list, strings.Fields(row)[0])
				}
				return list
			}
			of := func(codes string) (list []string) {
				for _, c := range strings.Split(codes, "") {
					list = append(list, "'"+hexOf(c))
				}
				return list
			}
			require.ElementsMatch(t, of("bcdef"), codes())
			require.Len(t, readerRows(t, lake, database, "bits"), 1)

			server.Exec(t, strings.ReplaceAll(`USE DB; UPDATE orders SET note = 'changed' WHERE code IN ('a', 'b'); DELETE FROM orders WHERE code IN ('g', 'c');
				UPDATE orders SET code = 'i' WHERE code = 'h'; INSERT INTO orders VALUES ('j', 1999, NULL); DELETE FROM bits WHERE n IS NULL`, "DB", database))
			runs(t, run...)
			require.ElementsMatch(t, of("abdefij"), codes())
			require.Len(t, readerRows(t, lake, database, "bits"), 1)
			said := runs(t, command("verify", args)...)
			require.Contains(t, said, database+".orders: not compared, as --snapshot-filter leaves rows of it out\n")
			require.Contains(t, said, "equal: 1 table, 2 rows")
		})
	}
	t.Run("refused", func(t *testing.T) {
		const database = "e2e_filter_refused"
		server.Exec(t, "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database+"; USE "+database+"; CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE nokey (id INT)")
		args := []string{"--from", server.URL(database), "--to", filepath.Join(t.TempDir(), "lake")}
		said := said(t, append([]string{"check", "--snapshot-filter", `.*\.t where nothing = 1`, "--snapshot-filter", `.*\.nokey where id = 1`, "--snapshot-filter", "elsewhere where 1"}, args...)...)
		require.Contains(t, said, "table "+database+".t: the server does not take its condition in --snapshot-filter, nothing = 1: ")
		require.Contains(t, said, "Unknown column 'nothing'")
		require.Contains(t, said, "table "+database+".nokey: --snapshot-filter leaves out rows of it, and it has no key")
		require.Contains(t, said, "--snapshot-filter elsewhere where 1: it counts for no captured table")
		p := start(t, append([]string{"run", "--snapshot-filter", "t: id = 1"}, args...)...)
		require.Equal(t, 2, p.wait(t), p.out.String())
		require.Contains(t, p.out.String(), `"t: id = 1" is not PATTERN where CONDITION`)
	})
}
