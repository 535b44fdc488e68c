// Package cutfile is the data files of the table of cuts. They are not made of
// blocks: their last column is a map.
//
// Invariants:
//
//  1. What is written is read back the same (TestRoundTrip).
package cutfile
