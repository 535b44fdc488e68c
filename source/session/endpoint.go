package session

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
)

// Secret is a text that must not be seen. Every way of printing it shows stars;
// Reveal is the only way to the text.
type Secret string

const stars = "***"

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// String prints stars.
func (s Secret) String() string { return stars }

// GoString prints stars for %#v.
func (s Secret) GoString() string { return stars }

// MarshalText prints stars into JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(stars), nil }

// LogValue prints stars into logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(stars) }

// Endpoint says where a server is and who asks.
type Endpoint struct {
	Network  string // "tcp" or "unix"
	Address  string // host:port, or the socket's path
	User     string
	Password Secret
	// PasswordFile holds the password instead, and is read before each connection:
	// so a password can be replaced while Beluga runs.
	PasswordFile string
	TLS          TLSMode // empty: DefaultTLS decides
	CAFile       string  // certificates that sign the server's; empty: the system's
	CertFile     string  // our own certificate, for users that the server wants one of
	KeyFile      string  // and its key
}

// WithPassword returns the endpoint with the password of now.
func (e Endpoint) WithPassword() (Endpoint, error) {
	if e.PasswordFile == "" {
		return e, nil
	}
	text, err := os.ReadFile(e.PasswordFile)
	if err != nil {
		return e, fmt.Errorf("reading the password: %w", err)
	}
	e.Password = Secret(strings.TrimRight(string(text), "\r\n")) // which an editor puts there
	return e, nil
}

// DefaultTLS returns the mode of an endpoint that names none: where nobody can
// listen it costs nothing to be plain; everywhere else the connection is
// encrypted, and checked as soon as there is something to check against.
func (e Endpoint) DefaultTLS() TLSMode {
	switch {
	case e.CAFile != "":
		return TLSVerifyIdentity
	case e.CertFile != "":
		return TLSRequired
	case e.Network == "unix", isLoopback(e.host()):
		return TLSDisabled
	}
	return TLSRequired
}

func (e Endpoint) mode() TLSMode {
	if e.TLS == "" {
		return e.DefaultTLS()
	}
	return e.TLS
}

func (e Endpoint) host() string {
	host, _, err := net.SplitHostPort(e.Address)
	if err != nil {
		return e.Address
	}
	return host
}

// String names the server for messages; it has no secret.
func (e Endpoint) String() string { return e.Address }

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
