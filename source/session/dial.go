package session

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 30 * time.Second
	readBuffer       = 256 << 10
)

var (
	errClearPassword    = errors.New("the server asks for the password in clear text over a connection that is not encrypted")
	errCertificateShown = errors.New("the connection was lost once our certificate was shown")
)

// Dialer returns a function that opens the endpoint's network connections, for
// libraries that make the handshake themselves.
func (e Endpoint) Dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := d.DialContext(ctx, e.Network, e.Address)
		if err != nil || e.Network == "unix" || e.Password == "" {
			return c, err
		}
		return &guardedConn{Conn: c, clear: []byte(e.Password.Reveal() + "\x00")}, nil
	}
}

// guardedConn refuses to send the bare password. The driver does what the server
// asks for, and a server (or who stands in its place) may ask for the clear text
// plugin on a plain connection. Under TLS the bytes that pass here are
// encrypted, so nothing is ever refused there.
type guardedConn struct {
	net.Conn
	clear []byte
}

func (g *guardedConn) Write(p []byte) (int, error) {
	const header = 4
	if len(p) == header+len(g.clear) && bytes.Equal(p[header:], g.clear) {
		return 0, errClearPassword
	}
	return g.Conn.Write(p)
}

// connect returns the endpoint as it was reached, too: where encryption is only
// preferred, that tells whether there is any.
func connect(ctx context.Context, e Endpoint) (*client.Conn, Endpoint, error) {
	e, err := e.WithPassword()
	if err != nil {
		return nil, e, err
	}
	tlsConfig, err := e.TLSConfig()
	if err != nil {
		return nil, e, err
	}
	shown := noteCertificate(tlsConfig)
	c, err := handshake(ctx, e, client.Option(func(c *client.Conn) error {
		c.BufferSize = readBuffer
		c.SetTLSConfig(tlsConfig)
		return nil
	}))
	if *shown && isLost(err) {
		err = fmt.Errorf("%w: %w", errCertificateShown, err)
	}
	if err != nil && e.mode() == TLSPreferred && serverHasNoTLS(err) {
		e.TLS = TLSDisabled
		return connect(ctx, e)
	}
	return c, e, err
}

// noteCertificate makes the configuration note that the server asked for our
// certificate and got it. In TLS 1.3 the server looks at it when our side of the
// handshake is over; what it says against it is lost where the connection goes
// down first, under what we write.
func noteCertificate(c *tls.Config) *bool {
	shown := new(bool)
	if c == nil || len(c.Certificates) == 0 {
		return shown
	}
	own := &c.Certificates[0]
	c.GetClientCertificate = func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if asked.SupportsCertificate(own) != nil {
			return new(tls.Certificate), nil
		}
		*shown = true
		return own, nil
	}
	return shown
}

// handshake bounds the whole opening by time and by the context: the driver
// looks at the context only while it dials.
func handshake(ctx context.Context, e Endpoint, option client.Option) (*client.Conn, error) {
	dial := e.Dialer()
	stop := func() bool { return true }
	c, err := client.ConnectWithDialer(ctx, e.Network, e.Address, e.User, e.Password.Reveal(), "",
		func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			stop = context.AfterFunc(ctx, func() { _ = nc.Close() })
			return nc, nc.SetDeadline(time.Now().Add(handshakeTimeout))
		}, option)
	if !stop() || ctx.Err() != nil {
		if err == nil {
			_ = c.Close()
		}
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// serverHasNoTLS recognises the driver's only sign of it, a text.
func serverHasNoTLS(err error) bool {
	return strings.Contains(err.Error(), "does not support TLS")
}
