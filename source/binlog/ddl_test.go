package binlog_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
)

// describe reads the shape of a table that has only INT and VARCHAR columns and
// the key id; the real one is the source's.
func (d *database) describe(ctx context.Context, id schema.TableID) (*schema.Table, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT column_name, data_type, is_nullable, column_key, character_maximum_length
		FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, id.Database, id.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	t := &schema.Table{ID: id}
	for rows.Next() {
		var name, typ, null, key string
		var length sql.NullInt64
		if err := rows.Scan(&name, &typ, &null, &key, &length); err != nil {
			return nil, err
		}
		c := schema.Column{Name: name, Type: schema.Type{Kind: schema.Int}, Nullable: null == "YES"}
		if typ == "varchar" {
			c.Type = schema.Type{Kind: schema.VarChar, Charset: "utf8mb4", Length: int(length.Int64)}
		}
		if key == "PRI" {
			t.Key = append(t.Key, len(t.Columns))
		}
		t.Columns = append(t.Columns, c)
	}
	if len(t.Columns) == 0 {
		return nil, rows.Err()
	}
	return t, t.Prepare()
}

// fillSeven: all columns in these tests are added with DEFAULT 7.
func fillSeven(_ context.Context, t *schema.Table, added []binlog.Added) (*schema.Block, error) {
	b := schema.NewBlock(t)
	for i := range t.Columns {
		b.New[i].AppendNull()
	}
	for _, a := range added {
		i := a.Column
		b.New[i].Reset(b.New[i].Kind)
		b.New[i].AppendInt32(7)
	}
	b.Ops = append(b.Ops, schema.OpRead)
	return b, nil
}

func newDescribed(t *testing.T) *database {
	d := newDatabase(t, servers.MySQL(t))
	d.config.Describe, d.config.Fill = d.describe, fillSeven
	return d
}

// TestAddColumn: rows before and behind each ADD COLUMN are decoded under their
// own shape, and information_schema, which shows the last one all the time, never
// gets into their way.
func TestAddColumn(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20));
		INSERT INTO t VALUES (1, 'one');
		ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT 7;
		INSERT INTO t VALUES (2, 'two', 2);
		ALTER TABLE t ADD (m INT DEFAULT 7, o INT DEFAULT 7), ADD INDEX (n);
		UPDATE t SET o = 1 WHERE id = 1;
		ALTER TABLE t ADD p INT DEFAULT 7;
		ALTER TABLE t MODIFY c VARCHAR(200);
		ALTER TABLE t ADD q INT DEFAULT 7`)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	shape := l.shapes[schema.TableID{Database: d.name, Name: "t"}]
	require.Equal(t, columnNames(t, d.db, d.name, "t"), names(shape), "the last columns are there although no row followed")
	d.requireEqual(t, l, "t")
}

// TestColumnsGoAndChange: rows before and behind each statement stand under their
// own shape; a column that has another name keeps its values, whatever else the
// statement does, and one that is dropped and added again does not.
func TestColumnsGoAndChange(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c VARCHAR(20), d INT, e INT, KEY gone (e, d));
		INSERT INTO t VALUES (1, 10, 20, 'one', 40, 50), (2, 11, 21, 'two', 41, 51);
		ALTER TABLE t DROP COLUMN e;
		UPDATE t SET a = 12 WHERE id = 2;
		ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a;
		UPDATE t SET a = 22 WHERE id = 2;
		ALTER TABLE t CHANGE COLUMN a a2 INT, ADD COLUMN a INT DEFAULT 7 AFTER id;
		INSERT INTO t (id, a, a2) VALUES (3, 1, 2);
		ALTER TABLE t RENAME COLUMN a2 TO x; ALTER TABLE t RENAME COLUMN x TO y;
		ALTER TABLE t DROP d, ADD d INT DEFAULT 7;
		UPDATE t SET c = 'three' WHERE id = 3;
		ALTER TABLE t MODIFY c VARCHAR(30) AFTER id, MODIFY b INT AFTER c;
		INSERT INTO t (id, c, b) VALUES (4, 'four', 4);
		ALTER TABLE t RENAME COLUMN id TO number, DROP y, CHANGE a A INT`)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	require.Equal(t, columnNames(t, d.db, d.name, "t"), names(l.shapes[schema.TableID{Database: d.name, Name: "t"}]), "the last change is there although no row followed")
	d.requireEqual(t, l, "t")
}

