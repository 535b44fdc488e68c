// Package binlog streams MySQL's binary log as events in commit order: blocks
// of typed rows, schema changes, and commits with positions.
//
// The library makes the connection; packets and events are read here, and rows
// go from the packet into the vectors of their block without a value of their
// own in between.
//
// Invariants:
//
//  1. A Commit stands only between two transactions, and its position is the set
//     of exactly the transactions before it (TestStreamFollowsAModel,
//     TestNothingIsPublishedBehindAFault).
//  2. A lost connection neither doubles nor loses a row: the transaction that it
//     cut is read again from its start, and rows of it that were taken are
//     skipped by their number (TestKilledConnection, TestCutAtAnyByte). A silent
//     network is a lost connection, and a slow sink is none (TestSilentNetwork,
//     TestSlowSink).
//  3. Memory is bounded, however large a transaction is (TestLargeTransaction); of a
//     row, there is one event at a time (TestLargeRow).
//  4. What cannot be followed stops the stream and names table, statement and
//     remedy; nothing is skipped (TestRefusals, TestAltersThatChangeValues).
//     A column that is gone while another is new is followed only if a statement said
//     which of them is which (TestRefusals, TestColumnsGoAndChange, TestNamesDecideWhatIsWanted), and what a statement
//     says of names is announced with it (TestStatementsAheadOfTheDictionary); so is what
//     it says of defaults, which the dictionary may have of another time (TestDefaults), and those of
//     before this run are looked for in the log (TestDefaultsOfEarlierRuns). Another key is
//     announced where rows are told apart by it (TestKeysChange).
//     TRUNCATE voids the rows before it, and nothing else (TestTruncate).
//     DROP ends a table, and CREATE under its name begins another one (TestDrop).
//     RENAME ends the names that are gone, and has those loaded again that show another
//     table (TestRenamed, TestGhost of internal/e2e). So are tables that lose rows
//     with a partition, and those whose rows get values in a column that the server makes
//     for each (TestCorpus of internal/e2e). Types that may not hold what the columns
//     held stop the stream, or have the table loaded again (TestIncompatible of internal/e2e), or
//     the column begins anew beside what it held (TestNewColumn of internal/e2e).
//  5. The shape under which rows are decoded is their own table map's, never
//     information_schema's of another time (TestAddColumn). A map without names is
//     asked about again after an ALTER (TestMinimalMetadataAfterAlter).
//  6. Rows of an XA transaction are sent when it commits, under the GTID of its
//     COMMIT, wherever it was prepared (TestXA, TestLargeXA); if that is gone, the
//     stream stops (TestPurgedXA).
//  7. A row's place is its own: GTID and number, or file, offset and number, also
//     within compressed transactions (TestRowsOfOnePlaceAreNumberedThrough).
//  8. Parsing never looks beyond an event, whatever it holds (FuzzEvent,
//     FuzzTableMap).
//  9. The names in a statement are those that its client meant, whatever the
//     client's character set (TestClientCharset, TestTextThatCannotBeRead) and SQL mode
//     (TestNamesAndTexts).
//  10. A server that counts its transactions anew is found out, also where it leaves
//     out in silence those that have the names of ours (TestResetBeforeTheFirstFile).
//  11. MariaDB's own events, domains and statements keep all of this
//     (TestMariaDBFollowsAModel, TestMariaDBXA, TestMariaDBStatements,
//     TestMariaDBPassesOver, TestMariaDBPositionLost).
//  12. Whatever way a statement is written in, rows come under the shape that the server
//     showed when they were written, or the stream stops (TestRandomDefinitions), on MariaDB
//     too, and where the log has no names of columns.
//  13. A run that comes to statements again, of which a log holds changes, announces
//     these, and then what is left (TestChangesComeAgain).
package binlog
