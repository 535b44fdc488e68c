// Package signal reads what a signal asks for: a row of Debezium's signal table,
// or the same by another way. It does nothing itself.
//
// Invariants:
//
//  1. What Debezium's documentation shows of each signal is understood
//     (TestParse), and what would be ignored is refused with the reason
//     (TestRefused).
//  2. No input makes Parse panic (FuzzParse).
package signal
