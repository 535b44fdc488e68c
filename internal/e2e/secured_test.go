package e2e

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"os"
	"path/filepath"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestSecuredKafka goes through the listeners of a broker that ask for TLS, a
// login or a certificate, and is told what is wrong where it does not get in.
func TestSecuredKafka(t *testing.T) {
	server, broker := servers.MySQL(t), servers.StartSecuredKafka(t)
	addUsers(t, broker)
	lake, args := shop(t, server, "e2e_secured")
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte(broker.Password+"-512\n"), 0o600))
	secured := func(addr string, more ...string) []string {
		return append(append([]string{"--kafka", addr, "--kafka-tls-enabled"}, more...), "--kafka-tls-ca", broker.CA)
	}
	login := func(mechanism, password string) []string {
		return secured(broker.Login, "--kafka-sasl-mechanism", mechanism, "--kafka-sasl-username", broker.User, "--kafka-sasl-password", password)
	}
	scram := login("scram-sha-512", "${file:"+password+"}")
	mtls := secured(broker.MTLS, "--kafka-tls-cert", broker.Cert, "--kafka-tls-key", broker.Key)

	for _, good := range [][]string{
		login("plain", broker.Password), login("scram-sha-256", broker.Password+"-256"), scram, mtls,
		secured(broker.Plain)[:2],
		append(secured(broker.ByNumber(broker.MTLS), mtls[3:7]...), "--kafka-tls-server-name", "localhost"),
	} {
		require.Contains(t, runs(t, command("check", args, good...)...), "ok       kafka: ", "%v", good)
	}
	for text, bad := range map[string][]string{
		"login by SASL PLAIN: the broker refuses it: ":                                             login("plain", broker.Password+"-512"),
		"login by SASL SCRAM-SHA-512: the broker refuses it: ":                                     login("scram-sha-512", broker.Password+"-256"),
		"name the file of the authority that signed the broker's certificate by kafka.tls.ca":      {"--kafka", broker.MTLS, "--kafka-tls-enabled", "--kafka-tls-ca", broker.OtherCA},
		"or give that name as kafka.tls.server-name":                                               secured(broker.ByNumber(broker.MTLS)),
		"name the port of a listener with TLS, or leave kafka.tls.enabled out":                     secured(broker.Plain),
		"this listener asks for no login: leave kafka.sasl out, or name the port of one that does": append([]string{"--kafka", broker.Plain}, login("plain", "x")[3:9]...),
		"set kafka.tls.enabled, or name the port of a listener without TLS":                        append([]string{"--kafka", broker.Login}, login("plain", "x")[3:9]...),
		"kafka: broker ": {"--kafka", broker.Login},
		"the broker does not support the requested SASL mechanism; it has ": {},
		"the broker refuses our side of TLS: remote error: tls: ":           secured(broker.MTLS),
	} {
		if len(bad) == 0 {
			t.Setenv("AWS_REGION", "eu-north-1")
			bad = secured(broker.Login, "--kafka-sasl-mechanism", "aws-msk-iam")
		}
		p := start(t, command("check", args, bad...)...)
		require.Equal(t, fault, p.wait(t), "%v:\n%s", bad, p.out.String())
		require.Contains(t, p.out.String(), text, "%v", bad)
	}

	runs(t, command("run", args, append(scram, "--kafka-compression", "gzip", "--once")...)...)
	server.Exec(t, "INSERT INTO e2e_secured.a VALUES (3, 3, 3); DELETE FROM e2e_secured.b WHERE id = 1")
	runs(t, command("run", args, append(mtls, "--once")...)...)
	require.Contains(t, runs(t, command("verify", args)...), "equal: 2 tables, 4 rows")
	require.DirExists(t, lake)
}

// addUsers makes the users of SCRAM, which the broker keeps itself, each with a
// password of its own.
func addUsers(t *testing.T, k *servers.SecuredKafka) {
	t.Helper()
	salt := []byte("0123456789abcdef")
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(k.Plain), Transport: transport}
	for mechanism, suffix := range map[kafka.ScramMechanism]string{kafka.ScramMechanismSha256: "-256", kafka.ScramMechanismSha512: "-512"} {
		res, err := client.AlterUserScramCredentials(t.Context(), &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{
			{Name: k.User, Mechanism: mechanism, Iterations: 4096, Salt: salt, SaltedPassword: salted(t, mechanism, k.Password+suffix, salt)}}})
		require.NoError(t, err)
		for _, r := range res.Results {
			require.NoError(t, r.Error)
		}
	}
}

// salted is what SCRAM makes of a password.
func salted(t *testing.T, m kafka.ScramMechanism, password string, salt []byte) []byte {
	t.Helper()
	digest, size := sha256.New, sha256.Size
	if m == kafka.ScramMechanismSha512 {
		digest, size = sha512.New, sha512.Size
	}
	key, err := pbkdf2.Key(digest, password, salt, 4096, size)
	require.NoError(t, err)
	return key
}
