// Package embedded runs a Kafka broker inside the process, for trials, tests and
// small installations: nothing to set up, and the rest of Beluga speaks to it as
// to any other broker. It listens on the loopback interface only.
//
// The broker is kfake, which keeps its log in files of Kafka's own batch format.
// What it does not do is done here: one process only, no start on a directory
// that is somebody else's, and none on a log with a hole. (Its own way with a
// damaged batch is to cut the log there, which a reader would take for the end.)
//
// Invariants:
//
//  1. What was acknowledged survives the end of the process, also by SIGKILL
//     (TestRestart, TestKill).
//  2. Two processes never have the same log open (TestLock).
//  3. A directory that holds anything else is left untouched (TestForeign).
//  4. Trimming frees the disk and moves no offset, whatever ends the process
//     (TestTrim).
//  5. A log with a batch that is damaged, or missing between two others, is refused
//     and not cut; only an unfinished batch at its end, which nobody was told of,
//     may go (TestDamage, TestTornTail).
//
// Limits. An acknowledged record survives the end of the process, but not a loss
// of power: nothing waits for the disk. All partitions share one core. Opening reads the whole log, about a
// second for each gigabyte, twice. Nothing goes by age or size, because a record
// that was dropped before it reached the lake would be a gap: whoever knows that
// one did says so to Trim.
package embedded
