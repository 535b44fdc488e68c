package session

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"
)

// Session is one session with the server. It is used by one goroutine at a time.
type Session struct {
	conn     *client.Conn
	endpoint Endpoint
	broken   bool // an answer was left half read
}

// settings make a value read the same whatever the server's defaults are, and
// keep the server from ending a session that a slow sink keeps waiting.
var settings = []string{
	"NAMES utf8mb4",
	"SESSION time_zone = '+00:00'",
	"SESSION sql_mode = ''", // in-range checks and PAD_CHAR_TO_FULL_LENGTH would change what is read
	"SESSION transaction_isolation = 'REPEATABLE-READ'",
	"SESSION max_execution_time = 0", // a global limit for queries would cut a load
	"SESSION sql_select_limit = DEFAULT",
	"SESSION net_write_timeout = 86400",
	"SESSION wait_timeout = 604800",
	"SESSION information_schema_stats_expiry = 0", // row counts of now
}

// Open opens a session. Its errors are translated.
func Open(ctx context.Context, e Endpoint) (*Session, error) {
	c, e, err := connect(ctx, e)
	if err != nil {
		return nil, explainConnect(e, err)
	}
	s := &Session{conn: c, endpoint: e}
	if err := s.configure(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("setting up a session at %s: %w", e, err)
	}
	return s, nil
}

func (s *Session) configure(ctx context.Context) error {
	v := s.Version()
	if !v.Supported() {
		return nil // not to be replicated; the preflight says so, and needs no settings for it
	}
	list := settings
	switch {
	case v.MariaDB:
		list = mariaDBSettings
	case !v.Less(8, 0, 30):
		// Else a key that the server generated stays hidden here while the binlog has it.
		list = append(list[:len(list):len(list)], "SESSION show_gipk_in_create_table_and_information_schema = ON")
	}
	for _, set := range list {
		if _, err := s.Query(ctx, "SET "+set); err != nil {
			return fmt.Errorf("SET %s: %w", set, err)
		}
	}
	return nil
}

// Close ends the session.
func (s *Session) Close() {
	if s == nil {
		return
	}
	if !s.broken {
		_ = s.conn.SetDeadline(time.Now().Add(time.Second))
		_ = s.conn.Quit()
		return
	}
	_ = s.conn.Close()
}

// Endpoint returns the endpoint as it was reached: with TLSDisabled, where TLS
// was preferred and the server has none.
func (s *Session) Endpoint() Endpoint { return s.endpoint }

// Query runs a statement and returns its whole answer. With arguments it is a
// prepared statement; their types are those that the driver takes.
func (s *Session) Query(ctx context.Context, sql string, args ...any) (*mysql.Result, error) {
	var r *mysql.Result
	err := s.do(ctx, func() (err error) {
		r, err = s.conn.Execute(sql, args...)
		return err
	})
	return r, err
}

// Prepare lets the server look at a statement without running it.
func (s *Session) Prepare(ctx context.Context, sql string) error {
	return s.do(ctx, func() error {
		stmt, err := s.conn.Prepare(sql)
		if err != nil {
			return err
		}
		return stmt.Close()
	})
}

// Stream runs a prepared statement and hands over its rows as they come. The
// values are the driver's own and hold until row returns. Where row fails the
// session cannot be used any more.
func (s *Session) Stream(ctx context.Context, sql string, args []any, row func([]mysql.FieldValue) error) error {
	return s.do(ctx, func() error {
		stmt, err := s.conn.Prepare(sql)
		if err != nil {
			return err
		}
		var result mysql.Result
		var failed error
		err = stmt.ExecuteSelectStreaming(&result, func(v []mysql.FieldValue) error {
			failed = row(v)
			return failed
		}, nil, args...)
		if failed != nil {
			s.broken = true
			return failed // without the driver's stack
		}
		if err != nil {
			return err
		}
		return stmt.Close()
	})
}

// do runs f so that the end of ctx interrupts it.
func (s *Session) do(ctx context.Context, f func() error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if s.broken {
		return fmt.Errorf("the session with %s was interrupted before", s.endpoint)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) })
	err := f()
	if !stop() {
		s.broken = true
		return context.Cause(ctx)
	}
	if err != nil {
		s.broken = s.broken || isBroken(err)
	}
	return err
}

// Version returns the server's version.
func (s *Session) Version() Version { return ParseVersion(s.conn.GetServerVersion()) }

// Version is a server's version.
type Version struct {
	Major, Minor, Patch int
	MariaDB             bool
	Text                string
}

// ParseVersion reads what a server says of itself: "8.4.3", "9.7.4-2",
// "5.5.5-10.11.6-MariaDB-log".
func ParseVersion(text string) Version {
	text = strings.TrimRight(text, "\x00")
	v := Version{Text: text, MariaDB: strings.Contains(strings.ToLower(text), "mariadb")}
	if v.MariaDB {
		text = strings.TrimPrefix(text, "5.5.5-") // sent for old replicas' sake
	}
	number, _, _ := strings.Cut(text, "-")
	for i, part := range strings.SplitN(number, ".", 3) {
		n, _ := strconv.Atoi(part)
		switch i {
		case 0:
			v.Major = n
		case 1:
			v.Minor = n
		case 2:
			v.Patch = n
		}
	}
	return v
}

// Less tells whether the version is older than the given one.
func (v Version) Less(major, minor, patch int) bool {
	if v.Major != major {
		return v.Major < major
	}
	if v.Minor != minor {
		return v.Minor < minor
	}
	return v.Patch < patch
}

// Quote writes a name as an identifier. Names come from the server and may hold
// anything but NUL.
func Quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}
