// Package deletes writes and reads the positions of deleted rows in the two
// encodings that the lake uses: v2 position delete files and v3 deletion
// vectors. Within Beluga a data file's deleted positions are a roaring bitmap.
//
// Invariants:
//
//  1. What is written is read back as the same positions, in both encodings
//     (TestRoundTrip).
//  2. A delete file of one data file says so by equal bounds of file_path: the
//     only scoping that survives in v2 manifests (TestScopedByBounds).
//  3. A delete file does not apply to a data file that is younger
//     (TestSequenceRule).
//  4. A position that no row can have is an error, not another row's
//     (TestPositionsBeyondEveryFile).
package deletes
