// Package parquetfile writes and reads Iceberg's Parquet files, data files and
// position delete files, straight from and to the vectors that rows travel in.
//
// Pages are assembled here and not by a library: the values of a vector are
// almost the bytes of a PLAIN page already, so a column is written by one loop
// of copies, and compressing, the dear part, runs beside it. Values are PLAIN
// throughout; only the path column of position delete files has a dictionary. The
// elements of lists stand one behind the other, and levels in front of them,
// made as runs, say where each list begins.
// Reading goes through parquet-go, because files of other writers, with any
// encoding, must be read too.
//
// Invariants:
//
//  1. What is written is read back the same, value for value, by this package
//     (TestRoundTrip, TestAnyFile), by parquet-go (TestParquetGoReads), and by
//     PyArrow and DuckDB (TestOtherReaders).
//  2. A value that does not fit its column (a null where it is required, a
//     decimal of too many digits) is an error, never another value
//     (TestRefusedValues).
//  3. Bounds hold for every value of the file, and are left out where that
//     cannot be said (TestBounds, TestStringBounds, TestAnyFile).
//  4. Every compressed page is a zstd frame that any decoder reads
//     (TestHuffmanFrames, TestAdaptiveCodec).
//  5. The bytes of a file depend on the rows and the options only, not on how
//     goroutines ran (TestSameBytes).
//  6. A file that cannot be read right is refused: a column is null only where
//     the file says so or is older than the column (TestRefusedFiles); then it shows its
//     initial default, if it has one (TestInitialDefault).
//  7. No goroutine outlives Close or Abort (TestMain, TestAbort).
package parquetfile
