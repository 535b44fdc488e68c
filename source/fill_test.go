package source

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// TestFillEqualsSelect adds columns to a table with a row and compares what the
// row shows with what fill says; then once more when the row is gone, and the
// definition is all there is.
func TestFillEqualsSelect(t *testing.T) {
	server := servers.MySQL(t)
	cfg, err := ParseURL(server.URL("fills"))
	require.NoError(t, err)
	m := New(cfg, slog.New(slog.DiscardHandler))
	count := 0
	for _, definition := range []string{
		"DECIMAL(9,3) DEFAULT '-007.50'", "DECIMAL(9,3) DEFAULT -.0", "INT UNSIGNED DEFAULT '7'", "FLOAT DEFAULT -0.3", "DATETIME(3) DEFAULT '2020-02-29 23:59:59'", "VARCHAR(9) CHARACTER SET latin1 NOT NULL DEFAULT 'größe'",
		"INT", "INT DEFAULT 5", "INT NOT NULL", "INT NOT NULL DEFAULT -7", "TINYINT UNSIGNED DEFAULT 255", "BIGINT UNSIGNED DEFAULT 18446744073709551615", "BIGINT UNSIGNED NOT NULL",
		"SMALLINT(5) ZEROFILL DEFAULT 42", "MEDIUMINT DEFAULT -8388608", "DECIMAL(10,3) DEFAULT 1.5", "DECIMAL(10,3) NOT NULL", "DECIMAL(30,0) DEFAULT -5", "DECIMAL(60,5) DEFAULT 0.1",
		"DECIMAL(5,5) DEFAULT -0.5", "DECIMAL(5,0) NOT NULL",
		"FLOAT DEFAULT 0.1", "FLOAT NOT NULL", "DOUBLE DEFAULT 1e300", "DOUBLE NOT NULL", "BIT(1) DEFAULT b'1'", "BIT(10) DEFAULT b'1000000001'", "BIT(64) NOT NULL", "YEAR DEFAULT 2024", "YEAR NOT NULL",
		"DATE DEFAULT '2020-02-29'", "TIME(3) DEFAULT '10:11:12.5'", "TIME NOT NULL", "DATETIME(6) DEFAULT '2020-02-29 23:59:59.25'", "TIMESTAMP(3) NULL DEFAULT '2020-02-29 23:59:59.25'",
		"TIMESTAMP NOT NULL DEFAULT '2001-01-01 00:00:00'", "DATE NOT NULL", "DATETIME NOT NULL",
		"CHAR(5) DEFAULT 'ab'", "CHAR(5) NOT NULL", "VARCHAR(20) DEFAULT 'it''s \\\\ \"ü\"'", "VARCHAR(20) CHARACTER SET latin1 DEFAULT 'é'", "VARCHAR(9) NOT NULL DEFAULT ''", "VARCHAR(9) DEFAULT 'NULL'", "TEXT NOT NULL", "TEXT",
		"BINARY(4) DEFAULT 'ab'", "BINARY(4) NOT NULL", "VARBINARY(9) DEFAULT '0xFF'", "VARBINARY(9) DEFAULT x'00FF'", "VARBINARY(9) NOT NULL DEFAULT x'FF00FF0A27'", "BINARY(6) DEFAULT x'FF00FF'", "BLOB NOT NULL",
		"ENUM('x','y') DEFAULT 'y'", "ENUM('it''s','y') NOT NULL", "SET('x','y','z') DEFAULT 'x,z'", "SET('x','y') NOT NULL", "JSON NOT NULL", "JSON",
	} {
		t.Run(definition, func(t *testing.T) {
			server.Exec(t, fmt.Sprintf("SET sql_mode = '', time_zone = '+05:00'; DROP DATABASE IF EXISTS fills; CREATE DATABASE fills; CREATE TABLE fills.t (id INT PRIMARY KEY); INSERT INTO fills.t VALUES (1); ALTER TABLE fills.t ADD COLUMN x %s, ALGORITHM=COPY", definition))
			s, tables, err := m.OpenSnapshot(t.Context())
			require.NoError(t, err)
			defer s.Close()
			var row *schema.Block
			require.NoError(t, s.Read(t.Context(), 0, snapshot.Whole(tables[0]), func(b *schema.Block) error { row = b; return nil }))
			require.Equal(t, 1, row.Rows())
			compare := func(what string) {
				t.Helper()
				got, err := m.fill(t.Context(), tables[0], []binlog.Added{{Column: 1}})
				require.NoError(t, err)
				if row.New[1].IsNull(0) {
					require.Nil(t, got, what)
					return
				}
				require.NotNil(t, got, what)
				require.Equal(t, 1, got.Rows())
				require.True(t, got.New[0].IsNull(0), "the other columns are null")
				require.Equal(t, valueText(&row.New[1]), valueText(&got.New[1]), what)
			}
			compare("with a row")
			if said, ok := saidDefault(tables[0].Columns[1].Type, asSaid(definition)); ok {
				b := schema.NewBlock(tables[0])
				require.NoError(t, appendValue(b, tables[0], 1, said, nil))
				require.Equal(t, valueText(&row.New[1]), valueText(&b.New[1]), "as the statement says it")
				count++
			}
			server.Exec(t, "DELETE FROM fills.t")
			compare("without a row")
		})
	}
	require.Equal(t, 42, count, "defaults that need no server")
}

