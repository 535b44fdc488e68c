// Package compose tests docker-compose.yml without Docker: what the file says
// is read strictly and done with the servers that tests have.
//
// Invariants:
//
//  1. The images are pinned, and a service starts after those it needs answer
//     (TestServices).
//  2. The broker's settings make one node that its clients reach by the name they
//     were given (TestBrokerSettings).
//  3. What the file tells MySQL is all that Beluga wants of a server, and the
//     command it gives Beluga replicates the database it describes (TestCommandReplicates).
package compose
