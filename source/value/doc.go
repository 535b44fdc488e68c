// Package value turns MySQL's values into the one representation that they have
// in a block. It is the only place that does: a load hands it the values of a
// prepared statement, the binlog stream those of row images, and both end in
// the same functions for dates, decimals, text and so on.
//
// Invariants:
//
//  1. A value has the same bytes whether it was read by SELECT or came in the
//     binlog (TestBothPaths, TestBothPathsRandom, TestLargeValues, FuzzDecimal,
//     FuzzDateTime, FuzzTime).
//  2. What cannot be represented exactly is an error that names column, value and
//     remedy. Only zero and partial dates become another value, NULL if nothing else
//     was chosen, and those are counted (TestRefusedValues, TestRefusedForms, TestBeyondTheType,
//     TestZeroDatesAreCounted).
//  3. Text in a block is valid UTF-8 (TestInvalidText), and of every character
//     set the characters that the server takes its codes for (TestCharsetTables,
//     TestEveryCharacter, TestEveryCharsetInEveryColumn). A code without one is an
//     error in both paths (TestUnassignedCodes).
//  4. Two keys that MySQL tells apart have two representations; what could become
//     another key's is an error (TestAliases, TestKeysThatBecomeOne, TestKeysOfBytes,
//     TestKeyLabels).
//  5. A column stays in the form in which it came into the lake, whatever is chosen
//     later (TestForms, TestFormsAreKept), and costs no allocation (TestFormsWithoutAllocation).
//  6. Decoding never looks beyond the bytes it was given, whatever they are
//     (FuzzImage, FuzzText, FuzzJSON, FuzzCharsets), and makes not many times as
//     much of them (TestSharedJSON).
//  7. A treated value is nowhere but in the source: what stands in a block is the
//     mask, the hash, or what is left (TestTreatments, TestColumns).
package value
