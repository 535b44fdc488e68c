// Package e2e holds the end-to-end tests: the real binary between a real MySQL
// and a real lake, over every transport, killed at random moments, and at the end
// every row compared by `beluga verify` and by readers that are not ours (PyIceberg and
// DuckDB). It has no code but its tests.
//
// Invariants:
//
//  1. Whatever moment the process is killed at, the lake ends equal to the
//     database, row for row, with each way of deleting (TestKilledAtRandomMoments).
//     So it does after many random statements that mix all there is, with the
//     server restarted too, with and without GTIDs, and with tables that are altered all
//     the while on the direct way (TestRandomStatements).
//  2. Everything that is wrong with the command line, the configuration file,
//     the server, the user's rights, the tables or the warehouse ends the
//     process with the exit code and the text of its tests, all of it at once,
//     and before anything is made (TestRefusesWrongCommandLines,
//     TestRefusesServersOutOfReach, TestMissingGrants, TestFaultyServer,
//     TestRefusesServerWithoutBinlog, TestRefusesToReplicateNothing,
//     TestRefusesForeignWarehouses).
//  3. A statement that a message proposes repairs what it is about
//     (TestMissingGrants, TestFaultyServer, TestTableWithoutKeyWhileRunning).
//  4. What another pipeline, another tool or another instance writes is left as
//     it is, and goes on undisturbed (TestRefusesTablesOfOthers,
//     TestRefusesSecondInstance).
//  5. No table's changes are passed over because the choice of tables changed:
//     neither of one that the lake follows (TestRefusesToForgetTables), nor of
//     one that it never loaded (TestCheckTellsOfTablesThatWereNeverLoaded).
//  6. Where the server no longer has what the lake needs, or has less than the
//     lake, the run ends with the exact transactions and a code of its own
//     (TestPositionLost). A statement that cannot be followed ends it with the
//     table and the statement, and leaves the lake at the transaction before or
//     an earlier one (TestStatementsThatCannotBeFollowed).
//     In the modes that load anew instead, the lake is equal to the server
//     afterwards, over each transport (TestModesWhenPurged, TestModesWhenReset,
//     TestPositionLostWhileRunning, TestAnotherServerTakesTheAddress).
//     What the log holds and the server has lost does not pass for what the server
//     has under the same names (TestServerLosesWhatTheLogHolds).
//     A load by a user who may not lock is as exact as one under a lock
//     (TestLockingWithFewGrants).
//  7. The one change of values, zero dates to NULL or 1970-01-01, is counted aloud
//     (TestZeroDatesAreCounted).
//  8. SIGTERM commits whole transactions that were read, and never shows half a
//     load (TestSigtermWhileStreaming, TestSigtermWhileLoading). At whatever
//     moment it comes the run ends well (TestSignalWhileOpening), unless a commit
//     takes longer than it may (TestShutdownDeadline) or a second signal comes
//     (TestSecondSignal); both lose nothing.
//  9. Rows of an XA transaction are in the lake once it is committed, and only
//     then, wherever a load, a stop or a kill falls between its phases (TestXA).
//  10. A password that is replaced under a running process costs nothing but the time
//     until its file holds the new one (TestPasswordRotation).
//  11. verify looks at what readers of a table see, also where another writer changed
//     it after the last cut (TestVerifySeesForeignWrites), and counts rows that are
//     alike (TestVerifyCountsDuplicates).
//  12. Text of all character sets, geometries, and generated, invisible and
//     defaulted columns reach a reader that is not ours as MySQL shows them, by load
//     and by stream, directly and through the log (TestTypes). So do columns in forms
//     that were chosen, and keep them when the options change (TestForms).
//  13. What was not to leave the source is nowhere in the lake or the log
//     (TestColumns).
//  14. What SQL did to a database is in the lake, whether it was loaded or streamed
//     and over whichever transport, or the run ends with the text of its case
//     (TestCorpus), whether or not the server encrypts its binlog
//     (TestEncryptedBinlog). So it is with MariaDB as the source (TestCorpusOfMariaDB), killed
//     at random too (TestKilledAtRandomMomentsOnMariaDB).
//  15. A load that is killed goes on where it was, and costs little more than one that is
//     not (TestKilledLoadCostsLittle). Until it is complete nobody sees any of it, and
//     then it equals the database, whatever was written or altered meanwhile
//     (TestKilledLoads, TestInterruptedLoadThatCannotGoOn).
//     Columns that were altered have the field ids of their case, and readers of an
//     older snapshot see the columns and rows of then (TestCorpus); killed at random
//     while columns come, go and change, too (TestKilledWhileAltered).
//  16. Where rows are read slowly a load takes fewer at a time (TestChunkTime).
//  17. The position of a server on which nothing happens moves by the statement that is
//     configured for it (TestHeartbeatActionQuery).
//  18. Transactions of servers that are left out are passed over and count as seen, also
//     on a server that does not have them, or has purged them (TestGTIDSources).
//  19. A load waits while the server is busy or behind, and ends equal (TestLoadPauses).
//  20. Records have the keys that were chosen, all of one key in one partition and in the
//     order of the changes, and the lake is equal (TestMessageKeyColumns).
//  21. Tables and columns have the names that were chosen, for every reader and command, through
//     whatever transport and after whatever DDL; other names than those of the lake, and names
//     that collide, are refused (TestNames, TestNamesThatCollide).
//  22. The lake tells each shape that a table had, with the statement, the transaction and the
//     field ids, through whatever transport (TestTableHistory).
//  23. A table that a tool for schema changes migrates under traffic is equal after it, with its
//     field ids and old snapshots, and the others do not wait (TestGhost,
//     TestPTOnlineSchemaChange).
//  24. A table that is altered so that the rows in the lake cannot follow is loaded again
//     beside the others, if that was chosen, killed at random too; columns keep their field
//     ids where their types allow it (TestIncompatible), and it is told (TestIncompatibleIsTold).
//  25. A lake in S3 is as exact, also to a reader that is not ours; of two instances that no lock
//     keeps apart, one at least ends with its own exit code (TestLakeInS3).
package e2e
