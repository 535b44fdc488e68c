// Package kafkalog is the transport through Kafka: a numbered log on top of
// topics that any Debezium consumer can read. It needs of a broker nothing but
// appends and offsets; that nothing is lost and nothing delivered twice comes from
// the numbers (package protocol), and the broker's own deduplication only saves
// work.
//
// Topics are <prefix>.<database>.<table>, one for each table, unless a router gives
// several one topic, in which each has partitions of its own; and one beluga-control.<name> with claims, tables and checkpoints. Rows are Debezium's
// events; a row's partition is the one that Kafka's own partitioner gives its
// key. Control records in data partitions have neither key nor value, only the
// header, so other consumers pass over them.
//
// The lake says where a sink goes on, the last checkpoint where a source does.
//
// A log that nobody else reads can be trimmed behind both.
//
// Invariants:
//
//  1. Whatever dies, and whoever writes on although it was replaced, every row is
//     delivered once, and at every Commit the tables hold what the source held at
//     its position (TestRestarts), even where every answer of the broker may be lost
//     (TestLostReplies) and the workers of a load send at once (TestConcurrentLoad).
//  2. Both ends work with a broker that is not ours (TestLoadThenStreamOnKafka),
//     and so do other consumers (TestOtherConsumersPassOverControlRecords).
//  3. What the log should hold and does not is an error with a remedy, and never
//     skipped (TestLostRecordsStopTheReader, TestAnotherLogIsRefused).
//  4. Nothing is read that was not written by a source of this log
//     (TestForeignRecordsAreRefused).
//  5. A topic that would break the log is refused (TestUnfitTopicsAreRefused).
//  6. A source that was replaced finds out and stops (TestReplacedSourceStops).
//  7. A table that committed a cut alone gets nothing again, and a cut that all
//     committed is delivered all the same (TestTableAhead, TestAllTablesAhead).
//  8. The partition of a key is the one that Kafka's clients choose
//     (TestPartitionOfKey).
//     Where keys come to be of other columns, nothing that may stand in another
//     partition is gone on with (TestLoadUnderOtherKeys, TestChangedSelection).
//     A record is read in the modes that it was written in (TestModesOfEachRecord),
//     and none is written that would lose values (TestLossyModes).
//  9. No cut shows rows of transactions that the source has not come to again
//     (TestNoCutBeforeAllIsPassed), and what a source left unfinished is finished
//     under the same selection of tables only (TestChangedSelection,
//     TestSelectionOutlivesItsClaim).
//  10. A load of all tables that did not end is known as one, and nothing that
//     stood before a load is taken for what comes behind it
//     (TestUnfinishedLoad, TestLoadOutlivesItsRecord, TestLoadWithoutATable,
//     TestKilledReloads). Blocks of a load hold nothing else
//     (TestLoadRowsStandAlone).
//     A load that did not end goes on from what the log holds, and comes to the
//     same (TestKilledReloads, TestLoadGoesOn, TestLoadTellsWhatItSees); progress of
//     rows that are void by now, or told by a source that was replaced, does not count
//     (TestVoidProgress, TestReplacedSourceBeginsNoLoad).
//     Lanes of single tables go on in the same way, or begin anew (TestLanesThroughTheLog).
//     A source is told of the changes of tables behind the checkpoint, to pass them in the
//     same steps; another one is refused (TestAlterPassedAgain).
//  11. A log of any number of tables is read to its end (TestManyTables), and a reader
//     of some of its tables delivers every cut of these (TestReaderOfSomeTables). Tables
//     that share a topic come out as themselves (TestSharedTopic), and none shares that
//     of a table which was not routed (TestTopicOfAnother).
//  12. What the broker has acknowledged reaches a sink of the same process without
//     it (TestPassesByTheBroker), under the same rule as what is fetched
//     (TestRestarts); a sink that is slow finds it in the log, and the source does not
//     wait for it (TestSlowSinkReadsTheLog, TestRelayChoosesTheLog, TestLoansComeBack,
//     TestQueueIsBounded).
package kafkalog
