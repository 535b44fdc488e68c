// Package debezium writes row changes as Debezium's JSON events and reads them
// back: the envelope with before, after, source and op, one record for each
// change, and tombstones. Its values are those of Debezium's handling modes
// (Modes), its JSON that of Kafka Connect's converter, with schemas or without. So
// any consumer of Debezium's topics reads ours, and we read Debezium's.
//
// Rows go straight between vectors and text. Nothing is allocated for a row, and
// what repeats (names, the source block) is made once.
//
// Invariants:
//
//  1. What is written equals what Debezium wrote for the same rows, byte by byte,
//     but for the differences below (TestRecordedEvents, TestRecordedTypes,
//     TestRecordedModes, TestRecordedSchema).
//  2. What Debezium wrote can be read, with schemas and without
//     (TestDecodeRecorded).
//  3. What was written reads back as the same values, floats to the bit, in
//     whatever modes, order of fields and white space (TestRoundTrip, TestGeometry,
//     TestGeometryOfOthers). Modes under which it would not are refused
//     (TestLossyModes).
//  4. A value that cannot be held exactly is an error that names table, column and
//     text, and a faulty event leaves the block as it was (TestFaultyEvents,
//     TestFaultyRows, TestFaultyModes, FuzzDecoder).
//  5. A change of key is a deletion under the old key and a creation under the new
//     one (TestRecordedEvents).
//  6. No allocation for a row (TestAllocations).
//
// # What a block holds
//
// BIT(n) is bytes as MySQL's SELECT gives them, the highest first. A DECIMAL of
// more digits than the lake's decimal is the text that MySQL prints. A geometry is
// EWKB: WKB with the SRID within, where it has one. All else is as schema.Vec says. An encoder needs all columns of old images; a decoder keeps
// of them only the key, which is all that a sink asks for, and everything where a
// table has no key.
//
// An event is read with the table version that it was written under. Fields that
// the version does not have are skipped; fields that it has and the event has not
// are an error.
//
// # Compatibility
//
// Differences from Debezium MySQL 3.6 on purpose:
//
//   - A row looks the same whether a load or the stream brought it. Debezium
//     reports negative and long TIME values wrongly in its snapshot, escapes the
//     comma of an ENUM value in the stream (c,d as c\,d), and keeps the blanks and
//     the number's spelling of JSON text only in the snapshot.
//   - YEAR 0 is 0, not 1900.
//   - A date that does not exist in the calendar is what the source made of it
//     (null), never 1970-01-01.
//   - source.snapshot is "true" for every row of a load: rows are read by many
//     connections at once, and none of them is the first or the last.
//   - A value that cannot be encoded stops the table. Debezium logs it and writes
//     null.
//   - The headers __debezium.context.* are left out, as with
//     extended.headers.enabled=false.
//   - A POINT has wkb and srid like all other geometries, without x and y.
//   - Schemas have no default for columns of dates, times, bits and bytes, nor for
//     those that are masked on the way.
//   - A null stays null even where the column has a default, as with the
//     converter's replace.null.with.default=false.
//
// A column in a form that was chosen for it is in its event what it is in the
// lake: a TINYINT(1) a boolean, as Debezium's own converter makes it, a TIME a
// number of µs or MySQL's text.
//
// Not understood when reading: the placeholder for columns that a row image of
// NOBLOB leaves out, truncate events, and TIME values outside of a day where the
// lake's type has no place for them.
package debezium
