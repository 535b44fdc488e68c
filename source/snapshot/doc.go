// Package snapshot reads tables as they were at one position of the binlog, over
// several connections at once: for the first load, and for comparing a lake
// with its source.
//
// Invariants:
//
//  1. Under a lock all connections of a snapshot see the same state, and Position
//     is exactly that state's (TestSnapshotEqualsItsPosition, under concurrent
//     writes). Without one each sees at least Position and at most Overlap
//     (TestSnapshotWithoutLock).
//  2. The chunks of a table hold every row exactly once, whatever its key's type,
//     collation and distribution (TestChunksCoverEveryRowOnce).
//  3. A lock is held for a few statements only, and waiting for it is bounded,
//     because writes queue up behind it (TestLockWaitIsBounded); a deadlock with row
//     locks is given way to (TestLockGivesWay). What is not granted is done without
//     (TestLockingFallsBack).
//  4. Load sends the shape of every table, then rows, then exactly one Commit, or
//     none where there is an overlap (TestLoadOrder).
//  5. A table that is altered or exchanged under a load ends it
//     (TestTableChangedDuringLoad).
//  6. A value becomes the same bytes as in the stream: the value mapper makes both,
//     and rows are read by prepared statements because the text protocol
//     rounds FLOAT (TestFloatIsExact).
//  7. A row without a key never comes twice by the replay of an overlap
//     (TestOverlapWithoutKey).
//  8. What a load tells of as done was sent, and a load that is continued reads the rest
//     and nothing else (TestLedgerAgainstModel). A bound is the same when it is read back
//     (TestBoundsReadBack).
//  9. Chunks come to take the time that they are to take, whatever a row costs (TestAdapt,
//     TestPaceBegins, TestPaceSettles). None has more rows than it may, and finding where
//     they end looks at each entry of the key once at most (TestChunksAreEven).
//  10. Readers wait between two chunks while the server is busy (TestLoadPauses of
//     internal/e2e).
package snapshot
