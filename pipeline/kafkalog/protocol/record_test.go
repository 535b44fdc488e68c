package protocol_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
	"github.com/beluga-cdc/beluga/schema"
)

var records = []protocol.Record{
	{Kind: protocol.Row, Epoch: 3, Seq: 1 << 40, Version: 2, Ordinal: 17, Time: -5},
	{Kind: protocol.Row, Epoch: 3, Seq: 2, Txn: protocol.Txn{GTID: schema.GTID{UUID: [16]byte{1, 2}, N: 99}}},
	{Kind: protocol.Row, Epoch: 3, Seq: 2, Txn: protocol.Txn{GTID: schema.GTID{UUID: [16]byte{1, 2}, N: 99, Tag: "blue"}}},
	{Kind: protocol.Row, Epoch: 3, Seq: 2, Txn: protocol.Txn{File: "binlog.000007", Pos: 4711}},
	{Kind: protocol.Row, Epoch: 3, Seq: 2, Form: 3},
	{Kind: protocol.Row, Epoch: 3, Seq: 2, Form: 300, Txn: protocol.Txn{File: "binlog.000007", Pos: 4711}},
	{Kind: protocol.Row, Epoch: 3, Seq: 2, Form: 1, Txn: protocol.Txn{GTID: schema.GTID{UUID: [16]byte{1, 2}, N: 99, Tag: "blue"}}},
	{Kind: protocol.Fence, Epoch: 1 << 35, Payload: []byte("log")},
	{Kind: protocol.Cut, Epoch: 1, Seq: 2, Cut: 3, Tables: 4, Payload: []byte(`{"a":1}`)},
	{Kind: protocol.DDL, Epoch: 1, Seq: 2, Version: 3, Reset: true, Payload: []byte(`{}`)},
	{Kind: protocol.DDL, Epoch: 1, Seq: 2, Version: 4, Continued: true, Payload: []byte(`{}`)},
	{Kind: protocol.DDL, Epoch: 1, Seq: 3, Version: 5, Payload: []byte(`{}`)},
	{Kind: protocol.DDL, Epoch: 1, Seq: 3, Version: 6, Reset: true, Lane: true, Payload: []byte(`{}`)},
	{Kind: protocol.DDL, Epoch: 1, Seq: 3, Version: 7, Lane: true, Payload: []byte(`{}`)},
}

func TestRecordRoundTrip(t *testing.T) {
	var got protocol.Record // the same one: what an earlier record left must not show
	for _, want := range records {
		b := want.Append(nil)
		require.NoError(t, got.Parse(b))
		if len(got.Payload) == 0 {
			got.Payload = nil
		}
		require.Equal(t, want, got)
	}
}

func TestParseRefusesWhatItDoesNotKnow(t *testing.T) {
	var r protocol.Record
	for name, b := range map[string][]byte{
		"format": {2, 1, 0, 0}, "kind": {1, 5, 0, 0}, "origin": {1, 1, 0, 0, 0, 0, 0, 3}, "origin with a form": {1, 1, 0, 0, 0, 0, 0, 19, 1}, "form": {1, 1, 0, 0, 0, 0, 0, 16}, "empty": {}, "short": {1, 1, 0, 0, 0},
	} {
		require.Error(t, r.Parse(b), name)
	}
}

func FuzzParse(f *testing.F) {
	for _, r := range records {
		f.Add(r.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again protocol.Record
		if r.Parse(b) == nil {
			require.NoError(t, again.Parse(r.Append(nil)))
			require.Equal(t, r, again)
		}
	})
}

func TestClaims(t *testing.T) {
	var c protocol.Claims
	require.EqualValues(t, 5, c.Claim(5, "a", "x"))
	require.True(t, c.Counts(5))
	require.EqualValues(t, 8, c.Claim(8, "b", "y"))
	require.False(t, c.Counts(5), "a was replaced")
	require.EqualValues(t, 5, c.Claim(9, "a", "z"), "a late copy of a's claim")
	require.Equal(t, []string{"x", "y", ""}, []string{c.Selection(5), c.Selection(8), c.Selection(9)})
	require.True(t, c.Counts(8), "a late copy takes the log from nobody")
	require.True(t, c.Counts(20), "whose claim is no longer kept")
	require.False(t, c.Counts(8))
	c.Checkpoint(20, "v")
	require.Equal(t, "v", c.Selection(20))
}

func TestFoldStopsAtGap(t *testing.T) {
	st := schema.LogPosition{Offset: 10, Epoch: 2, Seq: 4}
	_, err := protocol.Fold(&st, 10, &protocol.Record{Kind: protocol.Row, Epoch: 2, Seq: 6})
	var gap *protocol.GapError
	require.ErrorAs(t, err, &gap)
	require.Equal(t, protocol.GapError{Expected: 5, Found: 6}, *gap)
	require.Equal(t, schema.LogPosition{Offset: 10, Epoch: 2, Seq: 4}, st)
}

