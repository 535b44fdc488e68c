package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// dictionaryTable is a table as information_schema shows it.
type dictionaryTable struct {
	id      schema.TableID
	engine  string
	created string
	comment string
	rows    int64
	rowSize int64 // their mean
	// versioned: MariaDB keeps the table's former rows in it.
	versioned bool
	columns   []dictionaryColumn
	uniques   []uniqueIndex
}

// uniqueIndex is an index that no two rows agree in.
type uniqueIndex struct {
	name    string
	columns []string
	partial bool // of a prefix of a column, or of an expression
}

// dictionaryColumn is a column as information_schema shows it.
type dictionaryColumn struct {
	name, dataType, columnType string
	nullable                   bool
	defaultText                *string
	extra                      string
	length                     int // CHARACTER_MAXIMUM_LENGTH
	precision, scale           int // NUMERIC_…
	fraction                   int // DATETIME_PRECISION
	charset                    string
	comment                    string
	inKey                      bool // of the primary key, or of what the server takes for one
	asBytes                    bool // MariaDB logs it as a string of bytes, and does not say what it is
	unlogged                   bool // MariaDB's binlog does not have its values, or not plainly: leaving it out does not help
}

func (c dictionaryColumn) holdsBytes() bool {
	return strings.HasSuffix(c.dataType, "binary") || strings.HasSuffix(c.dataType, "blob")
}

// generated tells whether the server computes the column of others.
func (c dictionaryColumn) generated() bool {
	return strings.Contains(c.extra, "VIRTUAL GENERATED") || strings.Contains(c.extra, "STORED GENERATED")
}

// compressed tells whether MariaDB stores the column's values compressed.
func (c dictionaryColumn) compressed() bool { return strings.Contains(c.columnType, " COMPRESSED*/") }

// readDictionary returns the base tables that want accepts, in the order of their
// names. It reads again where one was dropped, or made again, between its statements;
// one that has no columns even then is one that the user sees nothing of.
func readDictionary(ctx context.Context, s *session.Session, want func(schema.TableID) bool, only *schema.TableID) ([]*dictionaryTable, error) {
	for attempts := 5; ; attempts-- {
		list, err := readDictionaryOnce(ctx, s, want, only)
		if err != nil || attempts == 1 || !slices.ContainsFunc(list, func(t *dictionaryTable) bool { return len(t.columns) == 0 }) {
			return list, err
		}
	}
}

// readDictionaryOnce takes three statements, whatever the number of tables.
func readDictionaryOnce(ctx context.Context, s *session.Session, want func(schema.TableID) bool, only *schema.TableID) ([]*dictionaryTable, error) {
	where, args := "TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')", []any(nil)
	if only != nil {
		where, args = "TABLE_SCHEMA = ? AND TABLE_NAME = ?", []any{only.Database, only.Name}
	}
	d := dictionary{byID: map[schema.TableID]*dictionaryTable{}, mariaDB: s.Version().MariaDB}
	for _, step := range []struct {
		sql string
		add func(*mysql.Result, int) error
	}{
		{`SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(ENGINE, ''), COALESCE(TABLE_ROWS, 0), COALESCE(AVG_ROW_LENGTH, 0), COALESCE(CREATE_TIME, ''), TABLE_COMMENT, TABLE_TYPE <> 'BASE TABLE'
			FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND %s ORDER BY TABLE_SCHEMA, TABLE_NAME`,
			func(r *mysql.Result, i int) error { return d.addTable(r, i, want, only) }},
		{`SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA,
			COALESCE(CHARACTER_MAXIMUM_LENGTH, 0), COALESCE(NUMERIC_PRECISION, 0), COALESCE(NUMERIC_SCALE, 0), COALESCE(DATETIME_PRECISION, 0),
			COALESCE(CHARACTER_SET_NAME, ''), COLUMN_COMMENT, COLUMN_KEY = 'PRI'
			FROM information_schema.COLUMNS WHERE %s ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`, d.addColumn},
		{`SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COALESCE(COLUMN_NAME, ''), COLUMN_NAME IS NULL OR SUB_PART IS NOT NULL
			FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND %s ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`, d.addUnique},
	} {
		r, err := s.Query(ctx, fmt.Sprintf(step.sql, where), args...)
		if err != nil {
			return nil, fmt.Errorf("reading information_schema: %w", err)
		}
		for i := range r.RowNumber() {
			if err := step.add(r, i); err != nil {
				return nil, fmt.Errorf("reading information_schema: %w", err)
			}
		}
	}
	return d.list, nil
}

type dictionary struct {
	list    []*dictionaryTable
	byID    map[schema.TableID]*dictionaryTable
	mariaDB bool
}

// row reads the fields of a result's row one after the other and keeps the
// first error.
type row struct {
	r    *mysql.Result
	i, n int
	err  error
}

func (w *row) text() string {
	s, err := w.r.GetString(w.i, w.n)
	return step(w, s, err)
}

func (w *row) number() int64 {
	n, err := w.r.GetInt(w.i, w.n)
	return step(w, n, err)
}

func (w *row) optional() *string {
	null, err := w.r.IsNull(w.i, w.n)
	if err != nil || null {
		return step[*string](w, nil, err)
	}
	s := w.text()
	return &s
}

func step[T any](w *row, v T, err error) T {
	w.n++
	if w.err == nil {
		w.err = err
	}
	return v
}

