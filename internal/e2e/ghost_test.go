package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestGhost: a table that is migrated as gh-ost does it keeps its field ids and its old
// rows, whether the tables that gh-ost makes beside it are replicated or not. Where gh-ost
// is on PATH it does so itself, too.
func TestGhost(t *testing.T) {
	tools := map[string]func(*testing.T, *migration){"played": playGhost}
	if path, err := exec.LookPath("gh-ost"); err != nil {
		t.Log("gh-ost itself is not tried:", err)
	} else {
		tools["itself"] = func(t *testing.T, m *migration) { runGhost(t, m, path) }
	}
	for by, tool := range tools {
		for name, options := range map[string][]string{"captured": nil, "excluded": {"--tables-exclude", `.*\._a_(gho|ghc|del)`}} {
			t.Run(by+"_"+name, func(t *testing.T) { migrate(t, "e2e_ghost_"+by+"_"+name, tool, options...) })
		}
	}
}

func runGhost(t *testing.T, m *migration, path string) {
	host, port, _ := strings.Cut(m.server.Addr, ":")
	out, err := exec.Command(path, "--execute", "--allow-on-master", "--assume-rbr", "--cut-over-lock-timeout-seconds=10", "--ok-to-drop-table", "--host", host, "--port", port,
		"--user", m.server.User, "--password", m.server.Password, "--database", m.database, "--table", "a", "--alter", migratedBy,
		"--serve-socket-file", filepath.Join(t.TempDir(), "gh-ost.sock")).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// playGhost executes the statements that gh-ost does, in its order: the ghost and the
// changelog table, chunks of rows by turns with the changes of the binlog, and the atomic
// cut-over under a lock.
func playGhost(t *testing.T, m *migration) {
	exec := func(statement string) { m.exec(t, strings.ReplaceAll(statement, "DB", m.database)) }
	exec("drop /* gh-ost */ table if exists `DB`.`_a_gho`")
	exec("drop /* gh-ost */ table if exists `DB`.`_a_del`")
	exec("drop /* gh-ost */ table if exists `DB`.`_a_ghc`")
	exec("create /* gh-ost */ table `DB`.`_a_ghc` (id bigint unsigned auto_increment, last_update timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, hint varchar(64) charset ascii not null, value varchar(4096) charset ascii not null, primary key(id), unique key hint_uidx(hint)) auto_increment=256 comment='gh-ost changelog table'")
	exec("create /* gh-ost */ table `DB`.`_a_gho` like `DB`.`a`")
	exec("alter /* gh-ost */ table `DB`.`_a_gho` " + migratedBy)
	log := func(id int, hint, value string) {
		exec(fmt.Sprintf("insert /* gh-ost */ into `DB`.`_a_ghc` (id, hint, value) values (NULLIF(%d, 0), '%s', '%s') on duplicate key update last_update=NOW(), value=VALUES(value)", id, hint, value))
	}
	log(2, "state", "GhostTableMigrated")
	m.take() // what is before this is copied, or gone
	const chunk = 1000
	for first := 1; first <= m.rows; first += chunk {
		if m.applyToGhost(t); first > m.rows/2 && first <= m.rows/2+chunk {
			m.othersGoOn(t)
			m.applyToGhost(t)
		}
		log(1, "heartbeat", time.Now().Format(time.RFC3339Nano))
		exec(fmt.Sprintf("insert /* gh-ost `DB`.`a` */ ignore into `DB`.`_a_gho` (`id`, `v`, `w`) (select `id`, `v`, `w` from `DB`.`a` force index (`PRIMARY`) where (((`id` > %[1]d) or ((`id` = %[1]d))) and ((`id` < %[2]d) or ((`id` = %[2]d)))) lock in share mode)", first, first+chunk-1))
	}
	m.cutOver(t)
	exec("drop /* gh-ost */ table if exists `DB`.`_a_ghc`")
}

// applyToGhost repeats what the binlog tells, before the next rows are copied.
func (m *migration) applyToGhost(t *testing.T) {
	for _, c := range m.take() {
		ghost := "`" + m.database + "`.`_a_gho`"
		switch c.kind {
		case "INSERT":
			m.exec(t, fmt.Sprintf("replace /* gh-ost */ into %s (`id`, `v`, `w`) values (%d, %d, 'new')", ghost, c.id, c.v))
		case "UPDATE":
			m.exec(t, fmt.Sprintf("update /* gh-ost */ %s set `id`=%d, `v`=%d where ((`id` = %[2]d))", ghost, c.id, c.v))
		case "DELETE":
			m.exec(t, fmt.Sprintf("delete /* gh-ost */ from %s where ((`id` = %d))", ghost, c.id))
		}
	}
}

// cutOver: one session locks the table together with a sentry under the name that the
// table will have, another one waits with the RENAME, and the first lets it go.
func (m *migration) cutOver(t *testing.T) {
	c, err := m.db.Conn(t.Context())
	require.NoError(t, err)
	defer c.Close()
	exec := func(statement string) {
		_, err := c.ExecContext(t.Context(), strings.ReplaceAll(statement, "DB", m.database))
		require.NoError(t, err, statement)
	}
	exec("create /* gh-ost */ table `DB`.`_a_del` (id int auto_increment primary key) engine=innodb comment='ghost-cut-over-sentry'")
	exec("lock /* gh-ost */ tables `DB`.`a` write, `DB`.`_a_del` write")
	m.untilWaiting(t, traffic) // all that the writer did before has been told
	m.applyToGhost(t)
	renamed := make(chan error, 1)
	go func() {
		_, err := m.db.Exec(strings.ReplaceAll("rename /* gh-ost */ table `DB`.`a` to `DB`.`_a_del`, `DB`.`_a_gho` to `DB`.`a`", "DB", m.database))
		renamed <- err
	}()
	m.untilWaiting(t, "rename /* gh-ost */")
	exec("drop /* gh-ost */ table if exists `DB`.`_a_del`")
	exec("unlock /* gh-ost */ tables")
	require.NoError(t, <-renamed)
}
