package protocol

import (
	"fmt"

	"github.com/beluga-cdc/beluga/schema"
)

// Verdict is what the rule says about a record.
type Verdict uint8

// The verdicts.
const (
	Accepted  Verdict = iota + 1
	Fenced            // a fence, which no reader sees
	Zombie            // written by a source that was replaced
	Duplicate         // has been accepted before
)

// GapError says that records which the broker acknowledged are not there.
type GapError struct {
	Expected, Found int64
}

// Error tells the numbers; the caller adds the partition and the remedy.
func (e *GapError) Error() string {
	return fmt.Sprintf("records %d to %d are missing", e.Expected, e.Found-1)
}

// Fold is the one rule by which every reader derives the same logical log from a
// partition, which may hold duplicates and records of replaced sources. It
// advances the reader's state past the record at that offset.
func Fold(st *schema.LogPosition, offset int64, r *Record) (Verdict, error) {
	if r.Kind == Fence {
		st.Offset = offset + 1
		st.Epoch = max(st.Epoch, r.Epoch)
		return Fenced, nil
	}
	switch {
	case r.Epoch < st.Epoch:
		st.Offset = offset + 1
		return Zombie, nil
	case r.Seq <= st.Seq:
		st.Offset = offset + 1
		return Duplicate, nil
	case r.Seq > st.Seq+1:
		return 0, &GapError{Expected: st.Seq + 1, Found: r.Seq}
	}
	st.Offset, st.Seq = offset+1, r.Seq
	return Accepted, nil
}

// FoldRun is Fold for records of one source whose numbers follow each other
// from first to last, the last of which stands before the offset next.
func FoldRun(st *schema.LogPosition, next, epoch, first, last int64) (Verdict, error) {
	switch {
	case epoch < st.Epoch:
		st.Offset = next
		return Zombie, nil
	case last <= st.Seq:
		st.Offset = next
		return Duplicate, nil
	case first > st.Seq+1:
		return 0, &GapError{Expected: st.Seq + 1, Found: first}
	case first <= st.Seq:
		// A batch is sent again whole, or not at all.
		return 0, fmt.Errorf("records %d to %d of %d to %d are there already", first, st.Seq, first, last)
	}
	st.Offset, st.Seq = next, last
	return Accepted, nil
}

// Claims folds the control log: who owns the log at a place in it, and so which
// of its other records count.
type Claims struct {
	owner      int64            // epoch
	instances  map[string]int64 // epoch of each instance's first claim
	selections map[int64]string // by epoch: under which tables its source numbers rows
}

// Claim takes the claim at that offset and returns the epoch of the instance:
// the offset of its first claim. A later one of the same instance is a produce
// request that arrived twice, and must not take the log from anybody.
func (c *Claims) Claim(offset int64, instance, selection string) int64 {
	if c.instances == nil {
		c.instances = map[string]int64{}
	}
	if c.selections == nil {
		c.selections = map[int64]string{}
	}
	if e, ok := c.instances[instance]; ok {
		return e
	}
	c.instances[instance], c.selections[offset] = offset, selection
	c.owner = max(c.owner, offset)
	return offset
}

// Counts tells whether a record that was written under the epoch counts at this
// place: no later claim precedes it. An epoch that was not seen as a claim comes
// from before the part of the control log that is still kept, and is a claim too.
func (c *Claims) Counts(epoch int64) bool {
	c.owner = max(c.owner, epoch)
	return epoch == c.owner
}

// Checkpoint takes a checkpoint that counts. It names its source's selection
// again, since the claim may be too old to be still kept; nothing of older
// epochs can lie behind it.
func (c *Claims) Checkpoint(epoch int64, selection string) {
	c.selections = map[int64]string{epoch: selection}
}

// Selection returns which tables the source of that epoch captured.
func (c *Claims) Selection(epoch int64) string { return c.selections[epoch] }

// Owner returns the epoch of the owner.
func (c *Claims) Owner() int64 { return c.owner }
