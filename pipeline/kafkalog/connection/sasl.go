package connection

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/aws_msk_iam_v2"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// The mechanisms of a SASL.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
	MSKIAM      = "aws-msk-iam"

	mskName = "AWS_MSK_IAM" // Kafka's name of the last
)

// SASL says whether and how we log in. Without a mechanism we do not.
type SASL struct {
	Mechanism          string
	Username, Password string
}

func (s SASL) mechanism(ctx context.Context) (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "":
		return nil, nil
	case Plain:
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case ScramSHA256, ScramSHA512:
		algorithm := scram.SHA256
		if s.Mechanism == ScramSHA512 {
			algorithm = scram.SHA512
		}
		m, err := scram.Mechanism(algorithm, s.Username, s.Password)
		if err != nil {
			return nil, fmt.Errorf("kafka.sasl.username and kafka.sasl.password: %w", err)
		}
		return m, nil
	case MSKIAM:
		c, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("kafka.sasl.mechanism aws-msk-iam: reading the AWS configuration: %w", err)
		}
		if c.Region == "" {
			return nil, errors.New("kafka.sasl.mechanism aws-msk-iam: the AWS configuration names no region; remedy: set AWS_REGION to that of the cluster")
		}
		return aws_msk_iam_v2.NewMechanism(c), nil
	}
	return nil, fmt.Errorf("kafka.sasl.mechanism: %q is unknown", s.Mechanism)
}

const (
	apiHandshake    = 17
	apiVersions     = 18
	apiAuthenticate = 36
	maxAnswer       = 1 << 20
)

// refusal is what the broker says against a login.
type refusal struct{ text string }

func (r *refusal) Error() string { return "the broker refuses it: " + r.text }

// authenticate logs in on a connection that has carried nothing yet.
func authenticate(ctx context.Context, conn net.Conn, m sasl.Mechanism) error {
	if err := handshake(conn, m.Name()); err != nil {
		return err
	}
	session, out, err := m.Start(ctx)
	if err != nil {
		return err
	}
	for {
		challenge, err := step(conn, out)
		if err != nil {
			return err
		}
		var done bool
		if done, out, err = session.Next(ctx, challenge); err != nil {
			return err
		}
		if done {
			return nil
		}
	}
}

// handshake asks for a mechanism.
func handshake(conn net.Conn, name string) error {
	a, err := ask(conn, apiHandshake, 1, appendText(nil, name))
	if err != nil {
		return err
	}
	code := kafka.Error(a.Int16())
	var enabled []string
	for range min(a.Int32(), maxAnswer) {
		if a.Short() {
			break
		}
		enabled = append(enabled, string(a.Take(int(a.Int16()))))
	}
	switch {
	case a.Short():
		return errShort
	case code == kafka.UnsupportedSASLMechanism:
		return fmt.Errorf("%w; it has %s", code, strings.ToLower(strings.Join(enabled, ", ")))
	case code != 0:
		return code
	}
	return nil
}

// step sends what the mechanism has to say, and returns the broker's challenge.
func step(conn net.Conn, out []byte) ([]byte, error) {
	body := binary.BigEndian.AppendUint32(nil, uint32(len(out)))
	a, err := ask(conn, apiAuthenticate, 0, append(body, out...))
	if err != nil {
		return nil, err
	}
	code := kafka.Error(a.Int16())
	text := ""
	if n := a.Int16(); n > 0 {
		text = string(a.Take(int(n)))
	}
	challenge := a.Take(max(0, int(a.Int32())))
	switch {
	case a.Short():
		return nil, errShort
	case code == kafka.SASLAuthenticationFailed:
		return nil, &refusal{text}
	case code != 0:
		return nil, fmt.Errorf("%w %s", code, text)
	}
	return challenge, nil
}

// tlsAlert begins what a listener with TLS says to those that speak without.
const tlsAlert = 0x15

var (
	errShort = errors.New("the broker's answer ends early")
	errTLS   = errors.New("the broker answers in TLS")
)

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// ask sends one request and returns the body of the answer.
func ask(conn net.Conn, api, version uint16, body []byte) (*Answer, error) {
	be := binary.BigEndian
	b := be.AppendUint16([]byte{0, 0, 0, 0}, api)
	b = be.AppendUint16(b, version)
	b = be.AppendUint32(b, 0) // correlation: one request at a time
	b = appendText(b, "beluga")
	b = append(b, body...)
	be.PutUint32(b, uint32(len(b)-4))
	if _, err := conn.Write(b); err != nil {
		return nil, err
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	n := be.Uint32(head[:])
	if head[0] == tlsAlert && head[1] == 3 {
		return nil, errTLS
	}
	if n < 4 || n > maxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes was announced, which no broker does here", n)
	}
	b = make([]byte, n)
	_, err := io.ReadFull(conn, b)
	a := NewAnswer(b)
	a.Int32() // correlation
	return a, err
}
