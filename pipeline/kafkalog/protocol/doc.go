// Package protocol is the numbered log's core: which records count, how a
// source takes a log over, and in which order a sink sees what many partitions
// hold. It does no I/O, knows no clock and starts no goroutine, so that a test
// can drive it through any schedule.
//
// A partition is taken as a physical log that may hold duplicates, late records
// and records of replaced sources. Every reader derives the same logical log
// from it by one rule (Fold):
//
//	FENCE(e), e > E       E := e
//	any other, epoch < E  drop: a zombie wrote it
//	    seq ≤ n           drop: a duplicate
//	    seq = n+1         accept
//	    seq > n+1         gap: stop
//
// A source that starts claims the log, fences every partition with the claim's
// offset as its epoch, and scans from the last checkpoint that counts to its own
// fences (Scan). From then on nothing of an older source can be accepted, and
// the scan has seen everything that was. It goes on from the checkpoint's
// position and skips what is there (Recovery). It may find a load that did not end:
// behind a reset of the same load everything counts, and where a load goes on
// (Record.Continued) nothing before is skipped. It may find lanes of single tables,
// which go on or begin anew (TakeLane). Rows are known again by their
// numbers, so a source that captures other tables than the one whose transactions
// it found, and counts other rows, must not go on (Recovery.WrittenUnder); neither
// must one whose server has given their names to others (Recovery.Renamed).
//
// Invariants, all held by a random search over schedules (TestSchedules), which
// also finds the fault when a rule is left out (TestSchedulesFindMutations):
//
//  1. All readers derive the same logical log.
//  2. After a fence nothing of an older epoch is accepted.
//  3. No change is twice in the logical log, and none is missing; but of a table with
//     a key all that its load is replayed with comes again where the load goes on.
//  4. No checkpoint and no cut before everything that the scan found has been
//     passed again: a cut holds all rows of its position and no other.
//  5. A row is delivered under the table version that it was written under, and
//     after everybody heard of that version.
//  6. The alignment never stands still while the log goes on.
//
// And by tests of their own: what Append writes Parse reads (TestRecordRoundTrip);
// no input makes Parse panic (FuzzParse); a claim that arrives twice takes the
// log from nobody (TestClaims).
package protocol
