package connection

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go/sasl"
)

const (
	dialTimeout  = 5 * time.Second
	loginTimeout = 10 * time.Second // for TLS and SASL together
)

// Config says how a connection is made safe. The zero Config is a plain one.
type Config struct {
	TLS  TLS
	SASL SASL
}

// TLS says whether and how a connection is encrypted. The certificate and name
// of the broker are always checked.
type TLS struct {
	Enabled           bool
	CAFile            string // PEM; the system's authorities without it
	CertFile, KeyFile string // of the client, PEM; read again for each connection
	ServerName        string // what the brokers' certificates are made out to; the broker's host without it
}

// Dialer opens connections of one Config. The zero Dialer opens plain ones.
type Dialer struct {
	tls   *tls.Config
	login sasl.Mechanism
}

// New reads what the Config names.
func New(ctx context.Context, c Config) (*Dialer, error) {
	d := &Dialer{}
	var err error
	if c.TLS.Enabled {
		if d.tls, err = c.TLS.config(); err != nil {
			return nil, err
		}
	}
	d.login, err = c.SASL.mechanism(ctx)
	return d, err
}

func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka.tls.ca: %s holds no certificate in PEM form", t.CAFile)
		}
	}
	if t.CertFile == "" {
		return c, nil
	}
	load := func() (*tls.Certificate, error) {
		own, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.cert and kafka.tls.key: %w", err)
		}
		return &own, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	// Short-lived certificates are replaced in their files while we run.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return c, nil
}

// DialContext opens a connection that is ready for requests.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, addr)
	if err != nil || d.tls == nil && d.login == nil {
		return conn, err
	}
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	safe, err := d.secure(ctx, conn, addr)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return safe, nil
}

// Probe asks a broker which requests it knows: some refuse a connection only when
// the first one comes.
func (d *Dialer) Probe(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	_, err = ask(conn, apiVersions, 0, nil)
	stop()
	switch _ = conn.Close(); { // nothing was sent that has to arrive
	case errors.Is(err, errTLS):
		return &Error{Addr: addr, Cause: err, Remedy: remedyTLS}
	case err != nil:
		return Explain(err)
	}
	return nil
}

func (d *Dialer) secure(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if d.tls != nil {
		c := d.tls
		if c.ServerName == "" {
			c = c.Clone()
			c.ServerName = host
		}
		t := tls.Client(conn, c)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, handshakeError(addr, err)
		}
		conn = t
	}
	if d.login == nil {
		return conn, nil
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("the port of %s: %w", addr, err)
	}
	// A deadline in the past is how a read that waits learns that ctx ended.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	err = authenticate(sasl.WithMetadata(ctx, &sasl.Metadata{Host: host, Port: n}), conn, d.login)
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, d.loginError(addr, err)
	}
	return conn, nil
}
