package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestKilledWhileTablesChange empties tables among their rows, and kills the binary all
// the while.
func TestKilledWhileTablesChange(t *testing.T) {
	for name, options := range map[string][]string{"direct": nil, "log": {"--kafka", "embedded"}} {
		t.Run(name, func(t *testing.T) {
			server := servers.MySQL(t)
			database := "e2e_whole_" + name
			server.Exec(t, fmt.Sprintf("DROP DATABASE IF EXISTS %[1]s; CREATE DATABASE %[1]s; USE %[1]s; %[2]s; %[3]s; INSERT INTO keyed VALUES (-1, -1); INSERT INTO keyless VALUES (-1, -1)",
				database, wholeTables["keyed"], wholeTables["keyless"]))
			lake := filepath.Join(t.TempDir(), "lake")
			args := []string{"--from", server.URL(database), "--to", lake}
			run := command("run", args, options...)
			runs(t, append(run, "--once")...)
			changed := make(chan error, 1)
			go func() { changed <- changeTables(server.DB(t), database) }()
			kills := rand.New(rand.NewPCG(11, 99))
			for done := false; !done; {
				select {
				case err := <-changed:
					require.NoError(t, err)
					done = true
				default:
					start(t, append(run, "--commit-interval", "100ms")...).killAfter(t, time.Duration(50+kills.IntN(1500))*time.Millisecond)
				}
			}
			runs(t, append(run, "--once")...)
			require.Contains(t, runs(t, command("verify", args)...), "equal: ")
			requireSameRows(t, server.DB(t), database, lake)
		})
	}
}

// wholeTables are the statements that make the tables.
var wholeTables = map[string]string{
	"keyed":   "CREATE TABLE keyed (id INT PRIMARY KEY, v INT)",
	"keyless": "CREATE TABLE keyless (id INT, v INT)",
}

// changeTables changes rows of the tables, and now and then all of a table.
func changeTables(db *sql.DB, database string) error {
	rng := rand.New(rand.NewPCG(10, 99))
	for range 30 {
		statements := []string{"USE " + database}
		for range 1 + rng.IntN(3) {
			table := []string{"keyed", "keyless"}[rng.IntN(2)]
			if rng.IntN(3) == 0 {
				statements = append(statements, "TRUNCATE TABLE "+table)
			}
			for range rng.IntN(8) {
				id, v := rng.IntN(20), rng.IntN(3)
				statements = append(statements, []string{
					fmt.Sprintf("REPLACE INTO %s VALUES (%d, %d)", table, id, v),
					fmt.Sprintf("UPDATE %s SET v = v + 1 WHERE id = %d", table, id),
					fmt.Sprintf("DELETE FROM %s WHERE id = %d LIMIT 1", table, id),
				}[rng.IntN(3)])
			}
		}
		if _, err := db.Exec(strings.Join(statements, "; ")); err != nil {
			return fmt.Errorf("%q: %w", statements, err)
		}
		time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
	}
	return nil
}
