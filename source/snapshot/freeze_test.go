package snapshot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// counted is a database of two tables that is written to: each transaction counts
// up one number in both, so every state that ever was has equal sums, and as many
// transactions as its position has.
type counted struct {
	name   string
	server *servers.MySQLServer
	before schema.GTIDSet
}

func count(t *testing.T) counted {
	server := servers.MySQL(t, "--max-connections=60")
	name, db := database(t, server)
	_, err := db.Exec(fmt.Sprintf("CREATE TABLE %[1]s.a (id INT PRIMARY KEY, n BIGINT); CREATE TABLE %[1]s.b (id VARCHAR(10) PRIMARY KEY, n BIGINT)", name))
	require.NoError(t, err)
	var a, b []string
	for i := range 2000 {
		a, b = append(a, fmt.Sprintf("%d, 0", i)), append(b, fmt.Sprintf("'k%d', 0", i))
	}
	insert(t, db, name+".a", a)
	insert(t, db, name+".b", b)
	var start string
	require.NoError(t, db.QueryRow("SELECT @@global.gtid_executed").Scan(&start))
	before, err := schema.ParseGTIDSet(start)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 9))
			for ctx.Err() == nil {
				i := random.IntN(2000)
				// One transaction, over both tables.
				_, _ = db.ExecContext(ctx, fmt.Sprintf("UPDATE %[1]s.a, %[1]s.b SET a.n = a.n + 1, b.n = b.n + 1 WHERE a.id = %[2]d AND b.id = 'k%[2]d'", name, i))
			}
		})
	}
	t.Cleanup(func() { stop(); writers.Wait() })
	return counted{name, server, before}
}

// load loads, and returns the sums.
func (c counted) load(t *testing.T, locking snapshot.Locking) (s *snapshot.Snapshot, sums map[string]int64, out *collector) {
	cfg := config(t, c.server, c.name)
	cfg.Connections, cfg.ChunkRows, cfg.Locking = 3, 100, locking
	s = open(t, cfg)
	sums, out = map[string]int64{}, &collector{}
	out.onRows = func(b *schema.Block) {
		for i := range b.Rows() {
			sums[b.Table.ID.Name] += b.New[1].I64[i]
		}
	}
	require.NoError(t, s.Load(t.Context(), out))
	s.Close()
	return s, sums, out
}

// TestSnapshotEqualsItsPosition writes while the snapshot is opened and read.
func TestSnapshotEqualsItsPosition(t *testing.T) {
	for _, locking := range []snapshot.Locking{snapshot.Global, snapshot.Tables} {
		t.Run(string(locking), func(t *testing.T) {
			c := count(t)
			for range 8 {
				s, sums, out := c.load(t, locking)
				require.Equal(t, sums["a"], sums["b"])
				require.Equal(t, s.Position.GTIDs.Subtract(c.before).Count(), sums["a"], "the state has other transactions than its position")
				require.Equal(t, s.Position, out.commit[0].Position)
				require.True(t, s.Exact())
				require.Positive(t, s.LockHeld)
			}
		})
	}
}

// TestSnapshotWithoutLock: the connections see at least the position and at most
// the overlap, and a load that may have seen more than the position does not end
// by itself.
func TestSnapshotWithoutLock(t *testing.T) {
	c := count(t)
	overlaps := 0
	for range 20 {
		s, sums, out := c.load(t, snapshot.None)
		require.Zero(t, s.LockHeld)
		from := s.Position.GTIDs.Subtract(c.before).Count()
		to := from
		if s.Overlap.IsZero() {
			require.Len(t, out.commit, 1)
			require.True(t, s.Exact())
		} else {
			overlaps++
			require.Empty(t, out.commit)
			require.False(t, s.Exact())
			require.True(t, s.Overlap.Contains(s.Position))
			to = s.Overlap.GTIDs.Subtract(c.before).Count()
		}
		for table, n := range sums {
			require.GreaterOrEqual(t, n, from, table)
			require.LessOrEqual(t, n, to, table)
		}
	}
	require.Positive(t, overlaps, "four writers, and never one in between")
}

