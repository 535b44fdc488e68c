package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

const alterations = 20

// TestKilledWhileAltered alters a table at random, with rows before and behind each
// statement and several statements without rows between, and kills the binary all
// the while.
func TestKilledWhileAltered(t *testing.T) {
	const database = "e2e_altered"
	server := servers.MySQL(t, fast...)
	rng := rand.New(rand.NewPCG(7, 99))
	server.Exec(t, "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database)
	a := &alteredTable{rng: rng, name: database + ".t", columns: []string{"a", "b", "c"}, named: 3}
	server.Exec(t, "CREATE TABLE "+a.name+" (id INT PRIMARY KEY, a INT, b INT, c INT)")
	server.Exec(t, a.rows(200))

	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL(database), "--to", lake}
	runs(t, command("run", args, "--once")...)
	altered := make(chan error, 1)
	go func() { altered <- a.keepAltering(server.DB(t)) }()
	kills := rand.New(rand.NewPCG(8, 99))
	for done := false; !done; {
		select {
		case err := <-altered:
			require.NoError(t, err)
			done = true
		default:
			start(t, command("run", args, "--commit-interval", "100ms")...).killAfter(t, time.Duration(50+kills.IntN(1500))*time.Millisecond)
		}
	}
	runs(t, command("run", args, "--once")...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 1 table")
	requireSameRows(t, server.DB(t), database, lake)
}

// alteredTable makes statements about a table whose columns change.
type alteredTable struct {
	rng     *rand.Rand
	name    string
	columns []string // but the key
	named   int      // columns so far
	ids     int
}

// keepAltering runs statements of both kinds.
func (a *alteredTable) keepAltering(db *sql.DB) error {
	for range alterations {
		statements := a.alter()
		if a.rng.IntN(4) > 0 {
			statements += ";" + a.rows(30)
		}
		if _, err := db.Exec(statements); err != nil {
			return fmt.Errorf("%s: %w", statements, err)
		}
		time.Sleep(time.Duration(a.rng.IntN(600)) * time.Millisecond)
	}
	return nil
}

// alter returns one statement with up to three clauses about different columns.
func (a *alteredTable) alter() string {
	var clauses []string
	columns := slices.Clone(a.columns)
	a.rng.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	for range 1 + a.rng.IntN(3) {
		kind := a.rng.IntN(5)
		if len(columns) < 2 {
			kind = 0
		}
		switch kind {
		case 0:
			a.named++
			name := fmt.Sprintf("n%d", a.named)
			clauses = append(clauses, "ADD COLUMN "+name+" INT AFTER id")
			a.columns = append(a.columns, name)
		case 1:
			clauses = append(clauses, "DROP COLUMN "+columns[0])
			a.replace(columns[0])
			columns = columns[1:]
		case 2:
			a.named++
			name := fmt.Sprintf("n%d", a.named)
			clauses = append(clauses, "CHANGE "+columns[0]+" "+name+" INT")
			a.replace(columns[0], name)
			columns = columns[1:]
		case 3: // a set of names is the same after it
			clauses = append(clauses, fmt.Sprintf("RENAME COLUMN %[1]s TO %[2]s, RENAME COLUMN %[2]s TO %[1]s", columns[0], columns[1]))
			columns = columns[2:]
		case 4:
			clauses = append(clauses, "MODIFY "+columns[0]+" INT FIRST")
			columns = columns[1:]
		}
	}
	return "ALTER TABLE " + a.name + " " + strings.Join(clauses, ", ")
}

func (a *alteredTable) replace(column string, by ...string) {
	i := slices.Index(a.columns, column)
	a.columns = slices.Replace(a.columns, i, i+1, by...)
}

// rows returns statements that insert, change and delete rows.
func (a *alteredTable) rows(n int) string {
	var statements []string
	for range n {
		switch column := a.columns[a.rng.IntN(len(a.columns))]; {
		case a.ids < 50 || a.rng.IntN(3) == 0:
			a.ids++
			statements = append(statements, fmt.Sprintf("INSERT INTO %s (id, %s) VALUES (%d, %d)", a.name, column, a.ids, a.rng.Int32()))
		case a.rng.IntN(8) == 0:
			statements = append(statements, fmt.Sprintf("DELETE FROM %s WHERE id = %d", a.name, 1+a.rng.IntN(a.ids)))
		default:
			statements = append(statements, fmt.Sprintf("UPDATE %s SET %s = %d WHERE id = %d", a.name, column, a.rng.Int32(), 1+a.rng.IntN(a.ids)))
		}
	}
	return strings.Join(statements, ";")
}