// TestKeysChange: each change comes under the key that its table map names. The key is
// announced at the statement where that says which, also if other columns go with it.
func TestKeysChange(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, c VARCHAR(20));
		INSERT INTO t VALUES (1, 10, 1, 'one'), (2, 20, 1, 'two'), (3, 30, 1, NULL);
		ALTER TABLE t DROP PRIMARY KEY, ADD CONSTRAINT named PRIMARY KEY USING BTREE (a, id DESC);
		UPDATE t SET a = 11 WHERE id = 1;
		ALTER TABLE t DROP PRIMARY KEY, DROP COLUMN id, ADD PRIMARY KEY (a);
		UPDATE t SET a = 21 WHERE a = 20;
		ALTER TABLE t DROP PRIMARY KEY, CHANGE a number INT NOT NULL PRIMARY KEY;
		DELETE FROM t WHERE number = 30;
		ALTER TABLE t ADD (n INT DEFAULT 7, UNIQUE KEY (number)), DROP PRIMARY KEY, ADD PRIMARY KEY (b, number);
		INSERT INTO t (number, b, c) VALUES (40, 4, 'four');
		ALTER TABLE t DROP COLUMN b;
		UPDATE t SET number = 41 WHERE number = 40;
		ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (n, number);
		UPDATE t SET c = 'more' WHERE number = 41;
		ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (number)`)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	shape := l.shapes[schema.TableID{Database: d.name, Name: "t"}]
	require.Equal(t, []int{0}, shape.Key, "the last change is there although no row followed")
	d.requireEqual(t, l, "t")
}

// TestNamesDecideWhatIsWanted: a column that gets the name of one that is left out
// goes; one that gets a wanted name, or another treatment, was not loaded so.
func TestNamesDecideWhatIsWanted(t *testing.T) {
	for _, c := range []struct{ statement, want string }{
		{"ALTER TABLE t RENAME COLUMN a TO secret_a, DROP secret", ""},
		{"ALTER TABLE t RENAME COLUMN secret TO b", "column secret was left out and has the name b now"},
		{"ALTER TABLE t CHANGE c masked VARCHAR(20)", "column c was renamed to masked, whose values are to leave the source in another form"},
	} {
		d := newDescribed(t)
		d.config.Describe = func(context.Context, schema.TableID) (*schema.Table, error) { return nil, nil }
		d.config.Choose = func(_ schema.TableID, column string) (*schema.Treatment, bool) {
			if column == "masked" {
				return &schema.Treatment{Kind: schema.Mask, Length: 3}, true
			}
			return nil, !strings.HasPrefix(column, "secret")
		}
		d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY, secret INT, a INT, c VARCHAR(20)); INSERT INTO t VALUES (1, 2, 3, 'x'); "+c.statement)
		l := newLake()
		err := d.stream(t, l)
		if c.want != "" {
			require.ErrorContains(t, err, c.want)
			continue
		}
		require.NoError(t, err)
		shape := l.shapes[schema.TableID{Database: d.name, Name: "t"}]
		require.Equal(t, "id,c", names(shape))
		require.Equal(t, []string{"secret_a"}, shape.LeftOut)
	}
}

// TestStatementsAheadOfTheDictionary: what a statement says for sure does not wait
// for a table map, however far the server is by then.
func TestStatementsAheadOfTheDictionary(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, v VARCHAR(10));
		INSERT INTO t VALUES (1, 10, 20, 'x');
		ALTER TABLE t RENAME COLUMN a TO x, ADD c INT DEFAULT 7, MODIFY v VARCHAR(20);
		ALTER TABLE t RENAME COLUMN c TO e, MODIFY b INT AFTER id;
		ALTER TABLE t MODIFY v VARCHAR(30);
		ALTER TABLE t RENAME COLUMN x TO y, DROP b`)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	require.Equal(t, columnNames(t, d.db, d.name, "t"), names(l.shapes[schema.TableID{Database: d.name, Name: "t"}]))
	d.requireEqual(t, l, "t")
}

