// Package naming says what the lake calls what MySQL has: namespaces, tables and
// columns. It is a pure function of rules that the user chose; the sink asks it
// when it makes a table or follows a change of one, never for a row.
//
// The mapping sits on the side of the lake. Events, positions, signals and messages
// have MySQL's names, so that a topic means the same to every reader of it, and a
// rename in MySQL is told from a rename in the lake.
//
// A name that stands in Rules.Rename is called exactly so. Any other goes through
// the rule for regular expressions that matches first, then sanitising, then case,
// then the prefix.
//
// Invariants:
//
//  1. Without rules every name is MySQL's (TestIdentity).
//  2. Each rule does what its line in the table of the tests says, in that order
//     (TestNames).
//  3. Rules that make no sense are refused before any table is seen (TestBadRules).
//  4. Two tables of one name, or two columns of one table that Iceberg's readers
//     take for one, are found, all at once (TestCollisions).
//  5. Two mappings are told apart by what they call a table and its columns
//     (TestDifference).
package naming
