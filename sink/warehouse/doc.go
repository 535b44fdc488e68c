// Package warehouse is the folder that a lake lives in: its SQLite catalog, the
// names of its folders, its durability, and the lock that keeps a second
// instance of a pipeline out.
//
// Layout: DIR/catalog.db is an Iceberg catalog of the kind that PyIceberg
// (SqlCatalog) and Spark (JDBC) read, under the catalog name "beluga". A table
// lies at DIR/<namespace>/<table>/{data,metadata}. Beside each metadata file
// there is a link vN.metadata.json, and version-hint.text holds N, so that
// readers without a catalog find the head too.
//
// Invariants:
//
//  1. No two names of databases or tables share a folder, and none leads out
//     of the warehouse (TestFolderNamesAreInjective).
//  2. A folder that something else owns is never written to (TestRefusals).
//  3. A metadata file and its folder are on disk before the catalog names it
//     (TestFilesAreSyncedBeforeTheyAreNamed).
//     An object in S3 is there whole or not at all (TestObjects).
//  4. Two instances of one pipeline do not hold the warehouse at the same time
//     (TestSecondInstance).
//     Elsewhere than in a folder there is no lock, and the commits keep them apart
//     (TestLakeInS3 of internal/e2e).
package warehouse
