// Package routing names the topics of tables as Debezium's ByLogicalTableRouter does:
// a regular expression in Java's dialect over the topic that a table would have, and a
// replacement. Users bring theirs along, with look-arounds, possessive quantifiers and
// class intersections, which Go's own expressions do not have.
//
// A topic's name is ASCII. So a pattern is read here as Java reads it, each character
// class evaluated to the ASCII characters in it, and what is left, which all backtracking
// engines take alike, given to one.
//
// Invariants:
//
//  1. Every pattern, replacement and topic comes to what Java's Matcher makes of them, or
//     is refused (TestAsJava, and TestRandomAsJava where java is on PATH).
//     The two differ where a repeated group can be empty or holds another group: when
//     such a loop ends, and what the inner group holds then, no user should count on.
//  2. A pattern that backtracks without end is an error, not a hang (TestEndless).
//  3. A name that Kafka does not take is an error (TestUnfitTopics).
package routing