// TestOverlapWithoutKey: a load without a lock waits for a moment in which nothing is
// committed where the replay of an overlap would double rows. Where none comes it is
// refused, and only there.
func TestOverlapWithoutKey(t *testing.T) {
	c := count(t)
	c.server.Exec(t, "CREATE TABLE "+c.name+".alike (id INT, n BIGINT); INSERT INTO "+c.name+".alike VALUES (1, 0), (1, 0)")
	for range 10 {
		s, sums, _ := c.load(t, snapshot.None)
		require.True(t, s.Exact())
		require.Zero(t, s.LockHeld)
		require.Equal(t, sums["a"], sums["b"])
		require.Equal(t, s.Position.GTIDs.Subtract(c.before).Count()-2, sums["a"], "the state has other transactions than its position") // two made the table
	}
	cfg := config(t, c.server, c.name)
	cfg.Connections = 3
	refused := 0
	for range 20 {
		cfg.Locking, cfg.LockWait = snapshot.None, time.Nanosecond
		s := open(t, cfg)
		err := s.Load(t.Context(), &collector{})
		require.Equal(t, s.Exact(), err == nil, err)
		if err != nil {
			refused++
			require.ErrorContains(t, err, ".alike has no key")
			require.ErrorContains(t, err, "GRANT LOCK TABLES ON ")
		}
		s.Close()
	}
	require.Positive(t, refused, "four writers, and never one in between")
	cfg.Locking, cfg.LockWait = snapshot.Tables, 0
	s := open(t, cfg)
	require.NoError(t, s.Load(t.Context(), &collector{}))
	s.Close()
}

// TestLockingFallsBack with users who may do less and less.
func TestLockingFallsBack(t *testing.T) {
	server := servers.MySQL(t, "--max-connections=50")
	name, db := database(t, server)
	_, err := db.Exec("CREATE TABLE " + name + ".t (id INT PRIMARY KEY)")
	require.NoError(t, err)
	may := []snapshot.Locking{snapshot.Global, snapshot.Tables, snapshot.None}
	for i, grants := range []string{
		"GRANT FLUSH_TABLES, LOCK TABLES, SELECT, REPLICATION CLIENT ON *.* TO %[2]s",
		"GRANT REPLICATION CLIENT ON *.* TO %[2]s; GRANT LOCK TABLES, SELECT ON %[1]s.* TO %[2]s",
		"GRANT REPLICATION CLIENT ON *.* TO %[2]s; GRANT SELECT ON %[1]s.* TO %[2]s",
	} {
		t.Run(string(may[i]), func(t *testing.T) {
			user := fmt.Sprintf("locks%d", i)
			_, err := db.Exec(fmt.Sprintf("CREATE USER %[2]s; "+grants, name, user))
			require.NoError(t, err)
			cfg := config(t, server, name)
			cfg.Endpoint.User = user
			var log bytes.Buffer
			open := func(locking snapshot.Locking) error {
				log.Reset()
				cfg.Locking = locking
				s, _, err := source.New(cfg, slog.New(slog.NewTextHandler(&log, nil))).OpenSnapshot(t.Context())
				if err == nil {
					s.Close()
				}
				return err
			}
			require.NoError(t, open(snapshot.Auto))
			require.Contains(t, log.String(), "locking="+string(may[i])+" ")
			for n, locking := range may {
				if err := open(locking); n >= i {
					require.NoError(t, err, locking)
				} else {
					require.ErrorContains(t, err, "lacks a privilege")
				}
			}
		})
	}
	t.Run("without GTIDs", func(t *testing.T) {
		server := servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
		name, _ := database(t, server)
		cfg := config(t, server, name)
		cfg.Locking = snapshot.None
		_, _, err := source.New(cfg, slog.New(slog.DiscardHandler)).OpenSnapshot(t.Context())
		require.ErrorContains(t, err, "gtid_mode is OFF, and without GTIDs nothing tells where to begin; remedy: ")
	})
}
