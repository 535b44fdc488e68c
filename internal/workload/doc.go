// Package workload changes a database in every way that replication has to
// follow: all types, all kinds of keys, and transactions that update, replace,
// delete, insert again what was just deleted, change keys, touch several rows and
// tables, load files, roll back and use savepoints, in one phase or in two, from
// several sessions at once. Triggers and foreign keys change rows on top. The
// end-to-end tests run it against a server and compare afterwards.
//
// Invariants:
//
//  1. The seed decides what each session does; only the order between sessions is
//     the server's (TestSameSeedSameStatements).
//  2. Changes counts what was committed, and nothing that was rolled back
//     (TestChangesAreThoseOfTheBinlog).
//  3. Every kind of statement occurs, and succeeds (TestEveryStatementOccurs).
//  4. Every type of column that Beluga maps occurs (TestEveryTypeOccurs).
//  5. Tables can be altered all the while (TestAlterBesideRun).
package workload
