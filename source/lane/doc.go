// Package lane loads single tables beside the stream: tables that are captured only
// now, and those that somebody wants loaded again. All others go on meanwhile.
//
// The rule, of a table with a key. A range of it is read by a SELECT of its own. A window
// is opened before: from then on every key that the stream sends of the table is noted.
// Then the server is waited for until it shows all that stands in its binlog, and
// only then it is asked. A row whose key was noted is dropped; another one is sent at the
// stream's present place. Why it is right: of a key that was noted the stream has
// brought a newer state, or will bring the same again. Of one that was not, all changes
// that were sent before the window are in the row, and all that come are sent behind it
// and win. What was read may be ahead of the stream, though: the table means something
// once the stream has passed what the server had executed when the last range was
// read. Until then it is in no cut, and Commits name it in Loading.
//
// So the order of the calls of Send is what counts, and a mutex for each table keeps it:
// the stream notes and sends under it, a reader compares and sends under it.
//
// Rows without a key cannot be put twice, and a server without GTIDs does not say what a
// statement shows. Such tables are read in one snapshot at an exact position. Changes
// before it are dropped, those behind it wait until its rows are sent. More than a
// bound of them makes the stream wait.
//
// Invariants:
//
//  1. A row that was read never takes the place of a newer one (TestRowsOfKeysThatChange,
//     and TestKilledLanes of internal/e2e under traffic).
//  2. A lane survives the end of the process at any moment (TestTakenElsewhere, TestConditionWaits; TestKilledLanes of
//     internal/e2e): Commits carry what is left, and a lane of one snapshot begins
//     again.
//  3. What a lane has under way is bounded, so that the others do not wait for it
//     (TestWindow; TestLaneLeavesOthersAlone of internal/e2e).
//  4. A statement that reaches a table in its lane, and cannot be followed, has the lane
//     begin anew and stops nothing (TestLanesMeetDDL and TestLaneOfTableThatIsDropped
//     of internal/e2e). Changes that are passed over until then are seen by what is
//     read later, and Commits say that the rows so far are void.
//  5. Whoever asked for a lane hears of its beginning, of its rows, and of its end (by
//     the tests of package source, which have a server).
package lane
