// Package snapshot reads and writes Iceberg snapshots by their manifests.
//
// The calls of iceberg-go for this do not fit a stream of changes: its RowDelta
// cannot take v2 position delete files away, and its replace calls accept a
// delete file that readers then ignore. Stage therefore writes one snapshot for
// everything a batch does, with the library's own manifest writers.
//
// Invariants:
//
//  1. A snapshot removes exactly the files that it is told to, or is refused
//     (TestRemovingWhatIsNotLive).
//  2. Files that stay keep their sequence numbers, whatever manifest they move
//     to (TestMergeKeepsSequenceNumbers).
//  3. The number of manifests of a table stays bounded (TestManifestsStayFew).
package snapshot
