package source_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/lane"
)

// laneMemory also keeps what Commits say of lanes.
type laneMemory struct {
	*memory
	loading map[schema.TableID]schema.Load // of the last Commit
}

func (m *laneMemory) Send(ctx context.Context, e schema.Event) error {
	if c, ok := e.(schema.Commit); ok {
		m.mu.Lock()
		m.loading = map[schema.TableID]schema.Load{}
		for _, p := range c.Loading {
			m.loading[p.Table.ID] = p.Load
		}
		m.mu.Unlock()
	}
	return m.memory.Send(ctx, e)
}

// stateWithLanes is what a restart reads of a lake.
func (m *laneMemory) stateWithLanes() pipeline.Resume {
	r := m.state()
	m.mu.Lock()
	defer m.mu.Unlock()
	r.Lanes = map[schema.TableID]schema.Progress{}
	for id, l := range m.loading {
		r.Lanes[id] = schema.Progress{Table: m.shapes[id], Load: l}
	}
	return r
}

// observed collects what happens to lanes.
type observed struct {
	mu     sync.Mutex
	events []lane.Event
	more   chan struct{}
}

func (o *observed) note(e lane.Event) {
	o.mu.Lock()
	o.events = append(o.events, e)
	o.mu.Unlock()
	o.more <- struct{}{}
}

// await waits until the kind was told of the table, and returns the rows.
func (o *observed) await(t *testing.T, k lane.Kind, table string) int64 {
	t.Helper()
	for {
		o.mu.Lock()
		for i, e := range o.events {
			if e.Kind == k && e.Table.Name == table {
				o.events = slices.Delete(o.events, i, i+1)
				o.mu.Unlock()
				return e.Rows
			}
		}
		o.mu.Unlock()
		select {
		case <-o.more:
		case <-t.Context().Done():
			t.Fatalf("%s was not told of %s", k, table)
		}
	}
}

// TestLanesTellWhatHappens: lanes are begun, stopped, paused and begun again, by
// condition too, while the stream goes on; and over a restart.
func TestLanesTellWhatHappens(t *testing.T) {
	server := servers.MySQL(t)
	const database = "lanesapi"
	prepare(t, server, database)
	server.Exec(t, "CREATE TABLE lanesapi.n (v INT); INSERT INTO lanesapi.n VALUES (1), (2)")
	c := config(t, server, database)
	once := c
	once.Once = true
	m := &laneMemory{memory: newMemory()}
	require.NoError(t, source.New(once, quiet()).Run(t.Context(), pipeline.Resume{}, m))

	a, n := schema.TableID{Database: database, Name: "a"}, schema.TableID{Database: database, Name: "n"}
	var seen *observed
	run := func(c source.Config, lanes func(*lane.Lanes)) (stop func() error) {
		seen = &observed{more: make(chan struct{}, 1000)}
		s := source.New(c, quiet())
		s.Lanes().Observe(seen.note)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		lanes(s.Lanes())
		go func() { result <- s.Run(ctx, m.stateWithLanes(), m) }()
		return func() error { cancel(); return <-result }
	}
	var lanes *lane.Lanes
	stop := run(c, func(l *lane.Lanes) {
		require.ErrorIs(t, l.Begin(t.Context(), lane.Request{Tables: []string{".*"}}), lane.ErrUnavailable, "before it runs")
		lanes = l
	})
	server.Exec(t, "INSERT INTO lanesapi.a VALUES (900, 'x')")
	m.wait(t, position(t, c))
	require.ErrorContains(t, lanes.Begin(t.Context(), lane.Request{Tables: []string{"nothing"}}), "no table of that name is captured")

	m.mu.Lock()
	m.rows[a][schema.Key{Lo: 4711}] = "a row that somebody else put into the lake"
	m.mu.Unlock()
	require.NoError(t, lanes.Begin(t.Context(), lane.Request{ID: "repair", Tables: []string{database + `\.(a|n)`}}))
	seen.await(t, lane.Started, "a")
	seen.await(t, lane.Completed, "a")
	m.mu.Lock()
	require.Len(t, m.rows[a], 6)
	m.rows[a][schema.Key{Lo: 1}] = "a row that will be replaced"
	m.rows[a][schema.Key{Lo: 2}] = "a row that will stay"
	m.mu.Unlock()

	lanes.Pause()
	require.NoError(t, lanes.Begin(t.Context(), lane.Request{Tables: []string{database + `\.a`}, Conditions: map[string]string{database + `\.a`: "id < 2"}}))
	seen.await(t, lane.Started, "a")
	require.ErrorContains(t, lanes.Begin(t.Context(), lane.Request{Tables: []string{".*"}, Conditions: map[string]string{".*": "TRUE"}}), "all of it is being loaded")
	require.NoError(t, lanes.Stop(t.Context(), []string{database + `\.a`}))
	seen.await(t, lane.Stopped, "a")
	m.waitFor(t, func() bool { return m.loading[a].Stopped })
	require.NoError(t, stop())

	stop = run(c, func(l *lane.Lanes) { lanes = l })
	server.Exec(t, "INSERT INTO lanesapi.a VALUES (901, 'x')")
	m.wait(t, position(t, c))
	require.True(t, m.stateWithLanes().Lanes[a].Stopped, "a restart does not begin it")
	require.NoError(t, lanes.Begin(t.Context(), lane.Request{Tables: []string{database + `\.a`}}))
	seen.await(t, lane.Completed, "a")

	m.mu.Lock()
	m.rows[a][schema.Key{Lo: 1}] = "a row that will be replaced"
	m.rows[a][schema.Key{Lo: 2}] = "a row that will stay"
	m.mu.Unlock()
	require.NoError(t, lanes.Begin(t.Context(), lane.Request{Tables: []string{database + `\.[an]`}, Conditions: map[string]string{".*": "id < 2"}}))
	require.EqualValues(t, 1, seen.await(t, lane.Completed, "a"))
	seen.await(t, lane.FailedAtAll, "n") // it has no key
	m.mu.Lock()
	require.NotContains(t, m.rows[a][schema.Key{Lo: 1}], "replaced")
	require.Contains(t, m.rows[a][schema.Key{Lo: 2}], "stay")
	delete(m.rows[a], schema.Key{Lo: 2})
	m.mu.Unlock()
	require.NoError(t, lanes.Begin(t.Context(), lane.Request{Tables: []string{".*"}}))
	seen.await(t, lane.Completed, "a")
	m.waitFor(t, func() bool { return len(m.loading) == 0 })
	require.NoError(t, stop())
	require.NotContains(t, m.stateWithLanes().Lanes, n)
	m.requireEqual(t, c)
}

