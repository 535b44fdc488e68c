package source

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/source/session"
)

// Pause says when the connections of a load wait before they read on.
type Pause struct {
	// ReplicaLag is how far a server that is a replica may be behind; 0: as far as it
	// is. LagQuery tells it in seconds instead of the server.
	ReplicaLag time.Duration
	LagQuery   string
	// Load are limits of the server's status variables: "Threads_running>50".
	Load []string
}

// limit is one of Load.
type limit struct {
	variable string
	most     float64
}

var limitPattern = regexp.MustCompile(`^\s*(\w+)\s*>\s*(\d+(?:\.\d+)?)\s*$`)

// Check finds settings that make no sense whatever the server is.
func (p Pause) Check() error {
	if p.LagQuery != "" && p.ReplicaLag == 0 {
		return fmt.Errorf("--snapshot-pause-lag-query tells a lag, but there is no --snapshot-pause-replica-lag to compare it with")
	}
	if p.ReplicaLag < 0 {
		return fmt.Errorf("--snapshot-pause-replica-lag %s must not be less than zero; 0 turns it off", p.ReplicaLag)
	}
	_, err := p.limits()
	return err
}

func (p Pause) limits() (list []limit, err error) {
	for _, text := range p.Load {
		m := limitPattern.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("--snapshot-pause-load %q is not VARIABLE>NUMBER, such as Threads_running>50", text)
		}
		most, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, fmt.Errorf("--snapshot-pause-load %q: %w", text, err)
		}
		list = append(list, limit{m[1], most})
	}
	return list, nil
}

func (p Pause) isEmpty() bool { return p.ReplicaLag == 0 && len(p.Load) == 0 }

// busy tells why a load has to wait; "": it need not.
func (p Pause) busy(ctx context.Context, s *session.Session) (string, error) {
	if p.ReplicaLag > 0 {
		lag, known, err := p.lag(ctx, s)
		switch {
		case err != nil:
			return "", err
		case !known:
			return "this server is a replica, and its replication is not running", nil
		case lag > p.ReplicaLag:
			return fmt.Sprintf("the replica is %s behind, and may be %s", lag.Round(time.Millisecond), p.ReplicaLag), nil
		}
	}
	limits, err := p.limits()
	if err != nil || len(limits) == 0 {
		return "", err
	}
	status, err := readStatus(ctx, s, limits)
	if err != nil {
		return "", err
	}
	for _, l := range limits {
		if v := status[strings.ToLower(l.variable)]; v > l.most {
			return fmt.Sprintf("%s is %g, and may be %g", l.variable, v, l.most), nil
		}
	}
	return "", nil
}

// lag returns how far the server is behind its source; known: false where it does
// not know. A server that is no replica is not behind.
func (p Pause) lag(ctx context.Context, s *session.Session) (lag time.Duration, known bool, err error) {
	if p.LagQuery != "" {
		seconds, err := p.queriedLag(ctx, s)
		return time.Duration(seconds * float64(time.Second)), true, err
	}
	r, err := s.Query(ctx, s.Version().ReplicaStatus())
	if err != nil {
		return 0, false, fmt.Errorf("reading the state of the replication: %w", err)
	}
	column, ok := r.FieldNames["Seconds_Behind_Source"]
	if !ok {
		column = r.FieldNames["Seconds_Behind_Master"]
	}
	for i := range r.RowNumber() { // one for each source
		null, err := r.IsNull(i, column)
		if err != nil || null {
			return 0, false, err
		}
		seconds, err := r.GetInt(i, column)
		if err != nil {
			return 0, false, fmt.Errorf("reading the state of the replication: %w", err)
		}
		lag = max(lag, time.Duration(seconds)*time.Second)
	}
	return lag, true, nil
}

func (p Pause) queriedLag(ctx context.Context, s *session.Session) (float64, error) {
	r, err := s.Query(ctx, p.LagQuery)
	if err != nil {
		return 0, fmt.Errorf("running --snapshot-pause-lag-query: %w", err)
	}
	if r.Resultset == nil || r.RowNumber() != 1 {
		return 0, fmt.Errorf("--snapshot-pause-lag-query: %w", errLagQuery)
	}
	// Text, for the server has many types of numbers.
	text, err := r.GetString(0, 0)
	if null, _ := r.IsNull(0, 0); err != nil || null {
		return 0, fmt.Errorf("--snapshot-pause-lag-query: %w", errLagQuery)
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("--snapshot-pause-lag-query: %w", errLagQuery)
	}
	return seconds, nil
}

var errLagQuery = fmt.Errorf("it has to return one row, with the lag in seconds as a number in its first column")

// readStatus reads status variables, by their names in lower case.
func readStatus(ctx context.Context, s *session.Session, limits []limit) (map[string]float64, error) {
	names := make([]string, len(limits))
	for i, l := range limits {
		names[i] = "'" + l.variable + "'"
	}
	r, err := s.Query(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ("+strings.Join(names, ", ")+")")
	if err != nil {
		return nil, fmt.Errorf("reading the server's status: %w", err)
	}
	return statusOf(r), nil
}

func statusOf(r *mysql.Result) map[string]float64 {
	status := map[string]float64{}
	for i := range r.RowNumber() {
		name, _ := r.GetString(i, 0)
		text, _ := r.GetString(i, 1)
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			status[strings.ToLower(name)] = v
		}
	}
	return status
}

// pauseFaults tries what a load would ask.
func pauseFaults(ctx context.Context, s *session.Session, g grants, p Pause) (list Faults, err error) {
	limits, err := p.limits()
	if err != nil {
		return nil, err
	}
	if len(limits) > 0 {
		status, err := readStatus(ctx, s, limits)
		if err != nil {
			return nil, err
		}
		for _, l := range limits {
			if _, ok := status[strings.ToLower(l.variable)]; !ok {
				list = append(list, Fault{Fatal, "--snapshot-pause-load " + l.variable, "the server has no status variable of that name with a number", "choose one of SHOW GLOBAL STATUS"})
			}
		}
	}
	if p.ReplicaLag == 0 {
		return list, nil
	}
	_, _, err = p.lag(ctx, s)
	switch number := session.Number(err); {
	case err == nil:
		return list, nil
	case number == 0 && strings.Contains(err.Error(), errLagQuery.Error()):
		return append(list, Fault{Fatal, "--snapshot-pause-lag-query", errLagQuery.Error(), "correct the query, such as SELECT TIMESTAMPDIFF(SECOND, MAX(at), NOW()) FROM ops.heartbeat"}), nil
	case number == 0:
		return nil, err
	case p.LagQuery != "":
		return append(list, Fault{Fatal, "--snapshot-pause-lag-query", "the server refuses it: " + serverText(err), grantFor(p.LagQuery, serverText(err), g.account)}), nil
	}
	privilege := "REPLICATION CLIENT"
	if s.Version().MariaDB {
		privilege = "SLAVE MONITOR"
	}
	return append(list, Fault{Fatal, "--snapshot-pause-replica-lag", "the user may not ask how far the server is behind: " + serverText(err), fmt.Sprintf("GRANT %s ON *.* TO %s", privilege, g.account)}), nil
}