func (w *row) id() schema.TableID { return schema.TableID{Database: w.text(), Name: w.text()} }

func (d *dictionary) addTable(r *mysql.Result, i int, want func(schema.TableID) bool, only *schema.TableID) error {
	w := row{r: r, i: i}
	t := &dictionaryTable{id: w.id(), engine: w.text(), rows: w.number(), rowSize: w.number(), created: w.text(), comment: w.text(), versioned: w.number() != 0}
	// information_schema compares names without regard to case.
	if w.err == nil && want(t.id) && (only == nil || *only == t.id) {
		d.list = append(d.list, t)
		d.byID[t.id] = t
	}
	return w.err
}

func (d *dictionary) addColumn(r *mysql.Result, i int) error {
	w := row{r: r, i: i}
	t := d.byID[w.id()]
	if t == nil {
		return w.err
	}
	c := dictionaryColumn{name: w.text(), dataType: strings.ToLower(w.text()), columnType: w.text(), nullable: w.text() == "YES",
		defaultText: w.optional(), extra: strings.ToUpper(w.text()),
		length: int(w.number()), precision: int(w.number()), scale: int(w.number()), fraction: int(w.number()),
		charset: w.text(), comment: w.text(), inKey: w.number() != 0}
	if d.mariaDB {
		c.unlogged, c.asBytes = c.generated() || c.compressed(), c.dataType == "vector"
		var expression bool
		if c.defaultText, expression = mariaDBDefault(c.defaultText, c.holdsBytes()); expression {
			c.extra += " DEFAULT_GENERATED" // MySQL's word for it
		}
	}
	t.columns = append(t.columns, c)
	return w.err
}

func (d *dictionary) addUnique(r *mysql.Result, i int) error {
	w := row{r: r, i: i}
	t := d.byID[w.id()]
	if t == nil {
		return w.err
	}
	name, seq, column, partial := w.text(), w.number(), w.text(), w.number() != 0
	if seq == 1 {
		t.uniques = append(t.uniques, uniqueIndex{name: name})
	}
	if n := len(t.uniques); n > 0 && t.uniques[n-1].name == name {
		u := &t.uniques[n-1]
		u.columns, u.partial = append(u.columns, column), u.partial || partial
	}
	return w.err
}

const primary = "PRIMARY"

// key returns the index that identifies the table's rows: the primary key, or
// the unique index that the server promotes to one where there is none (its first
// without nullable columns or prefixes). The binlog's table maps name the same
// one. Indexes have no order in information_schema, so the promoted one is known
// by the columns that are marked as the key's.
func (d *dictionaryTable) key() *uniqueIndex {
	marked := 0
	for _, c := range d.columns {
		if c.inKey {
			marked++
		}
	}
	for i := range d.uniques {
		if d.uniques[i].name == primary {
			return &d.uniques[i]
		}
	}
	for i := range d.uniques {
		if u := &d.uniques[i]; !u.partial && len(u.columns) == marked && d.allMarked(u.columns) {
			return u
		}
	}
	return nil
}

func (d *dictionaryTable) allMarked(names []string) bool {
	for _, c := range d.columns {
		if c.inKey && !slices.Contains(names, c.name) {
			return false
		}
	}
	return true
}

// Captured returns the captured tables that the server has, and the user sees.
func (m *MySQL) Captured(ctx context.Context) ([]schema.TableID, error) {
	tables, err := m.CapturedColumns(ctx)
	return IDs(tables), err
}

// CapturedColumns is Captured, with the columns of each table.
func (m *MySQL) CapturedColumns(ctx context.Context) ([]CapturedTable, error) {
	sel, err := newSelection(m.cfg)
	if err != nil {
		return nil, err
	}
	s, err := m.openSession(ctx)
	if err != nil {
		return nil, session.Explain(m.cfg.Endpoint, err)
	}
	defer s.Close()
	tables, err := readDictionary(ctx, s, sel.matches, nil)
	if err != nil {
		return nil, err
	}
	captured := make([]CapturedTable, len(tables))
	for i, t := range tables {
		captured[i].ID = t.id
		for _, c := range t.columns {
			if _, wanted := sel.columns.choose(t.id, c.name); wanted {
				captured[i].Columns = append(captured[i].Columns, c.name)
			}
		}
	}
	return captured, nil
}

// CapturedTable is a captured table, with the columns that are wanted of it.
type CapturedTable struct {
	ID      schema.TableID
	Columns []string
}

// IDs returns which tables they are.
func IDs(tables []CapturedTable) []schema.TableID {
	ids := make([]schema.TableID, len(tables))
	for i := range tables {
		ids[i] = tables[i].ID
	}
	return ids
}

// readCollations returns the character set of each collation, by the number that
// stands in the binlog.
func readCollations(ctx context.Context, s *session.Session) (map[uint64]string, error) {
	sql := "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"
	if s.Version().MariaDB { // where one collation may be of several character sets
		sql = "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID IS NOT NULL"
	}
	r, err := s.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("reading the collations: %w", err)
	}
	m := make(map[uint64]string, r.RowNumber())
	for i := range r.RowNumber() {
		w := row{r: r, i: i}
		id, name := w.number(), w.text()
		if w.err != nil {
			return nil, fmt.Errorf("reading the collations: %w", w.err)
		}
		m[uint64(id)] = name
	}
	return m, nil
}
