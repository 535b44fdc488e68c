// Package e2e holds the end-to-end tests: the real binary between a real MySQL
// and a real lake, over every transport, killed at random moments, and at the end
// every row compared by `beluga verify` and by a reader that is not ours. It has
// no code but its tests.
//
// Invariants:
//
//  1. Whatever moment the process is killed at, the lake ends equal to the
//     database, row for row, with each way of deleting (TestKilledAtRandomMoments).
//  2. verify looks at what readers of a table see, also where another writer changed
//     it after the last cut (TestVerifySeesForeignWrites).
package e2e
