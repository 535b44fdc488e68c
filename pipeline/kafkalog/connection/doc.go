// Package connection opens connections to Kafka's brokers. TLS and SASL are done
// before a connection is handed out, so that the library's client and our own
// fetching share them, and what goes wrong is told in one place.
package connection