// asSaid returns the default of a definition as a statement in strict mode says it.
func asSaid(definition string) binlog.Default {
	d := binlog.Default{Strict: true}
	_, text, found := strings.Cut(definition, " DEFAULT ")
	quoted := strings.HasPrefix(text, "'") && !strings.ContainsAny(text, `\"`)
	switch {
	case !found && strings.Contains(definition, "NOT NULL"):
		d.Kind = binlog.ImplicitDefault
	case quoted:
		d.Kind, d.Text = binlog.TextDefault, strings.Trim(text, "'")
	case found && strings.Trim(text, "-.0123456789") == "":
		d.Kind, d.Text = binlog.NumberDefault, text
	}
	return d
}

func valueText(v *schema.Vec) string {
	return fmt.Sprintf("%d null %d: %d %d %v %x", v.Kind, v.NullN, v.I32, v.I64, v.Off, v.Data)
}

func TestFillRefusals(t *testing.T) {
	server := servers.MySQL(t)
	cfg, err := ParseURL(server.URL("nofill"))
	require.NoError(t, err)
	m := New(cfg, slog.New(slog.DiscardHandler))
	for definition, text := range map[string]string{
		"DATETIME DEFAULT CURRENT_TIMESTAMP":      "its default CURRENT_TIMESTAMP gave the rows that were there values that are not in the binlog",
		"VARCHAR(40) DEFAULT (CONCAT(id, 'x'))":   "its default concat(",
		"INT GENERATED ALWAYS AS (id + 1) STORED": "the server computed a value for each row",
		"INT AUTO_INCREMENT UNIQUE":               "the server computed a value for each row",
	} {
		server.Exec(t, "DROP DATABASE IF EXISTS nofill; CREATE DATABASE nofill; CREATE TABLE nofill.t (id INT PRIMARY KEY); INSERT INTO nofill.t VALUES (1); ALTER TABLE nofill.t ADD COLUMN x "+definition)
		s, tables, err := m.OpenSnapshot(t.Context())
		require.NoError(t, err)
		s.Close()
		_, err = m.fill(t.Context(), tables[0], []binlog.Added{{Column: 1}})
		require.ErrorContains(t, err, "of table nofill.t show in new columns: column x: "+text, definition)
		require.ErrorContains(t, err, "load the tables again", definition)
	}
	// The column went away before the stream came to its creation.
	server.Exec(t, "DROP DATABASE IF EXISTS nofill; CREATE DATABASE nofill; CREATE TABLE nofill.t (id INT PRIMARY KEY, x INT DEFAULT 1)")
	s, tables, err := m.OpenSnapshot(t.Context())
	require.NoError(t, err)
	s.Close()
	server.Exec(t, "ALTER TABLE nofill.t DROP COLUMN x")
	_, err = m.fill(t.Context(), tables[0], []binlog.Added{{Column: 1}})
	require.ErrorContains(t, err, "it is not there any more")
	server.Exec(t, "DROP TABLE nofill.t")
	_, err = m.fill(t.Context(), tables[0], []binlog.Added{{Column: 1}})
	require.ErrorContains(t, err, "the table is not there any more")
}

// TestRoundedDefault holds that a FLOAT whose text may have lost digits is
// refused rather than guessed.
func TestRoundedDefault(t *testing.T) {
	_, err := defaultFromText(schema.Type{Kind: schema.Float}, "16777200")
	require.ErrorContains(t, err, "cannot be read")
	v, err := defaultFromText(schema.Type{Kind: schema.Float}, "0.5")
	require.NoError(t, err)
	require.InDelta(t, 0.5, v.AsFloat64(), 0)
}

// TestFillOfColumnThatIsGone: the column or its table may go after the dictionary was
// read and before its default is. That is no fault of the run, but a change to be judged.
func TestFillOfColumnThatIsGone(t *testing.T) {
	server := servers.MySQL(t)
	server.Exec(t, "DROP DATABASE IF EXISTS fills_gone; CREATE DATABASE fills_gone; CREATE TABLE fills_gone.t (id INT PRIMARY KEY, x INT NOT NULL DEFAULT 7)")
	cfg, err := ParseURL(server.URL("fills_gone"))
	require.NoError(t, err)
	m := New(cfg, slog.New(slog.DiscardHandler))
	s, tables, err := m.OpenSnapshot(t.Context())
	require.NoError(t, err)
	defer s.Close()
	f := &filler{reach: func(ctx context.Context) (*session.Session, error) { return session.Open(ctx, cfg.Endpoint) }}
	defer f.close()
	_, err = f.value(t.Context(), tables[0], binlog.Added{Column: 1})
	require.NoError(t, err)
	for _, sql := range []string{"ALTER TABLE fills_gone.t DROP x", "DROP TABLE fills_gone.t"} {
		server.Exec(t, sql)
		_, err = f.value(t.Context(), tables[0], binlog.Added{Column: 1})
		require.ErrorIs(t, err, binlog.ErrIncompatible, sql)
	}
}
