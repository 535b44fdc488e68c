package connection

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/segmentio/kafka-go"
)

// Error says why a broker and we did not come to terms.
type Error struct {
	Addr    string
	Cause   error
	Remedy  string
	Passing bool // it may be gone at the next attempt
}

// Error tells cause and remedy.
func (e *Error) Error() string {
	at := ""
	if e.Addr != "" {
		at = "broker " + e.Addr + ": "
	}
	return fmt.Sprintf("%s%v; remedy: %s", at, e.Cause, e.Remedy)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Explain words what a broker says of our side of the TLS handshake: it comes
// only with the first answer, as the broker checks our certificate when for us
// the handshake is over.
func Explain(err error) error {
	var known *Error
	var remote *net.OpError
	if errors.As(err, &known) || !errors.As(err, &remote) || remote.Op != "remote error" {
		return err
	}
	return &Error{Cause: fmt.Errorf("the broker refuses our side of TLS: %w", err),
		Remedy: "give the certificate that it asks for by kafka.tls.cert and kafka.tls.key, signed by an authority that it trusts and not expired"}
}

const remedyTLS = "set kafka.tls.enabled, or name the port of a listener without TLS"

// isLost tells whether the other side ended the connection without a word.
func isLost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func handshakeError(addr string, err error) error {
	e := &Error{Addr: addr, Cause: fmt.Errorf("TLS handshake: %w", err)}
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		remote    *net.OpError
	)
	switch {
	case errors.As(err, &authority):
		e.Remedy = "name the file of the authority that signed the broker's certificate by kafka.tls.ca"
	case errors.As(err, &host):
		e.Remedy = "connect to the broker by a name that its certificate has (it advertises one too), or give that name as kafka.tls.server-name"
	case errors.As(err, &invalid):
		e.Remedy = "renew the broker's certificate, and compare the clocks of both machines"
	case errors.As(err, &record):
		e.Remedy = "name the port of a listener with TLS, or leave kafka.tls.enabled out"
	case errors.As(err, &remote) && remote.Op == "remote error":
		return Explain(err)
	case isLost(err):
		// So does a port without TLS answer, and so does a broker that stops.
		e.Cause, e.Passing = fmt.Errorf("the broker ended the connection in the TLS handshake: %w", err), true
		e.Remedy = "if it stays so, name the port of a listener with TLS, or leave kafka.tls.enabled out"
	default:
		return fmt.Errorf("TLS handshake with broker %s: %w", addr, err)
	}
	return e
}

func (d *Dialer) loginError(addr string, err error) error {
	name := d.login.Name()
	e := &Error{Addr: addr, Cause: fmt.Errorf("login by SASL %s: %w", name, err)}
	var said *refusal
	var code kafka.Error
	switch {
	case errors.As(err, &said) && name == mskName:
		e.Remedy = "check the AWS credentials that this process finds, AWS_REGION, the clock, and that their policy allows kafka-cluster:Connect"
	case errors.As(err, &said):
		e.Remedy = "correct kafka.sasl.username and kafka.sasl.password, or make the user on the broker for this mechanism"
	case errors.As(err, &code) && code == kafka.UnsupportedSASLMechanism:
		e.Remedy = "choose one of these by kafka.sasl.mechanism"
	case errors.As(err, &code) && code == kafka.IllegalSASLState:
		e.Remedy = "this listener asks for no login: leave kafka.sasl out, or name the port of one that does"
	case errors.Is(err, errTLS):
		e.Remedy = remedyTLS
	case isLost(err):
		e.Passing = true
		e.Remedy = "if it stays so, the listener may be one with TLS: set kafka.tls.enabled"
		if d.tls != nil {
			e.Remedy = "if it stays so, look into the broker's log: it gives its reason there"
		}
	case errors.As(err, new(net.Error)):
		return fmt.Errorf("login at broker %s: %w", addr, err)
	default:
		e.Remedy = "correct kafka.sasl, and make sure that the address is a broker's"
	}
	return e
}
