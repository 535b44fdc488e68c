package session_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/source/session"
)

// TestCachingSHA2 logs in by MySQL's default plugin, the first time, when the
// server wants the password itself, and the second, when it knows a digest of it:
// encrypted, and plain, where the password is sealed with the server's public key.
func TestCachingSHA2(t *testing.T) {
	server := servers.MySQL(t)
	for _, mode := range []session.TLSMode{session.TLSDisabled, session.TLSRequired} {
		server.Exec(t, "DROP USER IF EXISTS sha2@'%'; CREATE USER sha2@'%' IDENTIFIED WITH caching_sha2_password BY 'a longer passw0rd, ü'")
		e := session.Endpoint{Network: "tcp", Address: server.Addr, User: "sha2", Password: "a longer passw0rd, ü", TLS: mode}
		for range 2 {
			s, err := session.Open(t.Context(), e)
			require.NoError(t, err, mode)
			s.Close()
		}
		e.Password = "wrong"
		_, err := session.Open(t.Context(), e)
		require.ErrorContains(t, err, `refuses user "sha2"`)
	}
}

// TestPasswordFile: a password is read anew for each connection.
func TestPasswordFile(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP USER IF EXISTS rotated@'%'; CREATE USER rotated@'%' IDENTIFIED BY 'first'")
	file := filepath.Join(t.TempDir(), "password")
	e := session.Endpoint{Network: "tcp", Address: server.Addr, User: "rotated", PasswordFile: file}
	_, err := session.Open(t.Context(), e)
	require.ErrorContains(t, err, "reading the password: open "+file)
	write := func(password string) { require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o600)) }
	write("first")
	open(t, e)
	server.Exec(t, "ALTER USER rotated@'%' IDENTIFIED BY 'second'")
	_, err = session.Open(t.Context(), e)
	require.ErrorContains(t, err, "write the password into "+file)
	write("second")
	open(t, e)
}

// TestClientCertificate logs in as users that must show one, or must connect
// with TLS.
func TestClientCertificate(t *testing.T) {
	mine, other := certificates(t, "localhost"), certificates(t, "elsewhere")
	server := servers.MySQL(t, "--ssl-cert="+mine+"/server.pem", "--ssl-key="+mine+"/server.key", "--ssl-ca="+mine+"/ca.pem")
	server.Exec(t, "CREATE USER known@'%' IDENTIFIED BY 'p' REQUIRE X509; CREATE USER secret@'%' IDENTIFIED BY 'p' REQUIRE SSL")
	_, port, err := net.SplitHostPort(server.Addr)
	require.NoError(t, err)
	for _, c := range []struct {
		user string
		tls  session.TLSMode
		cert string // folder
		text string // of the error
	}{
		{"known", session.TLSVerifyIdentity, mine, ""},
		{"known", "", mine, ""},
		{"known", session.TLSRequired, "", "if SHOW CREATE USER says REQUIRE X509, give a certificate: cert=FILE&key=FILE in --from"},
		{"known", session.TLSRequired, other, "not accept our certificate"}, // "does" where the server's word arrives
		{"secret", session.TLSRequired, "", ""},
		{"secret", session.TLSDisabled, "", "if SHOW CREATE USER says REQUIRE SSL, add tls=required to --from"},
	} {
		t.Run(fmt.Sprintf("%s %s %s", c.user, c.tls, c.text), func(t *testing.T) {
			e := session.Endpoint{Network: "tcp", Address: "localhost:" + port, User: c.user, Password: "p", TLS: c.tls}
			if c.tls == session.TLSVerifyIdentity {
				e.CAFile = mine + "/ca.pem"
			}
			if c.cert != "" {
				e.CertFile, e.KeyFile = c.cert+"/client.pem", c.cert+"/client.key"
			}
			s, err := session.Open(t.Context(), e)
			if c.text != "" {
				require.ErrorContains(t, err, c.text)
				return
			}
			require.NoError(t, err)
			s.Close()
		})
	}
}

// TestLostCertificate plays a server that hangs up when it has seen the client's
// certificate: nothing it may have said of it arrives.
func TestLostCertificate(t *testing.T) {
	dir := certificates(t, "localhost")
	own, err := tls.LoadX509KeyPair(dir+"/server.pem", dir+"/server.key")
	require.NoError(t, err)
	shown := make(chan int, 1)
	address := serve(t, func(c *net.TCPConn) {
		greet(c, withTLS)
		_, _ = io.ReadFull(c, make([]byte, 4+32)) // the request for TLS
		secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert})
		_ = secure.Handshake()
		shown <- len(secure.ConnectionState().PeerCertificates)
		_ = c.SetLinger(0)
	})
	e := session.Endpoint{Network: "tcp", Address: address, User: "u", TLS: session.TLSRequired, CertFile: dir + "/client.pem", KeyFile: dir + "/client.key"}
	_, err = session.Open(t.Context(), e)
	require.ErrorContains(t, err, "the server at "+address+" may not accept our certificate "+e.CertFile+"; give one that is signed by the server's ssl_ca")
	require.Equal(t, 1, <-shown)
	require.True(t, session.IsPassing(err), "it may be the network")
}

// TestCheckTLS: files that a mode would ignore are no protection, and refused.
func TestCheckTLS(t *testing.T) {
	for _, c := range []struct {
		endpoint session.Endpoint
		text     string
	}{
		{session.Endpoint{CAFile: "ca.pem"}, ""},
		{session.Endpoint{CAFile: "ca.pem", TLS: session.TLSVerifyCA}, ""},
		{session.Endpoint{CAFile: "ca.pem", TLS: session.TLSRequired}, "ca=ca.pem has no effect with tls=required: say tls=verify-identity"},
		{session.Endpoint{CAFile: "ca.pem", TLS: session.TLSPreferred}, "no effect"},
		{session.Endpoint{CertFile: "me.pem"}, "cert and key belong together"},
		{session.Endpoint{KeyFile: "me.key"}, "cert and key belong together"},
		{session.Endpoint{CertFile: "me.pem", KeyFile: "me.key"}, ""},
		{session.Endpoint{CertFile: "me.pem", KeyFile: "me.key", TLS: session.TLSDisabled}, "cert=me.pem has no effect on a connection that may be plain"},
	} {
		c.endpoint.Network, c.endpoint.Address = "tcp", "127.0.0.1:3306"
		if err := c.endpoint.CheckTLS(); c.text == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.text)
		}
	}
}
