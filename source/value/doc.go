// Package value turns MySQL's values into the one representation that they have
// in a block. It is the only place that does: a load hands it the values of a
// prepared statement, the binlog stream those of row images, and both end in
// the same functions for dates, decimals, text and so on.
//
// Invariants:
//
//  1. A value has the same bytes whether it was read by SELECT or came in the
//     binlog (TestBothPaths, TestBothPathsRandom).
//  2. What cannot be represented exactly is an error that names column, value and
//     remedy. Only zero and partial dates become NULL, and those are counted
//     (TestRefusedValues, TestZeroDatesAreCounted).
//  3. Text in a block is valid UTF-8 (TestInvalidText).
//  4. Decoding never looks beyond the bytes it was given, whatever they are
//     (FuzzImage, FuzzJSON).
//  5. A treated value is nowhere but in the source: what stands in a block is the
//     mask, the hash, or what is left (TestTreatments, TestColumns).
package value
