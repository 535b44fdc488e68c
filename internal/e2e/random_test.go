package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/workload"
)

// seedVariable holds another seed for TestRandomStatements. The usual one is always
// the same, so that a change is not blamed for what another seed would have found
// before it.
const (
	seedVariable = "BELUGA_TEST_SEED"
	usualSeed    = 20_000
)

// TestRandomStatements replicates what many random statements do to a database,
// while the binary is stopped, killed and started again, and the server restarted
// under it, and compares at the end.
func TestRandomStatements(t *testing.T) {
	seed := uint64(usualSeed)
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, seedVariable)
	}
	t.Logf("to repeat it: %s=%d", seedVariable, seed)
	for _, run := range []randomRun{
		{name: "direct", server: fast, retype: true, statements: 8_000, options: func(*testing.T) []string { return []string{"--on-incompatible", "reload"} }},
		// Without GTIDs a transaction may mix engines.
		{name: "embedded", server: append([]string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}, fast...), mixed: true,
			statements: 9_000, options: func(*testing.T) []string {
				return []string{"--kafka", "embedded", "--readers", "duckdb,pyiceberg", "--on-incompatible", "reload"}
			}, retype: true},
		{name: "kafka", server: fast, statements: 7_000, options: func(t *testing.T) []string { return []string{"--kafka", servers.Kafka(t).Addr} }},
	} {
		t.Run(run.name, func(t *testing.T) { run.test(t, seed) })
	}
}

type randomRun struct {
	name       string
	server     []string
	options    func(*testing.T) []string
	mixed      bool
	retype     bool
	statements int64
}

func (r randomRun) test(t *testing.T, seed uint64) {
	server := servers.MySQL(t, r.server...)
	database := "e2e_random_" + r.name
	w := &workload.Workload{DB: server.DB(t), Database: database, Seed: seed, Space: 1500, Mixed: r.mixed, Retype: r.retype}
	require.NoError(t, w.Create(t.Context()))
	require.NoError(t, w.Fill(t.Context()))
	lake := filepath.Join(t.TempDir(), "lake")
	args := []string{"--from", server.URL(database), "--to", lake, "--name", fmt.Sprintf("%s-%d", database, os.Getpid())}
	rng := rand.New(rand.NewPCG(seed, 7))
	var options []string
	if r.options != nil {
		options = r.options(t)
	}
	run := command("run", args, append([]string{"--commit-interval", "200ms"}, options...)...)

	interrupt(t, w, rng, run, r.statements/2, false)
	p := start(t, run...)
	p.says(t, "following the binlog")
	require.NoError(t, w.DB.Close()) // the server would wait for idle connections
	server.Restart(t)
	w.DB = server.DB(t)
	require.NoError(t, work(t.Context(), w, w.Statements()+500, false))
	p.terminate(t)
	runs(t, append(command("run", args, "--once"), options...)...) // to the end of the load, which takes no ALTER
	lanes := interrupt(t, w, rng, run, r.statements, true)

	runs(t, append(command("run", args, "--once"), options...)...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: ")
	requireSameShapes(t, w.DB, lake, requireSameDatabases(t, w.DB, []string{database}, lake))
	require.Greater(t, w.Altered(), r.statements/400)
	require.Equal(t, r.retype, lanes > 0, "tables that are loaded again")
	require.Empty(t, strings.TrimSpace(equalityDeletes(t, lake)), "equality deletes in the lake")
	t.Logf("%d statements, %d row changes, %d ALTERs, %d lanes begun", w.Statements(), w.Changes(), w.Altered(), lanes)
}

// interrupt lets the workload run up to so many statements, while the binary is
// started again and again, and sometimes asked and mostly made to end. When is
// counted in statements: on a slow machine a time would fall into the start.
func interrupt(t *testing.T, w *workload.Workload, rng *rand.Rand, run []string, statements int64, alter bool) (lanes int) {
	t.Helper()
	written := make(chan error, 1)
	go func() { written <- work(t.Context(), w, statements, alter) }()
	for done := false; !done; {
		p := start(t, run...)
		follows := rng.IntN(2) == 0
		if follows {
			p.says(t, "following the binlog")
		}
		next := w.Statements() + rng.Int64N(1200)
		p.until(t, "statements", func() bool {
			select {
			case err := <-written:
				require.NoError(t, err)
				done = true
			default:
			}
			return done || w.Statements() >= next
		})
		if follows && rng.IntN(2) == 0 {
			p.terminate(t)
		} else {
			p.killAfter(t, 0)
		}
		lanes += strings.Count(p.out.String(), laneBegins)
	}
	return lanes
}

// work runs the workload up to so many statements, and may alter tables meanwhile.
func work(ctx context.Context, w *workload.Workload, statements int64, alter bool) error {
	for w.Statements() < statements {
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return w.Run(ctx, sessions, 500) })
		if alter {
			g.Go(func() error { return w.Alter(ctx, 4) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}
