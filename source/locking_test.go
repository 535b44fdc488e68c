package source_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// audited looks at the tables at each Commit.
type audited struct {
	*memory
	audit func(schema.Position)
}

func (a audited) Send(ctx context.Context, e schema.Event) error {
	err := a.memory.Send(ctx, e)
	if c, ok := e.(schema.Commit); ok {
		a.audit(c.Position)
	}
	return err
}

// TestLoadWithoutLock: connections see different states, and yet from the first
// Commit on the tables are those of its position. Each transaction moves one unit
// between accounts of two tables, and counts in the row of a third whose key it
// changes.
func TestLoadWithoutLock(t *testing.T) {
	for mode, once := range map[source.SnapshotMode]bool{source.Initial: true, source.InitialOnly: false} {
		t.Run(string(mode), func(t *testing.T) {
			server := servers.MySQL(t, "--max-connections=60")
			db := server.DB(t)
			ddl := "DROP DATABASE IF EXISTS nolock; CREATE DATABASE nolock; CREATE TABLE nolock.a (id INT PRIMARY KEY, n BIGINT); CREATE TABLE nolock.b (id INT PRIMARY KEY, n BIGINT); CREATE TABLE nolock.c (id INT PRIMARY KEY, n BIGINT)"
			for i := range 1000 {
				ddl += fmt.Sprintf("; INSERT INTO nolock.a VALUES (%[1]d, 0); INSERT INTO nolock.b VALUES (%[1]d, 0)", i)
			}
			for i := range 4 {
				ddl += fmt.Sprintf("; INSERT INTO nolock.c VALUES (%d, 0)", 1_000_000*(i+1))
			}
			server.Exec(t, ddl)
			c := config(t, server, "nolock")
			before := position(t, c).GTIDs
			ctx, stop := context.WithCancel(t.Context())
			var writers sync.WaitGroup
			for w := range 4 {
				writers.Go(func() {
					random := rand.New(rand.NewPCG(uint64(w), 1))
					for key := 1_000_000 * (w + 1); ctx.Err() == nil; {
						to := 1_000_000*(w+1) + random.IntN(1000)
						i, j := random.IntN(1000), random.IntN(1000)
						_, err := db.ExecContext(ctx, fmt.Sprintf(`START TRANSACTION; UPDATE nolock.a SET n = n - 1 WHERE id = %d; UPDATE nolock.b SET n = n + 1 WHERE id = %d;
							DELETE FROM nolock.a WHERE id = %[3]d + 5000; INSERT INTO nolock.a VALUES (%[3]d + 5000, 0);
							UPDATE nolock.c SET id = %[4]d, n = n + 1 WHERE id = %[5]d; COMMIT`, i, j, 10*w+random.IntN(10), to, key))
						if err != nil {
							return
						}
						key = to
					}
				})
			}
			defer func() { stop(); writers.Wait() }()
			c.Connections, c.ChunkRows, c.Locking, c.Mode, c.Once = 30, 100, snapshot.None, mode, once
			for range 6 {
				commits := 0
				m := newMemory()
				require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, audited{m, func(p schema.Position) {
					commits++
					sums := map[string]int64{}
					for id, rows := range m.rows {
						for _, row := range rows {
							var key, n int64
							_, err := fmt.Sscanf(row, "id=%d n=%d", &key, &n)
							require.NoError(t, err)
							sums[id.Name] += n
						}
					}
					n := p.GTIDs.Subtract(before).Count()
					require.Equal(t, map[string]int64{"a": -n, "b": n, "c": n}, sums, "commit %d", commits)
					require.Len(t, m.rows[schema.TableID{Database: "nolock", Name: "c"}], 4)
				}}))
				require.Positive(t, commits)
			}
		})
	}
}
