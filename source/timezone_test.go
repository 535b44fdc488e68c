package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source"
)

// daylight makes a time zone with the rules of Central Europe in 2024.
const daylight = `INSERT INTO mysql.time_zone (Use_leap_seconds) VALUES ('N'); SET @z = LAST_INSERT_ID();
	INSERT INTO mysql.time_zone_name VALUES ('Test/Daylight', @z);
	INSERT INTO mysql.time_zone_transition_type VALUES (@z, 0, 3600, 0, 'CET'), (@z, 1, 7200, 1, 'CEST');
	INSERT INTO mysql.time_zone_transition VALUES (@z, 0, 0), (@z, 1711846800, 1), (@z, 1729990800, 0)`

// TestTimeZones: a TIMESTAMP is the same instant whatever the time zones of the
// server and of the sessions are, also within the hour that a clock shows twice;
// a DATETIME is what was written.
func TestTimeZones(t *testing.T) {
	server := servers.MySQL(t, "--default-time-zone=-09:30")
	server.Exec(t, daylight+"; CREATE DATABASE zones; CREATE TABLE zones.t (id INT PRIMARY KEY, ts TIMESTAMP(6) NULL, d DATETIME(3))")
	instants := []int64{1711846799, 1711846800, 1729987200 + 1800, 1729990800 + 1800, 1704067200, 1}
	insert := func(first int) {
		for i, zone := range []string{"+00:00", "Test/Daylight", "+14:00", "-13:59"} {
			for j, at := range instants {
				// FROM_UNIXTIME goes through the session's clock; so the value is made in UTC,
				// and the session's zone changes behind it.
				server.Exec(t, fmt.Sprintf("SET time_zone = '+00:00'; SET @at = FROM_UNIXTIME(%d.25); INSERT INTO zones.t VALUES (%d, @at, '2024-03-31 02:30:00.5'); SET time_zone = '%s'; UPDATE zones.t SET d = '2024-10-27 02:30:00.125' WHERE id = %[2]d",
					at, first+10*i+j, zone))
			}
			server.Exec(t, fmt.Sprintf("SET time_zone = '%s'; INSERT INTO zones.t VALUES (%d, '2024-07-01 12:00:00', '2024-07-01 12:00:00')", zone, first+10*i+9))
		}
	}
	insert(100)
	c := config(t, server, "zones")
	c.Once = true
	m := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, m))
	server.Exec(t, "SET GLOBAL time_zone = 'Test/Daylight'")
	insert(200)
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), m.state(), m))

	want := queryRows(t, server, "SELECT CONCAT('id=', id, ' ts=', CAST(UNIX_TIMESTAMP(ts) * 1000000 AS SIGNED), ' d=', TIMESTAMPDIFF(MICROSECOND, '1970-01-01', d), ' ') FROM zones.t ORDER BY id")
	require.Len(t, want, 2*4*7)
	id := schema.TableID{Database: "zones", Name: "t"}
	require.Len(t, m.rows[id], len(want))
	for _, row := range m.rows[id] {
		require.Contains(t, want, row)
	}
	require.Contains(t, strings.Join(want, "\n"), "ts=1729989000250000 ")
	require.Contains(t, strings.Join(want, "\n"), "ts=1729992600250000 ")

	// All again by a load, of a server that keeps daylight saving time.
	again := newMemory()
	require.NoError(t, source.New(c, quiet()).Run(t.Context(), pipeline.Resume{}, again))
	require.Equal(t, m.rows, again.rows)
}

func queryRows(t *testing.T, server *servers.MySQLServer, query string) (list []string) {
	t.Helper()
	rows, err := server.DB(t).Query(query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		require.NoError(t, rows.Scan(&s))
		list = append(list, s)
	}
	require.NoError(t, rows.Err())
	return list
}
