// Package servers gives tests the real servers they run against: MySQL, MariaDB,
// Kafka, and a Python with the readers that Beluga's output is compared with.
// The ways to get a server are those of testdata/servers; this package adds its
// life within a test binary. Only tests import it.
//
// A server that a test binary started stops with it, however the binary ends:
// the starter script holds the server as long as its standard input is open,
// and the kernel closes that with the process.
//
// Invariants:
//
//  1. A server that is handed out answers: the starters wait by the server's
//     protocol (TestMySQLServesQueries, TestMariaDBLogsWhatBelugaReads,
//     TestKafkaAnswersMetadata).
//  2. No two servers share an identity, though all start from one copied data
//     directory (TestMySQLServersHaveTheirOwnUUID).
//  3. A restart keeps data and address (TestMySQLRestartKeepsData).
//  4. Nothing that was started outlives the test, or a test binary that was
//     killed (TestMySQLStops, TestServerDiesWithTheTestBinary).
//  5. Two test binaries that start servers at once are never given the same port
//     (TestPortsAreHeld).
//  6. A test that cannot get its server says why, where it is seen without -v
//     (TestSkipIsRecorded), and there is no other way to skip
//     (TestEverySkipIsSeen).
package servers
