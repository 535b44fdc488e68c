package binlog

import (
	"context"
	"testing"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// sent keeps what a run hands on.
type sent []schema.Event

func (s *sent) Send(_ context.Context, e schema.Event) error {
	*s = append(*s, e)
	return nil
}

// TestNothingIsPublishedBehindAFault: an event that cannot be decoded leaves the
// rows before its fault in the block, and ends the transaction as a lost connection
// does. The flusher, which may tick once more until the run has ended, must not take
// those rows for complete ones.
func TestNothingIsPublishedBehindAFault(t *testing.T) {
	var out sent
	r := newTestRun(&out)
	row := sysbenchRow(nil, 1)
	for _, e := range []event{{evAnonymousGTID, gtidBody(0)}, {evQuery, beginBody()}, {evTableMap, sysbenchMap(1)}} {
		if err := r.take(t.Context(), &header{typ: e.typ}, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.take(t.Context(), &header{typ: evWriteRows2}, rowsBody(evWriteRows2, 1, row, row[:len(row)-1])); err == nil {
		t.Fatal("half a row was taken")
	}
	r.cutTransaction()
	r.dirtySince = time.Now().Add(-time.Hour)
	if _, err := r.tick(t.Context()); err != nil || len(out) > 0 {
		t.Fatalf("%d events were sent (%v)", len(out), err)
	}
}
