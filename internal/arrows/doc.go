// Package arrows holds, by tests over the output of go list, which package may
// import which. The linter's configuration says the same for editors; the tests
// here need nothing but Go, so they also hold where no linter runs.
//
// The arrows are
//
//	cmd → {source, sink} → pipeline → schema
//
// and source and sink never meet: what one of them knows of the other would be
// what keeps it from being used alone, as one half behind Kafka.
//
// Invariants:
//
//  1. No package imports another against the arrows, in code or in tests
//     (TestArrows).
//  2. A library that is one part's business is imported by that part alone
//     (TestArrows).
//  3. Code that only tests need is not in the binary (TestArrows).
//  4. Every rule catches what it is made for (TestRulesCatch).
//  5. The linter says the same (TestLinterKnowsTheOwners).
//  6. Every package has a doc.go, and each test that one names exists
//     (TestPackagesSayWhatTheyAre).
package arrows
