// Package source reads MySQL or MariaDB: it checks whether a server can be replicated,
// loads its tables in one consistent state, and follows its binlog from there.
// It is the only part of Beluga that knows the MySQL protocol.
//
// The parts: session (statements), value (one representation of each value),
// snapshot (the load), binlog (the stream). This package puts them together:
// configuration, preflight, the shapes of tables, the rules of positions, Run.
//
// Invariants:
//
//  1. Every fault that the server shows is told at once, each with what repairs it
//     (TestPreflightFaults, TestMissingGrants).
//  2. Nothing is skipped: a position that the server cannot continue is an error
//     that names the exact difference (TestPositionLost, TestAheadOfServer). A
//     replica that is promoted goes on where the old source ended, and one that
//     lags is waited for (TestFailover).
//  3. A table has the same shape whether it is read from information_schema or
//     from the binlog (TestShapesAgree), and the same key (TestKeysAgree).
//  4. The values that old rows show in a new column are those that a load would read
//     (TestFillEqualsSelect), whatever became of the column by the time the stream comes to
//     it (the case defaults-of-another-time of testdata/sql).
//  5. A load's last event is a Commit at the snapshot's position, and the stream
//     continues exactly there (TestRunLoadsThenFollows).
//  6. A table whose changes were not followed, or that was never loaded, is loaded
//     beside the stream, or no reason for silence (TestLanesTellWhatHappens; TestRefusesToForgetTables and
//     TestCheckTellsOfTablesThatWereNeverLoaded of internal/e2e).
//  7. A snapshot mode does at a start what Debezium's of that name does
//     (TestModeRules; TestModesWhenPurged, TestModesWhenReset and
//     TestPositionLostWhileRunning of internal/e2e).
//  8. What is published of a load without a lock is one state of the server
//     (TestLoadWithoutLock, TestOverlapHoldsCommits).
//     On MariaDB it is replayed by what each snapshot says of itself
//     (TestLoadWithoutLockOnMariaDB of internal/e2e), and a position is the last
//     transaction of each domain (TestPositionLostOnMariaDB of internal/e2e).
//  9. Every error that leaves the package names cause and remedy, once
//     (TestConnectFaults).
//  10. A statement is about the tables that its server takes it for, on a server that
//     keeps names in lower case too (TestLowerCaseNames).
//  11. A statement that is run as heartbeat ends nothing by failing
//     (TestHeartbeatActionQuery of internal/e2e).
//  12. Of servers that are left out, nothing is asked for, missed or taken twice
//     (TestGTIDSourcesAsk; TestGTIDSources of internal/e2e).
//  13. What a load has to wait for is what was asked for, and is tried before it begins
//     (TestPauseLimits, TestPauseFaults; TestLoadPauses of internal/e2e).
package source
