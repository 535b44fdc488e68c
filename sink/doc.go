// Package sink makes batches of changes durable in Iceberg tables: one snapshot
// a table and batch, then one published cut over all tables.
//
// A Lake holds, for every table it writes, where each key's row is (the key
// index) and which rows of which file are deleted. A change of a row is a new row in
// a new data file and, for the old one, a deleted position. Nothing is read back
// to make it.
//
// Every commit carries the state of its table: position, cut number, and who
// wrote it. It stands in the snapshot's summary, so that it goes back with the
// data if somebody rolls the table back, and as a property of the table, so that
// it outlives expiry and the commits of others. The table's shape is only a
// property, since a rollback leaves the schema as it is.
//
// Invariants:
//
//  1. A commit lands only on the head that its batch started from, and an error
//     never decides whether it landed: the table's state does
//     (TestFailpoints, TestLostReply, TestAnotherInstanceByCommit).
//  2. After a crash at any step, a restart goes on from a published cut, and the
//     tables hold each row once (TestFailpoints, TestAgainstModel).
//  3. A file that an attempt with an unknown outcome names is never deleted (by
//     construction: only files of landed snapshots are given up).
//  4. No data file has more live delete files than maxDeleteFiles
//     (TestDeleteFilesStayFew).
//  5. Field ids stay with their columns; a column that is not part of the key is
//     optional, one that is part of it is required (TestAddColumn). A key that Iceberg
//     does not take for identifier fields is none there (TestKeyOfFloats). Renames and
//     moves keep them, and the id of a column that is gone is never another's
//     (TestColumnsDroppedAndRenamed, TestKeyRenamed). A column that becomes wider keeps its own
//     too, and rows of narrower files are found by it (TestColumnsWidened). Rows are found by
//     another key once there is one (TestKeyChanges), unless it tells them apart only in MySQL (TestKeyThatTellsNoRowsApart).
//     A table that was truncated is the same one (TestTruncated).
//     One that was dropped in the source stays readable, in no cut, or is removed as was
//     chosen; one that is made under its name has none of its rows (TestDropped).
//  6. A cut is published after all its tables, and names their snapshots
//     (TestCuts).
//  7. A table that is not this pipeline's is never changed (TestForeignTables).
//  8. A table that a load of all tables did not bring keeps what the last cut
//     before showed of it, and is in no cut since (TestTablesLeftBehind).
//  9. A table can be read as it was told of for an hour, also when its snapshot was
//     expired (TestReadOutlivesTheSnapshot).
//  10. A table without a key has each row as often as it was inserted and not
//     deleted; a deletion of a row that is not there stops the table
//     (TestKeylessAgainstModel, TestKeylessRowThatIsNotThere).
//  11. Readers see a load when it is complete. Until then it is on a branch of the table,
//     from which a later process goes on (TestLoadIsShownWhenComplete, TestLoadFailpoints,
//     TestLostReplyOfCheckpoint), also with rows that came before (TestLoadComesTwice); one that is followed by another load is given up
//     (TestLoadBeginsAgain).
//  12. A table in a lane is in no cut, main stays as it was, and a later process finds it
//     at the position of its branch (TestLaneStaysHidden, TestLaneFailpoints,
//     TestLaneRowsWait).
//  13. Names in the lake are those that the rules make of MySQL's, and stay with field ids
//     and readers as MySQL's would (TestNames). Neither a table nor a column takes the name of
//     another (TestNamesTaken).
//  14. Each shape that a table had is in its history from the commit on that shows it, with
//     field ids and what the source told of it (TestHistoryOfShapes).
//  15. Rows that are there show the default of a column that is added, be it in the schema
//     or in files that are written anew (TestAddColumnWithFill, TestDefaultsInMetadata).
//     Writing anew keeps what was set apart (TestNewColumn of internal/e2e).
//  16. Nothing that a commit made obsolete stays in memory (TestOldVersionsAreLetGo).
package sink