// TestLaneWhoseChangesWait: the stream waits for the rows of a table without a key, and
// they for the stream, as the server's table has another shape by then.
func TestLaneWhoseChangesWait(t *testing.T) {
	server := servers.MySQL(t)
	const database = "laneswait"
	prepare(t, server, database)
	server.Exec(t, "CREATE TABLE laneswait.n (v INT); INSERT INTO laneswait.n VALUES (1), (2)")
	c := config(t, server, database)
	c.LaneMemory = 1
	m := &laneMemory{memory: newMemory()}
	once := c
	once.Once = true
	require.NoError(t, source.New(once, quiet()).Run(t.Context(), pipeline.Resume{}, m))

	seen := &observed{more: make(chan struct{}, 1000)}
	s := source.New(c, quiet())
	s.Lanes().Observe(seen.note)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx, m.stateWithLanes(), m) }()
	server.Exec(t, "INSERT INTO laneswait.a VALUES (900, 'x')")
	m.wait(t, position(t, c))
	s.Lanes().Pause()
	require.NoError(t, s.Lanes().Begin(t.Context(), lane.Request{Tables: []string{database + `\.n`}}))
	seen.await(t, lane.Started, "n")
	for range 3 {
		server.Exec(t, "INSERT INTO laneswait.n VALUES (3)")
	}
	server.Exec(t, "ALTER TABLE laneswait.n ADD w INT DEFAULT 5; INSERT INTO laneswait.n VALUES (4, 6); INSERT INTO laneswait.a VALUES (901, 'x')")
	s.Lanes().Resume()
	seen.await(t, lane.Completed, "n")
	m.wait(t, position(t, c))
	cancel()
	require.NoError(t, <-result)
	m.requireEqual(t, c)
}

// TestLanesWithoutGTIDs: each table is read in one snapshot there.
func TestLanesWithoutGTIDs(t *testing.T) {
	server := servers.MySQL(t, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
	const database = "lanesfile"
	prepare(t, server, database)
	c := config(t, server, database)
	c.Once = true
	only := c
	only.Tables = []string{database + `\.b`}
	m := &laneMemory{memory: newMemory()}
	require.NoError(t, source.New(only, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, fmt.Sprintf("INSERT INTO %[1]s.a VALUES (900, 'x'); INSERT INTO %[1]s.b VALUES ('q', 9)", database))
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.stateWithLanes(), m))
	m.requireEqual(t, c)
}

// TestLaneBlocksAreSmall: what a lane sends at a time is half of what it may have under
// way, and it reads by one connection.
func TestLaneBlocksAreSmall(t *testing.T) {
	server := servers.MySQL(t)
	const database = "lanesblocks"
	prepare(t, server, database)
	server.Exec(t, "CREATE TABLE lanesblocks.wide (id INT PRIMARY KEY, v CHAR(200)); INSERT INTO lanesblocks.wide WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, REPEAT('x', 200) FROM n")
	c := config(t, server, database)
	c.Once, c.LaneWindow, c.Connections, c.ChunkRows = true, 8<<10, 3, 100
	only := c
	only.Tables = []string{database + `\.b`}
	m := &largestBlock{laneMemory: &laneMemory{memory: newMemory()}}
	require.NoError(t, source.New(only, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	m.bytes, m.blocks = 0, 0
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.stateWithLanes(), m))
	m.requireEqual(t, c)
	require.LessOrEqual(t, m.bytes, c.LaneWindow/2+300, "and a row")
	require.Greater(t, m.blocks, 900*200/c.LaneWindow)
}

// largestBlock notes the size of the largest block of rows that were read.
type largestBlock struct {
	*laneMemory
	bytes, blocks int
}

func (m *largestBlock) Send(ctx context.Context, e schema.Event) error {
	if b, ok := e.(*schema.Block); ok && b.Rows() > 0 && b.Ops[0] == schema.OpRead {
		m.bytes, m.blocks = max(m.bytes, b.Size()), m.blocks+1
	}
	return m.laneMemory.Send(ctx, e)
}