func names(t *schema.Table) string {
	var s []string
	for _, c := range t.Columns {
		s = append(s, c.Name)
	}
	return strings.Join(s, ",")
}

// TestCreatedTables: tables that are made while the stream runs are empty at
// first and need no load.
func TestCreatedTables(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20));
		INSERT INTO t VALUES (1, 'one');
		CREATE TABLE copied (PRIMARY KEY (id)) SELECT * FROM t;
		CREATE TABLE alike LIKE t;
		INSERT INTO alike SELECT id + 1, c FROM t;
		CREATE TABLE rowless (id INT PRIMARY KEY);
		CREATE TABLE grown (id INT PRIMARY KEY);
		ALTER TABLE grown ADD n INT;
		INSERT INTO grown VALUES (1, 1);
		CREATE TEMPORARY TABLE temporary_one (id INT);
		DROP TEMPORARY TABLE temporary_one;
		CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY);
		CREATE TABLE gone (id INT PRIMARY KEY)`)
	d.config.Describe = func(ctx context.Context, id schema.TableID) (*schema.Table, error) {
		if id.Name == "gone" {
			return nil, nil
		}
		return d.describe(ctx, id)
	}
	d.exec(t, "DROP TABLE gone")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t", "copied", "alike", "rowless", "grown")
	require.Len(t, l.shapes, 5)
	require.Equal(t, "id,n", names(l.shapes[schema.TableID{Database: d.name, Name: "grown"}]))
}

// TestClientCharset: the bytes of a statement mean what its session said.
func TestClientCharset(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, "SET NAMES latin1; CREATE TABLE `é` (id INT PRIMARY KEY, c VARCHAR(20)); INSERT INTO `é` VALUES (1, 'one'); SET NAMES gbk; CREATE TABLE `é` (id INT PRIMARY KEY)")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "Ã©", "茅")
}

// TestTruncate: rows before the statement are void, those behind it count, and the
// table is announced as the one that it was.
func TestTruncate(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20)); CREATE TABLE other (id INT PRIMARY KEY);
		INSERT INTO t VALUES (1, 'one'), (2, 'two'); INSERT INTO other VALUES (1);
		TRUNCATE TABLE t;
		INSERT INTO t VALUES (2, 'three');
		CREATE TABLE made (id INT PRIMARY KEY);
		TRUNCATE made;
		INSERT INTO made VALUES (1);
		SET sql_log_bin = 0; CREATE TABLE unseen (id INT PRIMARY KEY); SET sql_log_bin = 1; TRUNCATE unseen;
		TRUNCATE TABLE t;
		INSERT INTO t VALUES (1, 'four')`)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t", "other", "made")
	var same []string
	for _, c := range l.changes {
		if c.Same {
			require.True(t, c.Reset)
			same = append(same, c.Table.ID.Name)
		}
	}
	require.Equal(t, []string{"t", "made", "t"}, same, "made is announced too: a run that begins behind its CREATE does not know that it is empty")
}

