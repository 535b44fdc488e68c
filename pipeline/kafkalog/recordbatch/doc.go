// Package recordbatch writes and reads Kafka's record batches (format v2).
// Batches are built in a buffer that is used again, and records are read where
// they lie, so that a record costs no allocation on either side: the client
// library's own record types cost several per record, and more with headers.
//
// Invariants:
//
//  1. What Builder writes, other implementations of the format read as it was
//     meant, for every codec (TestOtherParsersReadOurBatches), and our Reader too,
//     however large a batch is (TestWhatIsWrittenIsNotTooLargeToBeRead).
//  2. What other implementations write is read here (TestReadsForeignBatches).
//  3. No input makes the reader panic, read out of bounds or allocate without
//     limit; a batch that was changed on its way is an error (FuzzReader,
//     TestChangedBatchIsAnError).
//  4. Stamp changes the producer's fields and nothing else (TestStamp).
package recordbatch
