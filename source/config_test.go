package source_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/session"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string]source.Config{
		"mysql://root@localhost/shop":                    {Database: "shop", Endpoint: session.Endpoint{Network: "tcp", Address: "localhost:3306", User: "root"}},
		"mysql://u:p%40ss%2Fw%23rd@db.example:3307/":     {Endpoint: session.Endpoint{Network: "tcp", Address: "db.example:3307", User: "u", Password: "p@ss/w#rd"}},
		"mysql://u@[2001:db8::1]:3307/s":                 {Database: "s", Endpoint: session.Endpoint{Network: "tcp", Address: "[2001:db8::1]:3307", User: "u"}},
		"mysql://u@[::1]":                                {Endpoint: session.Endpoint{Network: "tcp", Address: "[::1]:3306", User: "u"}},
		"mysql://u@/s?socket=/run/mysqld/mysqld.sock":    {Database: "s", Endpoint: session.Endpoint{Network: "unix", Address: "/run/mysqld/mysqld.sock", User: "u"}},
		"mysql://u@h/s?tls=verify-ca&ca=%2Fetc%2Fca.pem": {Database: "s", Endpoint: session.Endpoint{Network: "tcp", Address: "h:3306", User: "u", TLS: session.TLSVerifyCA, CAFile: "/etc/ca.pem"}},
		"mysql://u@h/s?tls=VERIFY_IDENTITY":              {Database: "s", Endpoint: session.Endpoint{Network: "tcp", Address: "h:3306", User: "u", TLS: session.TLSVerifyIdentity}},
		"mysql://u@h/s?cert=c&key=k&password-file=%2Fp":  {Database: "s", Endpoint: session.Endpoint{Network: "tcp", Address: "h:3306", User: "u", CertFile: "c", KeyFile: "k", PasswordFile: "/p"}},
		"mysql://u@h/s%20p%C3%BC":                        {Database: "s pü", Endpoint: session.Endpoint{Network: "tcp", Address: "h:3306", User: "u"}},
	} {
		got, err := source.ParseURL(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, problem := range map[string]string{
		"":                                       "is no address of a server",
		"postgres://u@h/s":                       "is no address of a server",
		"mysql://u:c4n4ry%zz@h/s":                "percent-encoded",
		"mysql://u:c4n4ry@h:port/s":              "is no address of a server",
		"mysql://h/s":                            "names no user",
		"mysql://u:c4n4ry@/s":                    "names no host",
		"mysql://u:c4n4ry@h/s/t":                 "is not the name of a database; choose tables with --tables",
		"mysql://u:c4n4ry@h/s?sslmode=off":       `has no option "sslmode"; it has tls, ca, cert, key, password-file and socket`,
		"mysql://u:c4n4ry@h/s?password-file=f":   "has a password and a password-file",
		"mysql://u:c4n4ry@h/s?tls=required&ca=c": "ca=c has no effect with tls=required",
		"mysql://u:c4n4ry@h/s?tls=sometime":      "is no TLS mode: use disabled,",
	} {
		_, err := source.ParseURL(text)
		require.ErrorContains(t, err, problem, text)
		require.NotContains(t, err.Error(), "c4n4ry")
	}
}
