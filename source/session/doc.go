// Package session opens sessions with a MySQL server and runs statements in
// them: address and TLS, session variables, cancellation by context, quoting of
// names, and the one place where the driver's errors become sentences that say
// what to do.
//
// Invariants:
//
//  1. A connection is encrypted unless the mode says otherwise, and one that was
//     asked to be is never plain (TestTLSModes, TestTLSIsNeverDroppedSilently); files
//     that its mode would ignore are refused (TestCheckTLS).
//  2. A password is never sent in clear text over a plain connection, and never
//     printed (TestClearPasswordIsRefused, TestSecretIsNeverPrinted); one from a
//     file is read anew for each connection (TestPasswordFile).
//  3. Names from the server are data: Quote makes any of them safe
//     (TestQuote).
//  4. Every session has the same settings, so that a value reads the same
//     whatever the server's defaults are (TestSessionSettings).
//  5. A cancelled statement returns at once, and its session is not used again
//     (TestCancel).
package session
