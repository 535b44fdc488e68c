// Package schema says what the things are that all parts of Beluga speak about:
// a table version, a column and its MySQL and Iceberg types, a block of row
// changes, the key of a row, a position in the source's log, and the events that
// travel from source to sink. It does no I/O and imports no part of Beluga.
//
// Invariants:
//
//  1. Every MySQL type has exactly one Iceberg type, and a value of it exactly
//     one representation in a block (TestLakeTypes).
//  2. Only a Commit carries a position, so that nobody can resume inside a
//     transaction (by construction: Block and SchemaChange have no such field).
//  3. A position is a set of transactions, never the largest one; the set
//     algebra agrees with a model of plain maps (TestGTIDSetAgainstModel, FuzzGTIDSet). MariaDB's
//     domains are such sets too, each of all transactions up to its last
//     (TestDomainsAgainstModel).
//  4. Keys compare by the bytes of their values: two rows of a table have the
//     same key exactly if their key values are the same bytes (TestKeys).
//  5. A type is promoted only where every value of it has the same meaning in the other one
//     (TestPromotions).
//  6. A Table does not change once a block points at it.
package schema
