// Package verify compares the tables of a source and of a lake row by row while
// both go on changing.
//
// Both sides are read in unchanging states: the source in a consistent snapshot
// at a position G, the lake at a published cut C. The first round compares what
// there is, whatever C is: rows that are the same on both sides need no position
// to prove it. Rows that are not are looked at again in later rounds, each with a
// new G behind the C before, and with a C that contains it. A row differs for
// good if G and C are the same position, or if several rounds in a row saw the
// same two values: between two of them the lake stood at a state that the source
// had had, and had both sides been moving, one of them had shown another value.
//
// Memory is bounded however large the tables are: the first reading adds up
// row hashes in buckets by key hash; only buckets whose sums differ are read
// again row by row, as many at a time as the memory holds.
//
// Invariants:
//
//  1. Every difference of a row is found: missing, extra, changed, doubled
//     (TestCorruptions).
//  2. A row that is only on its way is never reported (TestRowsOnTheirWay).
//  3. What is held of rows is bounded by Options.Memory (TestPasses).
//  4. Columns are compared by name, whatever their order (TestReorderedColumns).
package verify
