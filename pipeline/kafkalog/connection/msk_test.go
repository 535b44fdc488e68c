package connection_test

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
)

// TestMSK logs in by IAM at a listener that checks the signature as AWS says, by
// code of its own.
func TestMSK(t *testing.T) {
	const secret = "a/secret+key"
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_SESSION_TOKEN", "a token/with+signs")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	c := connection.Config{SASL: connection.SASL{Mechanism: connection.MSKIAM}}
	t.Setenv("AWS_REGION", "")
	_, err := connection.New(t.Context(), c)
	require.ErrorContains(t, err, "set AWS_REGION")

	t.Setenv("AWS_REGION", "eu-north-1")
	d, err := connection.New(t.Context(), c)
	require.NoError(t, err)
	conn, err := d.DialContext(t.Context(), "tcp", mskListener(t, secret))
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	_, err = d.DialContext(t.Context(), "tcp", mskListener(t, "another"))
	var refused *connection.Error
	require.ErrorAs(t, err, &refused)
	require.False(t, refused.Passing)
	require.Contains(t, err.Error(), "the broker refuses it: Access denied; remedy: check the AWS credentials")
}

// mskListener takes one login.
func mskListener(t *testing.T, secret string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- serve(l, secret) }()
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		require.NoError(t, <-done)
	})
	return l.Addr().String()
}

func serve(l net.Listener, secret string) error {
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := errors.Join(expect(conn, 17, "\x00\x0bAWS_MSK_IAM"), reply(conn, "\x00\x00\x00\x00\x00\x01\x00\x0bAWS_MSK_IAM")); err != nil {
		return err
	}
	_, body, err := request(conn)
	if err != nil {
		return err
	}
	if signed(body[4:], l.Addr().(*net.TCPAddr).IP.String(), secret) {
		return reply(conn, "\x00\x00\xff\xff\x00\x00\x00\x00")
	}
	return reply(conn, "\x00\x3a\x00\x0dAccess denied\x00\x00\x00\x00")
}

func expect(conn net.Conn, api uint16, body string) error {
	got, b, err := request(conn)
	if err == nil && (got != api || string(b) != body) {
		err = errors.New("another request than expected")
	}
	return err
}

// request reads one, and skips its head with the client's name.
func request(conn net.Conn) (api uint16, body []byte, err error) {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return 0, nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err = io.ReadFull(conn, b)
	return binary.BigEndian.Uint16(b), b[10+binary.BigEndian.Uint16(b[8:]):], err
}

func reply(conn net.Conn, body string) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+4))
	_, err := conn.Write(append(append(b, 0, 0, 0, 0), body...))
	return err
}

// signed tells whether the payload is signed by the secret: AWS's signature
// version 4 of a GET of kafka://host/ with an empty body.
func signed(payload []byte, host, secret string) bool {
	var p map[string]string
	if json.Unmarshal(payload, &p) != nil || p["version"] != "2020_10_22" || p["host"] != host || p["action"] != "kafka-cluster:Connect" {
		return false
	}
	date, err := time.Parse("20060102T150405Z", p["x-amz-date"])
	if err != nil || time.Since(date).Abs() > time.Minute {
		return false
	}
	query := url.Values{}
	for param, field := range map[string]string{"Action": "action", "X-Amz-Algorithm": "", "X-Amz-Credential": "", "X-Amz-Date": "", "X-Amz-Expires": "", "X-Amz-Security-Token": "", "X-Amz-SignedHeaders": ""} {
		query.Set(param, p[cmp.Or(field, strings.ToLower(param))])
	}
	canonical := "GET\n/\n" + strings.ReplaceAll(query.Encode(), "+", "%20") + "\nhost:" + host + "\n\nhost\n" + hex.EncodeToString(sum(""))
	day := date.Format("20060102")
	scope := day + "/eu-north-1/kafka-cluster/aws4_request"
	key := []byte("AWS4" + secret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	text := "AWS4-HMAC-SHA256\n" + p["x-amz-date"] + "\n" + scope + "\n" + hex.EncodeToString(sum(canonical))
	return p["x-amz-credential"] == "AKIDEXAMPLE/"+scope && hex.EncodeToString(mac(key, text)) == p["x-amz-signature"]
}

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
