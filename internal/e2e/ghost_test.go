package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestGhost: a table that is migrated as gh-ost does it keeps its field ids and its old
// rows, whether the tables that gh-ost makes beside it are replicated or not.
func TestGhost(t *testing.T) {
	for name, options := range map[string][]string{"captured": nil, "excluded": {"--tables-exclude", `.*\._a_(gho|ghc|del)`}} {
		t.Run(name, func(t *testing.T) {
			m := &migration{server: servers.MySQL(t), database: "e2e_ghost_" + name, rows: 20_000, clauses: "ADD COLUMN extra INT NOT NULL DEFAULT 3, MODIFY w VARCHAR(200) AFTER id, ADD KEY (v)"}
			m.migrate(t, playGhost, options...)
		})
	}
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
	exec("alter /* gh-ost */ table `DB`.`_a_gho` " + m.clauses)
	log := func(id int, hint, value string) {
		exec(fmt.Sprintf("insert /* gh-ost */ into `DB`.`_a_ghc` (id, hint, value) values (NULLIF(%d, 0), '%s', '%s') on duplicate key update last_update=NOW(), value=VALUES(value)", id, hint, value))
	}
	log(2, "state", "GhostTableMigrated")
	m.take() // what is before this is copied, or gone
	const chunk = 1000
	for first := 1; first <= m.rows; first += chunk {
		m.applyToGhost(t)
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
	for !m.blocked(t) {
		time.Sleep(time.Millisecond)
	}
	m.applyToGhost(t)
	renamed := make(chan error, 1)
	go func() {
		_, err := m.db.Exec(strings.ReplaceAll("rename /* gh-ost */ table `DB`.`a` to `DB`.`_a_del`, `DB`.`_a_gho` to `DB`.`a`", "DB", m.database))
		renamed <- err
	}()
	time.Sleep(100 * time.Millisecond) // gh-ost looks into the list of processes, too, that the RENAME waits
	exec("drop /* gh-ost */ table if exists `DB`.`_a_del`")
	exec("unlock /* gh-ost */ tables")
	require.NoError(t, <-renamed)
}
