package e2e

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/internal/workload"
)

const (
	killings = 20
	changes  = 100_000
	sessions = 4
)

// TestKilledAtRandomMoments replicates a database of all types under a mixed
// load, kills the binary again and again, and compares at the end.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Run("direct", func(t *testing.T) { killAtRandomMoments(t, 1, nil) })
	t.Run("direct_deletion_vectors", func(t *testing.T) {
		killAtRandomMoments(t, 2, []string{"--readers", "pyiceberg,duckdb,spark"})
	})
	t.Run("embedded_broker", func(t *testing.T) { killAtRandomMoments(t, 3, []string{"--kafka", "embedded"}) })
	t.Run("kafka", func(t *testing.T) {
		broker := servers.Kafka(t)
		killAtRandomMoments(t, 4, []string{"--kafka", broker.Addr, "--kafka-topic-prefix", "e2e_kafka"})
	})
}

// TestKilledAtRandomMomentsOnMariaDB does so once more, for what the source does
// differently there.
func TestKilledAtRandomMomentsOnMariaDB(t *testing.T) {
	killOn(t, servers.MariaDB(t, fast...), true, 5, killings/2, changes/4, nil)
}

// It is Beluga that is killed, not the server, which may be fast instead of safe.
var fast = []string{"--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0"}

func killAtRandomMoments(t *testing.T, seed uint64, options []string) {
	killOn(t, servers.MySQL(t, fast...), false, seed, killings, changes, options)
}

func killOn(t *testing.T, server *servers.MySQLServer, plain bool, seed uint64, killings, changes int, options []string) {
	database := "e2e_" + filepath.Base(t.Name())
	lake := filepath.Join(t.TempDir(), "lake")
	w := &workload.Workload{DB: server.DB(t), Database: database, Seed: seed, Space: 3000, Plain: plain}
	require.NoError(t, w.Create(t.Context()))
	require.NoError(t, w.Fill(t.Context()))

	args := append([]string{"--from", server.URL(database), "--to", lake, "--name", database}, options...)
	run := append([]string{"run", "--commit-interval", "250ms"}, args...)

	load, stop := context.WithCancel(t.Context())
	defer stop()
	loaded := loading(load, t, w)

	rng := rand.New(rand.NewPCG(seed, 99))
	for kill := 0; kill < killings || int(w.Changes()) < changes; kill++ {
		select {
		case err := <-loaded:
			t.Fatalf("the load ended: %v", err)
		default:
		}
		p := start(t, run...)
		p.killAfter(t, time.Duration(50+rng.IntN(2500))*time.Millisecond)
		t.Logf("killing %d after %d row changes", kill+1, w.Changes())
	}
	stop()
	require.NoError(t, <-loaded)
	waitForServer(t, server.DB(t), database)
	t.Logf("%d row changes", w.Changes())

	runs(t, append([]string{"run", "--once"}, args...)...)
	said := runs(t, append([]string{"verify"}, args[:6]...)...)
	require.Contains(t, said, "equal")
	requireSameRows(t, server.DB(t), database, lake)
	require.Empty(t, strings.TrimSpace(equalityDeletes(t, lake)), "equality deletes in the lake")
}

// waitForServer waits until no statement runs in the database: the server goes on
// with one whose client is gone, and commits it.
func waitForServer(t *testing.T, db *sql.DB, database string) {
	t.Helper()
	for n := 1; n > 0; time.Sleep(10 * time.Millisecond) {
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM information_schema.processlist WHERE db = ? AND command <> 'Sleep'", database).Scan(&n))
	}
}

// loading changes rows until ctx ends, and then sends nil. An error is told at once:
// what waits for a workload that has died fails for another reason.
func loading(ctx context.Context, t *testing.T, w *workload.Workload) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := keepLoading(ctx, w)
		if err != nil {
			t.Errorf("the workload died: %v", err)
		}
		done <- err
	}()
	return done
}

// keepLoading changes rows until ctx ends.
func keepLoading(ctx context.Context, w *workload.Workload) error {
	for ctx.Err() == nil {
		if err := w.Run(ctx, sessions, 5000); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}
