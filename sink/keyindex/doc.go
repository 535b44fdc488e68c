// Package keyindex maps the key of a row to the file and position where the
// row stands, so that a delete or update becomes a position at the time it is
// written and no reader ever has to match keys.
//
// Keys of a single integer column are held as they are, others as 128-bit
// hashes; both in an extendible hash table of small segments. Integer keys that
// lie close together, as those of AUTO_INCREMENT do, move to pages of an array
// by themselves: a third of the memory and a fraction of the time.
//
// Memory, about: 8 bytes for a key on a full page, 32 at the least density that
// makes a page; 20 to 25 bytes for an integer elsewhere; 30 to 37 for a hash.
// Growing is done in pieces: the longest pause is that of moving one page or
// segment, some ten thousand memory accesses, however many keys there are,
// except that a look for dense pages, which is due when the hashed keys have
// grown fourfold since the last, passes over all of them once.
//
// A table without a key is indexed by the hash of whole rows. Rows that are alike
// share it, so such an index holds several locations for a key, at 20 to 25 bytes
// for each beyond the first.
//
// Invariants:
//
//  1. The index behaves as a map from key to location
//     (TestIndexAgainstModel, for both kinds of keys).
//  2. Whatever the keys are, none is slow to find: multiples of powers of two,
//     the extremes, and keys of equal hash (TestAdversarialKeys,
//     TestEqualHashes).
//  3. Deleting and inserting for ever does not make it grow
//     (TestChurnKeepsMemory), and integers that move on stay on pages
//     (TestSlidingWindow).
//  4. An integer key is on its page if the page exists, else in the table,
//     never in both (TestIndexAgainstModel checks it after every step).
//  5. An index of several locations a key behaves as a map from key to a stack
//     of them (TestMultisetAgainstModel).
package keyindex
