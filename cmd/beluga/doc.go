// Command beluga replicates MySQL into Apache Iceberg tables.
//
// The package holds the command line, the configuration and the wiring of the
// parts; one file a command. What is done, the packages source, pipeline and
// sink do.
//
// Invariants:
//
//  1. An option is one tagged field of Config; the file, the flags and their help
//     are made from it (TestEveryOptionIsDescribed).
//  2. All faults of a configuration come in one message, each with its place and
//     path (TestBadConfigFiles).
//  3. A flag counts more than the file (TestFlagsCountMoreThanTheFile).
//  4. No message shows a password (TestSecretsStayOut).
//  5. Only main exits; the exit code says what kind of end it was (TestExitCodes,
//     TestExitCodesOfErrors, TestFaults, TestPositionLost, TestRefusesSecondInstance).
//  6. Faults of server and lake are told at once, and a run that cannot begin
//     leaves nothing behind (TestAllFaultsAtOnce, TestFaults).
//  7. SIGTERM loses nothing that was read: it is committed up to the last whole
//     transaction (TestSigtermWhileStreaming), and the run ends well, whatever it
//     was at (TestSignalWhileOpening, TestSigtermWhileLoading), unless the
//     deadline runs out (TestShutdownDeadline).
//  8. The snippets that status prints work as they are (TestSnippets).
package main
