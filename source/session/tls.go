package session

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// TLSMode says how a connection is protected. The names are those of MySQL's
// own clients.
type TLSMode string

// The modes.
const (
	TLSDisabled       TLSMode = "disabled"        // plain
	TLSPreferred      TLSMode = "preferred"       // encrypted where the server can, else plain
	TLSRequired       TLSMode = "required"        // encrypted; the server's certificate is not checked
	TLSVerifyCA       TLSMode = "verify-ca"       // … and its certificate is signed by the CA
	TLSVerifyIdentity TLSMode = "verify-identity" // … and names the host that was asked for
)

// ParseTLSMode reads the name of a mode.
func ParseTLSMode(s string) (TLSMode, error) {
	m := TLSMode(strings.ReplaceAll(strings.ToLower(s), "_", "-"))
	switch m {
	case TLSDisabled, TLSPreferred, TLSRequired, TLSVerifyCA, TLSVerifyIdentity:
		return m, nil
	}
	return "", fmt.Errorf("tls=%s is no TLS mode: use disabled, preferred, required, verify-ca or verify-identity", s)
}

// CheckTLS refuses what would be ignored: files that the mode has no use for.
func (e Endpoint) CheckTLS() error {
	mode := e.mode()
	switch {
	case e.CAFile != "" && mode != TLSVerifyCA && mode != TLSVerifyIdentity:
		return fmt.Errorf("ca=%s has no effect with tls=%s: say tls=verify-identity (or verify-ca, where the certificate has another name), or leave ca away", e.CAFile, mode)
	case (e.CertFile == "") != (e.KeyFile == ""):
		return errors.New("cert and key belong together: the client certificate and its private key")
	case e.CertFile != "" && (mode == TLSDisabled || mode == TLSPreferred):
		return fmt.Errorf("cert=%s has no effect on a connection that may be plain (tls=%s): say tls=required or verify-identity", e.CertFile, mode)
	}
	return nil
}

// TLSConfig returns the TLS configuration of the endpoint's mode, nil for a
// plain connection.
func (e Endpoint) TLSConfig() (*tls.Config, error) {
	mode := e.mode()
	if mode == TLSDisabled {
		return nil, nil
	}
	roots, err := e.roots()
	if err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: e.host(), RootCAs: roots}
	if e.CertFile != "" {
		own, err := tls.LoadX509KeyPair(e.CertFile, e.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	switch mode {
	case TLSPreferred, TLSRequired:
		c.InsecureSkipVerify = true
	case TLSVerifyCA:
		// The library's own check always includes the name; what remains without it is
		// the chain.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, roots) }
	}
	return c, nil
}

func (e Endpoint) roots() (*x509.CertPool, error) {
	if e.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the CA certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the CA certificates: %s holds no certificate in PEM form", e.CAFile)
	}
	return pool, nil
}

func verifyChain(s tls.ConnectionState, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(opts)
	return err
}