// TestRecoveryByPlace: without GTIDs a rows event takes a transaction's place. It is
// passed when it is seen again, or when the source stands behind it.
func TestRecoveryByPlace(t *testing.T) {
	at := protocol.Txn{File: "binlog.000009", Pos: 100}
	recovery := func(others int) *protocol.Recovery {
		s := protocol.NewScan(schema.LogPosition{})
		records := []protocol.Record{
			{Kind: protocol.Row, Epoch: 1, Seq: 1, Txn: at, Ordinal: 0}, {Kind: protocol.Row, Epoch: 1, Seq: 2, Txn: at, Ordinal: 4},
		}
		for n := range others {
			records = append(records, protocol.Record{Kind: protocol.Row, Epoch: 1, Seq: int64(3 + n), Txn: protocol.Txn{File: at.File, Pos: uint64(101 + n)}})
		}
		for i, r := range append(records, protocol.Record{Kind: protocol.Fence, Epoch: 2}) {
			done, err := s.Record(2, int64(i), &r)
			require.NoError(t, err)
			require.Equal(t, i == len(records), done)
		}
		return protocol.NewRecovery(map[int]*protocol.Scan{0: s})
	}
	r := recovery(0)
	require.True(t, r.Has(0, at, 4))
	require.False(t, r.Has(0, at, 8))
	require.False(t, r.Has(1, at, 4))
	require.False(t, r.Renamed(at, 0))
	require.True(t, r.Renamed(at, 1), "of another time")
	require.Equal(t, "binlog.000009:101", r.Sent(schema.Position{File: "binlog.000009", Offset: 4}).String())
	require.Equal(t, "binlog.000010:4", r.Sent(schema.Position{File: "binlog.000010", Offset: 4}).String())
	r.Passed(nil, schema.Position{File: "binlog.000009", Offset: 100})
	require.False(t, r.Drained())
	r.Passed([]protocol.Txn{at}, schema.Position{File: "binlog.000009", Offset: 200})
	require.True(t, r.Drained())

	// Many are not compared at each commit, and all of them at the end.
	r = recovery(100)
	r.Passed([]protocol.Txn{at}, schema.Position{File: "binlog.000010", Offset: 4})
	require.Equal(t, 100, r.Pending())
	r.Reached(schema.Position{File: "binlog.000010", Offset: 4})
	require.True(t, r.Drained())
}

// TestScanStopsAtHigherEpoch: who finds a later fence than its own was replaced.
func TestScanStopsAtHigherEpoch(t *testing.T) {
	s := protocol.NewScan(schema.LogPosition{})
	_, err := s.Record(2, 0, &protocol.Record{Kind: protocol.Fence, Epoch: 3})
	require.ErrorIs(t, err, protocol.ErrSuperseded)
}

// TestResetVoidsWhatWasFound: rows before a reset have to be sent again behind
// it.
func TestResetVoidsWhatWasFound(t *testing.T) {
	s := protocol.NewScan(schema.LogPosition{})
	at := protocol.Txn{GTID: schema.GTID{UUID: [16]byte{1}, N: 1}}
	_, err := s.Record(2, 0, &protocol.Record{Kind: protocol.Row, Epoch: 1, Seq: 1, Txn: at})
	require.NoError(t, err)
	var other schema.GTIDSet
	other.Add(schema.GTID{N: 9})
	r := protocol.NewRecovery(map[int]*protocol.Scan{0: s})
	require.False(t, r.Drained())
	require.Equal(t, "00000000-0000-0000-0000-000000000000:9, 01000000-0000-0000-0000-000000000000:1", strings.ReplaceAll(r.Sent(schema.Position{GTIDs: other}).GTIDs.String(), ",", ", "))
	r.Reset(0)
	require.False(t, r.Has(0, at, 0))
	require.True(t, r.Drained())
}

// TestFoldRun compares folding a run at once with folding its records.
func TestFoldRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	seen := map[protocol.Verdict]int{}
	for range 5000 {
		st := schema.LogPosition{Offset: 100, Epoch: 1 + rng.Int64N(3), Seq: rng.Int64N(10)}
		epoch, first := 1+rng.Int64N(3), 1+rng.Int64N(12)
		n := 1 + rng.Int64N(4)
		one, all := st, st
		var verdict protocol.Verdict
		var fault error
		mixed := false
		for i := range n {
			v, err := protocol.Fold(&one, 200+i, &protocol.Record{Kind: protocol.Row, Epoch: epoch, Seq: first + i})
			if err != nil {
				fault = err
				break
			}
			mixed = mixed || i > 0 && v != verdict
			verdict = v
		}
		got, err := protocol.FoldRun(&all, 200+n, epoch, first, first+n-1)
		if fault != nil || mixed {
			require.Error(t, err, "%v: %d to %d of epoch %d", st, first, first+n-1, epoch)
			require.Equal(t, st, all)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, verdict, got)
		require.Equal(t, one, all)
		seen[got]++
	}
	require.Len(t, seen, 3)
}
