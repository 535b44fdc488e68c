// Package pipeline says how events travel from a source to a sink: over which
// transport, folded how, and cut into batches where. It owns no server and no
// file; the packages below it do.
//
// Invariants:
//
//  1. A batch ends only where a Commit stood, so what the lake shows is the state
//     between two transactions (TestBatchesEndAtCommits).
//  2. Of one key a batch holds at most one row or one deletion, and it is the last
//     state of the key (TestFoldAgainstModel). Of rows without a key it holds the
//     net change of each kind (TestFoldOfRowsAlike).
//  3. Rows that a table has already are dropped: after a crash between the commits
//     of a cut nothing is applied twice (TestTablesAhead).
//  4. No cut is published while a table is ahead of it (TestTablesAhead).
//  5. What waits in memory is bounded by bytes, even in a transaction of any size
//     (TestHugeTransactionSpills, TestDirectIsBounded).
//  6. A source that is told to stop ends at a Commit, and what is complete is
//     committed (TestStopCommits).
//  7. A position of a later load stands beyond those of earlier ones, whatever
//     transactions are in it, and no cut holds rows of two loads
//     (TestLoadAfterReset, TestLoadEndsHistory).
//  8. What of a load is made durable before its end has rows of the load only, and is no
//     cut (TestCheckpoints, TestLoadContinued).
//  9. Keys of records may be of other columns than the table's key only where all changes
//     of a row still have one (TestMessageKeys).
//  10. Rows of a lane are handed on as they come, fold after what the stream sent before
//     them, and the end of a lane is a cut of its own (TestLaneRows). They hold up no
//     batch of the others (TestLaneRowsDoNotHoldUp).
package pipeline
