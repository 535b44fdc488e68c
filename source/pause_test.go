package source

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/source/session"
)

func TestPauseLimits(t *testing.T) {
	list, err := Pause{Load: []string{"Threads_running>50", " Innodb_row_lock_time_avg > 1.5 "}}.limits()
	require.NoError(t, err)
	require.Equal(t, []limit{{"Threads_running", 50}, {"Innodb_row_lock_time_avg", 1.5}}, list)
	for _, text := range []string{"Threads_running", "Threads_running>", "Threads_running<5", "a b>5", "x>-1", "x>5'"} {
		require.ErrorContains(t, Pause{Load: []string{text}}.Check(), "is not VARIABLE>NUMBER", text)
	}
	require.ErrorContains(t, Pause{LagQuery: "SELECT 1"}.Check(), "there is no --snapshot-pause-replica-lag")
	require.ErrorContains(t, Pause{ReplicaLag: -1}.Check(), "must not be less than zero")
	require.NoError(t, Pause{}.Check())
}

// TestPauseFaults asks real servers, which are no replicas, as users with few
// rights.
func TestPauseFaults(t *testing.T) {
	for name, server := range map[string]*servers.MySQLServer{"MySQL": servers.MySQL(t), "MariaDB": servers.MariaDB(t)} {
		t.Run(name, func(t *testing.T) {
			server.Exec(t, "DROP USER IF EXISTS pauses; CREATE USER pauses; DROP DATABASE IF EXISTS pauses; CREATE DATABASE pauses; CREATE TABLE pauses.lag (s INT); INSERT INTO pauses.lag VALUES (3); "+
				"CREATE DATABASE IF NOT EXISTS other; GRANT SELECT ON other.* TO pauses")
			few := *server
			few.User, few.Password = "pauses", ""
			c, err := ParseURL(few.URL(""))
			require.NoError(t, err)
			open := func() *session.Session {
				s, err := session.Open(t.Context(), c.Endpoint)
				require.NoError(t, err)
				t.Cleanup(s.Close)
				return s
			}
			s := open()
			g, err := readGrants(t.Context(), s)
			require.NoError(t, err)
			faults := func(p Pause) Faults {
				require.NoError(t, p.Check())
				f, err := pauseFaults(t.Context(), s, g, p)
				require.NoError(t, err)
				return f
			}
			one := func(p Pause) Fault {
				f := faults(p)
				require.Len(t, f, 1)
				require.Equal(t, Fatal, f[0].Severity)
				return f[0]
			}
			require.Contains(t, one(Pause{Load: []string{"threads_RUNNING>5", "Thread_running>5"}}).Subject, "Thread_running")
			query := Pause{ReplicaLag: time.Second, LagQuery: "SELECT s FROM pauses.lag"}
			server.Exec(t, one(query).Remedy)
			require.Empty(t, faults(query))
			lag, known, err := query.lag(t.Context(), s)
			require.NoError(t, err)
			require.True(t, known)
			require.Equal(t, 3*time.Second, lag)
			for _, sql := range []string{"SELECT NULL", "SELECT 'late'", "SELECT 1 WHERE FALSE", "SELECT 1 UNION SELECT 2", "DO 1"} {
				require.Equal(t, errLagQuery.Error(), one(Pause{ReplicaLag: time.Second, LagQuery: sql}).Problem, sql)
			}
			server.Exec(t, one(Pause{ReplicaLag: time.Second}).Remedy)
			s = open() // which has the privilege
			require.Empty(t, faults(Pause{ReplicaLag: time.Second}))
			why, err := Pause{ReplicaLag: time.Second, Load: []string{"Threads_running>100000"}}.busy(t.Context(), s)
			require.NoError(t, err)
			require.Empty(t, why, "this server is no replica, and idle")
			why, err = Pause{Load: []string{"Uptime>0"}}.busy(t.Context(), s)
			require.NoError(t, err)
			require.Regexp(t, `^Uptime is \d+, and may be 0$`, why)
		})
	}
}
