// Package sysbench makes the tables of the sysbench OLTP benchmark, fills them,
// and changes them the way its oltp_write_only does: the load that bench and the
// demo put on a server. It is not a port; only the shape of rows and
// transactions is the same, so that figures can be compared.
//
// Invariants:
//
//  1. A table that this package did not make is never touched
//     (TestForeignTablesStay).
//  2. The number of row changes is known exactly: a transaction is repeated until
//     it is committed once (TestWriteCounts).
//  3. The same seed makes the same rows (TestDigits).
package sysbench
