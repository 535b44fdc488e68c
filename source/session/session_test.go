package session_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/source/session"
)

func TestMain(m *testing.M) { servers.Main(m) }

func endpoint(s *servers.MySQLServer) session.Endpoint {
	return session.Endpoint{Network: "tcp", Address: s.Addr, User: s.User, Password: session.Secret(s.Password)}
}

func open(t *testing.T, e session.Endpoint) *session.Session {
	t.Helper()
	s, err := session.Open(t.Context(), e)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func one(t *testing.T, s *session.Session, sql string) string {
	t.Helper()
	r, err := s.Query(t.Context(), sql)
	require.NoError(t, err)
	v, err := r.GetString(0, 0)
	require.NoError(t, err)
	return v
}

func TestQuote(t *testing.T) {
	s := open(t, endpoint(servers.MySQL(t)))
	one := func(t require.TestingT, name string) {
		r, err := s.Query(context.Background(), "SELECT 1 AS "+session.Quote(name))
		require.NoError(t, err)
		require.Equal(t, name, string(r.Fields[0].Name))
	}
	one(t, "`; DROP TABLE x; -- ")
	one(t, "a`b")
	rapid.Check(t, func(t *rapid.T) {
		one(t, rapid.StringMatching("[a-z`']{1}[a-z`'\"\\\\;ü €.$-]{0,30}[a-z`;]").Draw(t, "name"))
	})
}

func TestSessionSettings(t *testing.T) {
	server := servers.MySQL(t, "--max-execution-time=1", "--default-time-zone=+05:00", "--sql-mode=ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH",
		"--transaction-isolation=READ-COMMITTED", "--character-set-server=latin1", "--show-gipk-in-create-table-and-information-schema=OFF")
	s := open(t, endpoint(server))
	require.Equal(t, "+00:00", one(t, s, "SELECT @@time_zone"))
	require.Equal(t, "", one(t, s, "SELECT @@sql_mode"))
	require.Equal(t, "REPEATABLE-READ", one(t, s, "SELECT @@transaction_isolation"))
	require.Equal(t, "utf8mb4", one(t, s, "SELECT @@character_set_results"))
	require.Equal(t, "0", one(t, s, "SELECT @@max_execution_time"))
	require.Equal(t, "1", one(t, s, "SELECT @@show_gipk_in_create_table_and_information_schema"))
}

func TestCancel(t *testing.T) {
	s := open(t, endpoint(servers.MySQL(t)))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	_, err := s.Query(ctx, "SELECT SLEEP(1000)")
	require.ErrorIs(t, err, why)
	_, err = s.Query(t.Context(), "SELECT 1")
	require.ErrorContains(t, err, "interrupted")
}

func TestStreamEndsWithItsCallback(t *testing.T) {
	s := open(t, endpoint(servers.MySQL(t)))
	var got []int64
	err := s.Stream(t.Context(), "SELECT ? UNION ALL SELECT 2", []any{int64(1)}, func(row []mysql.FieldValue) error {
		got = append(got, row[0].AsInt64())
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2}, got)

	full := errors.New("full")
	err = s.Stream(t.Context(), "SELECT 1 UNION ALL SELECT 2", nil, func([]mysql.FieldValue) error { return full })
	require.ErrorIs(t, err, full)
	_, err = s.Query(t.Context(), "SELECT 1")
	require.Error(t, err, "half an answer is still on its way")
}

func TestSecretIsNeverPrinted(t *testing.T) {
	const canary = "c4n4ry"
	e := session.Endpoint{Network: "tcp", Address: "localhost:1", User: "u", Password: canary}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", e, e, e, e, e.Password, e.Password.String())
	require.NoError(t, json.NewEncoder(&out).Encode(e))
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "endpoint", e, "password", e.Password)
	_, err := session.Open(t.Context(), e)
	fmt.Fprint(&out, err)
	require.NotContains(t, out.String(), canary)
	require.Equal(t, canary, e.Password.Reveal())
}

