package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// SecuredKafka is a broker with a listener of each kind. The certificates are
// made out to "localhost", and to nothing else.
type SecuredKafka struct {
	Plain string // host:port without TLS and login
	Login string // with TLS and a login by SASL
	MTLS  string // with TLS and a certificate of the client

	User, Password string // of the mechanism PLAIN; others have no users yet
	CA, Cert, Key  string // files: the authority of all certificates, the client's own
	OtherCA        string // an authority that signed none of them
}

const brokerUser, brokerPassword = "beluga", "open sesame"

// StartSecuredKafka starts such a broker for one test.
func StartSecuredKafka(t testing.TB) *SecuredKafka {
	t.Helper()
	dir := t.TempDir()
	ports, err := takePorts(4)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ports.release()) })
	at := func(n int) string { return fmt.Sprintf("localhost:%d", ports.first+n) }
	k := &SecuredKafka{Plain: at(0), Login: at(2), MTLS: at(3), User: brokerUser, Password: brokerPassword}
	writeCertificates(t, dir, k)
	running, err := startServer("kafka.sh", dir, ports.first, k.properties(dir, at(1))...)
	if err != nil {
		unavailable(t, "Kafka", err)
	}
	t.Cleanup(func() { require.NoError(t, running.stop()) })
	return k
}

func (k *SecuredKafka) properties(dir, controller string) []string {
	data := "PLAINTEXT://" + k.Plain + ",SASL_SSL://" + k.Login + ",SSL://" + k.MTLS
	return []string{
		"listeners=" + data + ",CONTROLLER://" + controller,
		"advertised.listeners=" + data,
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL",
		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		`listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_` + k.User + `="` + k.Password + `";`,
		"listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
		"ssl.keystore.type=PEM", "ssl.keystore.location=" + filepath.Join(dir, "broker.pem"),
		"ssl.truststore.type=PEM", "ssl.truststore.location=" + k.CA,
		"listener.name.ssl.ssl.client.auth=required",
	}
}

// writeCertificates makes two authorities, and certificates of the broker and a
// client by the first.
func writeCertificates(t testing.TB, dir string, k *SecuredKafka) {
	t.Helper()
	in := func(name string) string { return filepath.Join(dir, name) }
	k.CA, k.OtherCA, k.Cert, k.Key = in("ca.pem"), in("other.pem"), in("client.pem"), in("client.key")
	ca, caKey, text, _ := certificate(t, "Authority", nil, nil)
	require.NoError(t, os.WriteFile(k.CA, text, 0o600))
	_, _, text, _ = certificate(t, "Other Authority", nil, nil)
	require.NoError(t, os.WriteFile(k.OtherCA, text, 0o600))
	_, _, text, key := certificate(t, "localhost", ca, caKey)
	require.NoError(t, os.WriteFile(in("broker.pem"), append(key, text...), 0o600))
	_, _, text, key = certificate(t, "client", ca, caKey)
	require.NoError(t, os.WriteFile(k.Cert, text, 0o600))
	require.NoError(t, os.WriteFile(k.Key, key, 0o600))
}

// certificate makes one, by itself or by an authority.
func certificate(t testing.TB, name string, by *x509.Certificate, byKey *ecdsa.PrivateKey) (c *x509.Certificate, key *ecdsa.PrivateKey, text, keyText []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	c = &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if by == nil {
		by, byKey = c, key
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	} else {
		c.DNSNames, c.KeyUsage = []string{name}, x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, byKey)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return c, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// ByNumber is an address of the broker that its certificate does not name.
func (k *SecuredKafka) ByNumber(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return "127.0.0.1:" + port
}
