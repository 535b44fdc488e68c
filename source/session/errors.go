package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// Numbers of the server's errors that are told apart.
const (
	ErrTooManyConnections  = 1040
	ErrDBAccessDenied      = 1044
	ErrAccessDenied        = 1045
	ErrUnknownColumn       = 1054
	ErrHostBlocked         = 1129
	ErrHostNotAllowed      = 1130
	ErrTableAccessDenied   = 1142
	ErrColumnAccessDenied  = 1143
	ErrNoSuchTable         = 1146
	ErrLockWait            = 1205
	ErrPrivilege           = 1227
	ErrReadBinlog          = 1236
	ErrTableDefChanged     = 1412
	ErrQueryInterrupted    = 1317
	ErrPasswordExpired     = 1820
	ErrAccountLocked       = 3118
	ErrSecureTransport     = 3159
	ErrPasswordExpiredAuth = 1862
)

// Number returns the server's number of an error, 0 where it is none of the
// server's.
func Number(err error) uint16 {
	var e *mysql.MyError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// Explain makes a sentence with cause and remedy of an error of the driver or
// the server. It is called where an error leaves the source, once; errors that
// it does not know pass unchanged.
func Explain(e Endpoint, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var done *explained
	if errors.As(err, &done) {
		return err
	}
	if text := explanation(e, err); text != "" {
		return &explained{text, err}
	}
	return err
}

// explained is an error with the sentence "cause; remedy" in front.
type explained struct {
	text string
	err  error
}

func (x *explained) Error() string { return x.text + " (" + x.err.Error() + ")" }

// Sentence takes the cause and the remedy out of an error that Explain made; of
// any other it returns the whole text as the cause.
func Sentence(err error) (cause, remedy string) {
	var x *explained
	if !errors.As(err, &x) {
		return err.Error(), ""
	}
	cause, remedy, _ = strings.Cut(x.text, "; ")
	return cause, remedy
}

func (x *explained) Unwrap() error { return x.err }

func explanation(e Endpoint, err error) string {
	switch Number(err) {
	case ErrAccessDenied:
		return explainDenied(e)
	case ErrHostNotAllowed, ErrHostBlocked:
		return fmt.Sprintf("the server at %s does not accept connections from this host; create the user for it (CREATE USER %s@'%%' …), or unblock it with TRUNCATE TABLE performance_schema.host_cache", e, userName(e.User))
	case ErrDBAccessDenied, ErrTableAccessDenied, ErrColumnAccessDenied, ErrPrivilege:
		return fmt.Sprintf("user %q lacks a privilege at %s; `beluga check` prints the GRANT statements", e.User, e)
	case ErrTooManyConnections:
		return fmt.Sprintf("the server at %s has no connection left; raise max_connections (SET GLOBAL max_connections = …) or lower --snapshot-max-threads", e)
	case ErrSecureTransport:
		return fmt.Sprintf("the server at %s takes encrypted connections only; add tls=required to --from", e)
	case ErrPasswordExpired, ErrPasswordExpiredAuth:
		return fmt.Sprintf("the password of user %q at %s has expired; set a new one with ALTER USER %s IDENTIFIED BY …", e.User, e, userName(e.User))
	case ErrAccountLocked:
		return fmt.Sprintf("the account of user %q at %s is locked; unlock it with ALTER USER %s ACCOUNT UNLOCK", e.User, e, userName(e.User))
	case ErrLockWait:
		return "waiting for a lock took longer than is allowed; end the session that holds it, or try at a quieter time"
	case ErrReadBinlog:
		return fmt.Sprintf("the server at %s cannot send the binary log from the position asked for", e)
	case ErrQueryInterrupted:
		return "the statement was killed on the server"
	case 0:
		return explainNetwork(e, err)
	}
	return ""
}

func explainDenied(e Endpoint) string {
	remedy := "set the password with BELUGA_PASSWORD or in --from"
	if e.PasswordFile != "" {
		remedy = "write the password into " + e.PasswordFile
	}
	if mode := e.mode(); mode == TLSDisabled || mode == TLSPreferred {
		remedy += "; if SHOW CREATE USER says REQUIRE SSL, add tls=required to --from"
	} else if e.CertFile == "" {
		remedy += "; if SHOW CREATE USER says REQUIRE X509, give a certificate: cert=FILE&key=FILE in --from"
	}
	return fmt.Sprintf("the server at %s refuses user %q: the user does not exist for this host or the password is wrong; %s", e, e.User, remedy)
}

const certificateRemedy = "give one that is signed by the server's ssl_ca (cert=FILE&key=FILE in --from)"

func explainNetwork(e Endpoint, err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errClearPassword):
		return fmt.Sprintf("logging in at %s refused; add tls=verify-identity to --from, or give the user a plugin that does not send the password (ALTER USER … IDENTIFIED WITH caching_sha2_password)", e)
	case errors.As(err, &dns):
		return fmt.Sprintf("no server has the name %q; check the host in --from", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("no server listens at %s; check host and port in --from, and that mysqld runs with a bind_address that is reachable", e)
	case errors.Is(err, os.ErrNotExist) && e.Network == "unix":
		return fmt.Sprintf("there is no socket at %s; SELECT @@socket tells where it is", e)
	case serverHasNoTLS(err):
		return fmt.Sprintf("the server at %s has no TLS; configure it (ssl_cert, ssl_key), or say tls=disabled in --from if the network between is safe", e)
	case isTLSAlert(err) && e.CertFile != "":
		return fmt.Sprintf("the server at %s does not accept our certificate %s; %s", e, e.CertFile, certificateRemedy)
	case errors.Is(err, errCertificateShown):
		return fmt.Sprintf("the server at %s may not accept our certificate %s; %s", e, e.CertFile, certificateRemedy)
	case isTLSError(err):
		return fmt.Sprintf("the server's certificate at %s is not accepted; give its CA (ca=FILE in --from), or choose another TLS mode (tls=…)", e)
	case errors.As(err, &op) && op.Timeout() && op.Op == "dial":
		return fmt.Sprintf("the server at %s does not answer; check the address in --from and the firewall between", e)
	}
	return ""
}

// explainConnect is Explain for a session that could not be opened.
func explainConnect(e Endpoint, err error) error {
	return Explain(e, fmt.Errorf("connecting to %s: %w", e, err))
}

func isTLSError(err error) bool {
	var (
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
		invalid     x509.CertificateInvalidError
		verify      *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		systemRoots x509.SystemRootsError
	)
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &verify) ||
		errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &systemRoots) || isTLSAlert(err)
}

// isTLSAlert recognises what the server says against our side of a handshake.
// The driver passes on no more than the text.
func isTLSAlert(err error) bool { return strings.Contains(err.Error(), "remote error: tls: ") }

// passing are the server's errors that pass by themselves: no connection left,
// shutting down, killed, offline mode.
var passing = []uint16{ErrTooManyConnections, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1203, ErrQueryInterrupted, 3032, 3168, 3169, 4031}

// IsPassing tells whether an error may be gone at the next attempt: the server
// restarts, or the network is away. It is an allow-list.
func IsPassing(err error) bool {
	if n := Number(err); n != 0 {
		return slices.Contains(passing, n)
	}
	var network net.Error
	return !isTLSError(err) && (errors.As(err, &network) || isLost(err))
}

// isLost tells whether the other side ended the connection without a word.
func isLost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, mysql.ErrBadConn) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isBroken tells whether a session cannot go on after the error: all but the
// server's own answers are faults of the connection.
func isBroken(err error) bool {
	return Number(err) == 0 || errors.Is(err, io.EOF)
}

func userName(user string) string { return "'" + user + "'" }