// TestClearPasswordIsRefused plays a server that asks for the password in clear
// text.
func TestClearPasswordIsRefused(t *testing.T) {
	received := make(chan []byte, 1)
	address := serve(t, func(c *net.TCPConn) {
		greet(c, 0)
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		all := append([]byte(nil), b[:n]...)
		ask := append([]byte{0xfe}, "mysql_clear_password\x00"...)
		_, _ = c.Write(append([]byte{byte(len(ask)), 0, 0, 2}, ask...))
		n, _ = c.Read(b)
		received <- append(all, b[:n]...)
	})
	e := session.Endpoint{Network: "tcp", Address: address, User: "u", Password: "pa55word", TLS: session.TLSDisabled}
	_, err := session.Open(t.Context(), e)
	require.ErrorContains(t, err, "asks for the password in clear text")
	require.NotContains(t, string(<-received), "pa55word")
}

// serve plays a server to one connection, and returns its address.
func serve(t *testing.T, play func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		if c, err := l.AcceptTCP(); err == nil {
			defer c.Close()
			play(c)
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

// withTLS is the capability of a server that has TLS.
const withTLS = 1 << 11

// greet sends the first packet of a server.
func greet(c net.Conn, capabilities uint16) {
	greeting := append([]byte{10}, "8.4.0\x00"...)
	greeting = append(greeting, 1, 0, 0, 0)
	greeting = append(greeting, "12345678\x00"...)
	greeting = binary.LittleEndian.AppendUint16(greeting, 0xf7ff|capabilities)
	greeting = append(greeting, 255, 2, 0, 0xff, 0xdf, 21)
	greeting = append(greeting, make([]byte, 10)...)
	greeting = append(greeting, "123456789012\x00caching_sha2_password\x00"...)
	_, _ = c.Write(append([]byte{byte(len(greeting)), 0, 0, 0}, greeting...))
}

func TestConnectFaults(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP USER IF EXISTS someone@'%'; CREATE USER someone@'%' IDENTIFIED BY 'right'")
	closed := servers.ClosedAddr(t)
	for name, c := range map[string]struct {
		endpoint session.Endpoint
		text     string
	}{
		"nobody listens": {session.Endpoint{Network: "tcp", Address: closed, User: "u"}, "no server listens at " + closed},
		"no such name":   {session.Endpoint{Network: "tcp", Address: "no-such-host.invalid:3306", User: "u"}, `no server has the name "no-such-host.invalid"; check the host`},
		"wrong password": {session.Endpoint{Network: "tcp", Address: server.Addr, User: "someone", Password: "wrong"}, `refuses user "someone": the user does not exist for this host or the password is wrong; set the password`},
		"no socket":      {session.Endpoint{Network: "unix", Address: "/nowhere/mysqld.sock", User: "u"}, "there is no socket at /nowhere/mysqld.sock"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := session.Open(t.Context(), c.endpoint)
			require.ErrorContains(t, err, c.text)
		})
	}
}

func TestDefaultTLS(t *testing.T) {
	for address, want := range map[string]session.TLSMode{
		"127.0.0.1:3306": session.TLSDisabled, "[::1]:3306": session.TLSDisabled, "localhost:3306": session.TLSDisabled,
		"db.example:3306": session.TLSRequired, "10.0.0.1:3306": session.TLSRequired,
	} {
		require.Equal(t, want, session.Endpoint{Network: "tcp", Address: address}.DefaultTLS(), address)
	}
	require.Equal(t, session.TLSDisabled, session.Endpoint{Network: "unix", Address: "/s"}.DefaultTLS())
	require.Equal(t, session.TLSVerifyIdentity, session.Endpoint{Network: "tcp", Address: "db:3306", CAFile: "ca.pem"}.DefaultTLS())
}

// certificates writes a CA, and certificates of it for a host and a client, into
// a folder.
func certificates(t *testing.T, host string) string {
	t.Helper()
	dir := t.TempDir()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return k
	}
	write := func(name, kind string, der []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	caKey := key()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	require.NoError(t, err)
	write("ca.pem", "CERTIFICATE", der)
	for i, name := range []string{"server", "client"} {
		k := key()
		leaf := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 2)), Subject: pkix.Name{CommonName: name}, DNSNames: []string{host},
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
		der, err = x509.CreateCertificate(rand.Reader, leaf, ca, &k.PublicKey, caKey)
		require.NoError(t, err)
		write(name+".pem", "CERTIFICATE", der)
		der, err = x509.MarshalPKCS8PrivateKey(k)
		require.NoError(t, err)
		write(name+".key", "PRIVATE KEY", der)
	}
	return dir
}