// TestDrop: a table that is dropped has ended, and one that is made under its name is
// another one, whatever its shape.
func TestDrop(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20)); CREATE TABLE other (id INT PRIMARY KEY); CREATE TABLE stays (id INT PRIMARY KEY);
		INSERT INTO t VALUES (1, 'one'), (2, 'two'); INSERT INTO other VALUES (1); INSERT INTO stays VALUES (1);
		DROP TABLE other, t;
		CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20));
		INSERT INTO t VALUES (2, 'three');
		DROP TABLE IF EXISTS t, never_was;
		CREATE TABLE t (n INT PRIMARY KEY);
		INSERT INTO t (n) VALUES (7);
		CREATE TEMPORARY TABLE stays (id INT); DROP TEMPORARY TABLE stays`)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	require.Equal(t, "n", names(l.shapes[schema.TableID{Database: d.name, Name: "t"}]))
	require.Len(t, l.shapes, 2)
	require.Len(t, l.rows[schema.TableID{Database: d.name, Name: "t"}], 1)
	require.Len(t, l.rows[schema.TableID{Database: d.name, Name: "stays"}], 1)

	d.exec(t, "CREATE TABLE `last` (id INT PRIMARY KEY); DROP DATABASE "+d.name)
	l = newLake()
	require.NoError(t, d.stream(t, l))
	require.Empty(t, l.shapes)
	d.exec(t, "CREATE DATABASE "+d.name)
}

// TestRefusals: each statement that cannot be followed stops the stream with
// table, cause and remedy.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ statements, want string }{
		{"RENAME TABLE t TO u", "gives its name to a table that was not loaded"},
		{"RENAME TABLE t TO u, other TO t, u TO other", "gives its name to another table"},
		{"CREATE TABLE elsewhere.x (id INT PRIMARY KEY); RENAME TABLE elsewhere.x TO x", "gives its name to a table that was not loaded"},
		{"ALTER TABLE t RENAME TO u", "name"},
		{"SET sql_mode = 'NO_BACKSLASH_ESCAPES'; ALTER TABLE t COMMENT '\\', RENAME TO u", "name"},
		{"SET sql_log_bin = 0; ALTER TABLE t RENAME COLUMN c TO d; SET sql_log_bin = 1; INSERT INTO t VALUES (2, 'x', 3)", "column d added, column c dropped, and no statement in the binlog says"},
		{"ALTER TABLE t MODIFY n DOUBLE", "column n was altered from int to double"},
		{"ALTER TABLE t MODIFY n TINYINT; ALTER TABLE t MODIFY n INT", "column n was altered from int to tinyint"},
		{"ALTER TABLE t MODIFY n BIGINT, ADD late INT; ALTER TABLE t MODIFY n SMALLINT; ALTER TABLE t MODIFY n BIGINT", "column n was altered from bigint to smallint"},
		{"CREATE TABLE w (id INT PRIMARY KEY, v ENUM('a', 'b')); INSERT INTO w VALUES (1, 'a'); ALTER TABLE w MODIFY v ENUM('a'); INSERT INTO w VALUES (2, 'a')", "column v was altered from enum('a','b') to enum('a')"},
		{"ALTER TABLE t DROP PRIMARY KEY; INSERT INTO t VALUES (2, 'x', 3)", "has no primary key"},
		{"SET sql_mode = ''; UPDATE t SET n = NULL; ALTER TABLE t MODIFY n INT NOT NULL", "column n was made NOT NULL in a session without strict mode"},
		{"ALTER TABLE t MODIFY c VARCHAR(5)", "column c was altered from varchar(20) to varchar(5), which may have changed values without a trace"},
		{"UPDATE t SET c = 'one '; ALTER TABLE t MODIFY c CHAR(20)", "column c was altered from varchar(20) to char(20)"},
		{"CREATE TABLE w (id INT PRIMARY KEY, v BIT(8)); INSERT INTO w VALUES (1, 1); ALTER TABLE w MODIFY v BIT(16); INSERT INTO w VALUES (2, 1)", "column v was altered"},
		{"CREATE TABLE w (id INT PRIMARY KEY, v TEXT); INSERT INTO w VALUES (1, REPEAT('x', 300)); SET sql_mode = ''; ALTER TABLE w MODIFY v TINYTEXT; INSERT INTO w VALUES (2, 'x')", "column v was altered"},
		{"CREATE TABLE keyless (id INT)", "keyless has no primary key"},
		{"SET SESSION binlog_format = 'STATEMENT'; UPDATE t SET n = 2", "the binlog holds a statement instead of its rows"},
		{"SET SESSION binlog_format = 'STATEMENT'; USE mysql; DELETE FROM {db}.t", "binlog_format=ROW"},
		{"SET SESSION binlog_row_image = 'MINIMAL'; UPDATE t SET n = 2", "binlog_row_image=FULL"},
		{"SET SESSION binlog_row_image = 'MINIMAL'; INSERT INTO t (id) VALUES (9)", "SET PERSIST binlog_row_image=FULL"},
		{"SET SESSION binlog_row_image = 'MINIMAL'; DELETE FROM t", "row images without all columns"},
		{"CREATE TABLE b (id INT PRIMARY KEY, v TEXT, n INT); INSERT INTO b VALUES (1, 'x', 1); SET SESSION binlog_row_image = 'NOBLOB'; UPDATE b SET n = 2", "row images without all columns"},
		{"SET SESSION binlog_row_value_options = 'PARTIAL_JSON'; UPDATE j SET v = JSON_SET(v, '$.a', 2)", "SET PERSIST binlog_row_value_options=''"},
		{"CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY HASH (id); CREATE TABLE q (id INT PRIMARY KEY); INSERT INTO p VALUES (1); INSERT INTO q VALUES (2); ALTER TABLE p EXCHANGE PARTITION p0 WITH TABLE q", "has EXCHANGE PARTITION"},
		{"CREATE TABLE r (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20)); INSERT INTO r VALUES (1); ALTER TABLE r DROP PARTITION p0", "DROP PARTITION"},
	} {
		t.Run(c.statements[:min(len(c.statements), 30)], func(t *testing.T) {
			d := newDescribed(t)
			d.exec(t, "CREATE DATABASE IF NOT EXISTS elsewhere; DROP TABLE IF EXISTS elsewhere.x")
			d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20), n INT); CREATE TABLE other (id INT PRIMARY KEY); CREATE TABLE j (id INT PRIMARY KEY, v JSON)")
			d.exec(t, `INSERT INTO t VALUES (1, 'one', 1); INSERT INTO j VALUES (1, '{"a": 1, "b": "`+strings.Repeat("x", 200)+`"}')`)
			l := newLake()
			require.NoError(t, d.stream(t, l))
			from := pipeline.Resume{Position: l.commits[len(l.commits)-1].Position, Tables: map[schema.TableID]pipeline.TableState{}}
			for id, shape := range l.shapes {
				from.Tables[id] = pipeline.TableState{Table: shape, Position: from.Position}
			}
			d.exec(t, strings.ReplaceAll(c.statements, "{db}", d.name))
			until := d.position(t)
			d.config.Until = &until
			err := binlog.New(d.config).Run(t.Context(), from, l)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, d.name)
			if c.want != "keyless has no primary key" && c.want != "has no primary key" { // that text is the caller's
				require.ErrorContains(t, err, "remedy")
			}
		})
	}
}

// TestHarmlessStatements: what changes no rows of ours does not stop us.
func TestHarmlessStatements(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, `
		CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20));
		INSERT INTO t VALUES (1, 'one');
		CREATE INDEX i ON t (c); DROP INDEX i ON t;
		CREATE VIEW v AS SELECT * FROM t; DROP VIEW v;
		CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.c = 'trigger';
		ANALYZE TABLE t; OPTIMIZE TABLE t; ALTER TABLE t ENGINE=InnoDB; ALTER TABLE t COMMENT 'rename to x', ADD KEY k (c);
		INSERT INTO t VALUES (2, 'two');
		XA START 'y'; INSERT INTO t VALUES (3, 'three'); XA END 'y'; XA COMMIT 'y' ONE PHASE;
		BEGIN; INSERT INTO t VALUES (4, 'x'); SAVEPOINT s; INSERT INTO t VALUES (5, 'x'); ROLLBACK TO s; COMMIT;
		DROP TABLE IF EXISTS never_was;
		CREATE USER IF NOT EXISTS somebody; DROP USER somebody;
		ALTER TABLE t MODIFY c VARCHAR(300);
		ALTER TABLE t MODIFY c CHAR VARYING(301);
		CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET binary; INSERT INTO b VALUES (1, 'x');
		ALTER TABLE b MODIFY v VARCHAR(30); INSERT INTO b VALUES (2, 'y');
		CREATE TABLE g (id INT PRIMARY KEY, v INT AS (CAST(id AS UNSIGNED)) STORED); INSERT INTO g (id) VALUES (1);
		ALTER TABLE g MODIFY v BIGINT AS (CAST(id AS UNSIGNED)) STORED; INSERT INTO g (id) VALUES (2);
		INSERT INTO t VALUES (6, 'x')`)
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t")
}

// TestMinimalMetadata: without names in the binlog, information_schema gives
// them, if it agrees.
func TestMinimalMetadata(t *testing.T) {
	server := servers.MySQL(t, "--binlog-row-metadata=MINIMAL")
	d := newDatabase(t, server)
	d.config.Describe, d.config.Fill = d.describe, fillSeven
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(20)); INSERT INTO t VALUES (1, 'one'); UPDATE t SET id = 2")
	l := newLake()
	require.NoError(t, d.stream(t, l))
	d.requireEqual(t, l, "t")
	for _, c := range []struct{ statement, want string }{
		{"ALTER TABLE t ADD n INT", "has 2 columns in the binlog and 3 now"},
		{"ALTER TABLE t DROP n, MODIFY c INT; ", "the binlog has type 15"},
	} {
		d.exec(t, "DELETE FROM t")
		d.exec(t, c.statement)
		require.ErrorContains(t, d.stream(t, newLake()), c.want, c.statement)
	}
}

// TestMinimalMetadataAfterAlter: columns that change places or names, and not their
// types, leave the table map as it was; the shape must be asked for again. Rows from
// before, read when the server has the new shape already, are refused.
func TestMinimalMetadataAfterAlter(t *testing.T) {
	server := servers.MySQL(t, "--binlog-row-metadata=MINIMAL")
	for _, c := range []struct{ statement, late string }{
		{"ALTER TABLE t MODIFY b INT AFTER id", "columns reordered"},
		{"ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "columns reordered"},
		{"ALTER TABLE t RENAME COLUMN a TO c", "column c added, column a dropped"},
	} {
		d := newDatabase(t, server)
		d.config.Describe, d.config.Fill = d.describe, fillSeven
		d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT); INSERT INTO t VALUES (1, 10, 20)")
		ctx, cancel := context.WithCancel(t.Context())
		l := newLake()
		l.onBlock = func(n int) {
			if n > 1 { // rows under the new shape
				cancel()
				return
			}
			d.exec(t, c.statement)
			d.exec(t, "INSERT INTO t (id, b) VALUES (2, 20)")
		}
		from := pipeline.Resume{Position: d.start, Tables: map[schema.TableID]pipeline.TableState{}}
		require.NoError(t, binlog.New(d.config).Run(ctx, from, l), c.statement)
		d.requireEqual(t, l, "t")

		id := schema.TableID{Database: d.name, Name: "t"}
		last := l.changes[0].Table
		from.Tables[id] = pipeline.TableState{Table: last, Position: d.start}
		err := binlog.New(d.config).Run(t.Context(), from, newLake())
		require.ErrorContains(t, err, c.late, c.statement)
		require.ErrorContains(t, err, "SET PERSIST binlog_row_metadata=FULL")
	}
}

// TestRowsWithoutLoad: rows of a table that is neither loaded nor created here
// are a gap.
func TestRowsWithoutLoad(t *testing.T) {
	d := newDescribed(t)
	d.exec(t, "CREATE TABLE t (id INT PRIMARY KEY)")
	d.start = d.position(t)
	d.exec(t, "INSERT INTO t VALUES (1)")
	require.ErrorContains(t, d.stream(t, newLake()), fmt.Sprintf("table %s.t has new rows in the binlog, but was never loaded; remedy", d.name))
}