func TestTLSModes(t *testing.T) {
	mine, other := certificates(t, "localhost"), certificates(t, "elsewhere")
	server := servers.MySQL(t, "--ssl-cert="+mine+"/server.pem", "--ssl-key="+mine+"/server.key", "--ssl-ca="+mine+"/ca.pem")
	_, port, err := net.SplitHostPort(server.Addr)
	require.NoError(t, err)
	byName, byAddress := "localhost:"+port, server.Addr
	for _, c := range []struct {
		mode      session.TLSMode
		address   string
		ca        string
		encrypted bool
		text      string // of the error
	}{
		{session.TLSDisabled, byName, "", false, ""},
		{session.TLSPreferred, byName, "", true, ""},
		{session.TLSRequired, byName, "", true, ""},
		{session.TLSVerifyCA, byAddress, mine + "/ca.pem", true, ""},
		{session.TLSVerifyCA, byAddress, other + "/ca.pem", false, "certificate"},
		{session.TLSVerifyIdentity, byName, mine + "/ca.pem", true, ""},
		{session.TLSVerifyIdentity, byAddress, mine + "/ca.pem", false, "is not accepted"},
		{session.TLSVerifyIdentity, byName, "", false, "is not accepted"},
		{session.TLSVerifyIdentity, byName, mine + "/server.key", false, "holds no certificate"},
	} {
		t.Run(fmt.Sprintf("%s %s", c.mode, c.text), func(t *testing.T) {
			s, err := session.Open(t.Context(), session.Endpoint{Network: "tcp", Address: c.address, User: "root", TLS: c.mode, CAFile: c.ca})
			if c.text != "" {
				require.ErrorContains(t, err, c.text)
				return
			}
			require.NoError(t, err)
			defer s.Close()
			r, err := s.Query(t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
			require.NoError(t, err)
			cipher, err := r.GetString(0, 1)
			require.NoError(t, err)
			require.Equal(t, c.encrypted, cipher != "", "cipher %q", cipher)
		})
	}
}

func TestTLSIsNeverDroppedSilently(t *testing.T) {
	server := servers.MySQL(t, "--tls-version=")
	for _, mode := range []session.TLSMode{session.TLSRequired, session.TLSVerifyCA, session.TLSVerifyIdentity} {
		_, err := session.Open(t.Context(), session.Endpoint{Network: "tcp", Address: server.Addr, User: "root", TLS: mode})
		require.ErrorContains(t, err, "has no TLS; configure it", mode)
	}
	s, err := session.Open(t.Context(), session.Endpoint{Network: "tcp", Address: server.Addr, User: "root", TLS: session.TLSPreferred})
	require.NoError(t, err, "preferred is the mode that may be plain")
	s.Close()
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]session.Version{
		"8.4.3":                      {Major: 8, Minor: 4, Patch: 3},
		"9.7.4-2\x00":                {Major: 9, Minor: 7, Patch: 4},
		"8.0.36-28.1-log":            {Major: 8, Minor: 0, Patch: 36},
		"5.5.5-10.11.6-MariaDB-log":  {Major: 10, Minor: 11, Patch: 6, MariaDB: true},
		"11.4.2-MariaDB-ubu2404-log": {Major: 11, Minor: 4, Patch: 2, MariaDB: true},
	} {
		got := session.ParseVersion(text)
		got.Text = ""
		require.Equal(t, want, got, text)
	}
	require.True(t, session.ParseVersion("8.0.22").Less(8, 0, 23))
	require.False(t, session.ParseVersion("8.4.0").Less(8, 2, 0))
}
