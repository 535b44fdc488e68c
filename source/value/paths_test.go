package value_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/binlog"
	"github.com/beluga-cdc/beluga/source/value"
)

func TestMain(m *testing.M) { servers.Main(m) }

func repeat(s string, n int) string { return strings.Repeat(s, n) }

var set64, set64All = func() (string, string) {
	var labels []string
	for i := range 64 {
		labels = append(labels, "s"+strconv.Itoa(i))
	}
	return "set('" + strings.Join(labels, "','") + "')", strings.Join(labels, ",")
}()

// show writes a value of a block: text in quotes, bytes in hexadecimal, all
// numbers as they stand there.
func show(v *schema.Vec, lake schema.LakeType, i int) string {
	switch {
	case v.IsNull(i):
		return "null"
	case lake.Kind == schema.LakeString:
		return "'" + string(v.Bytes(i)) + "'"
	case lake.Kind == schema.LakeBinary || lake.Kind == schema.LakeFloatList:
		return "x" + hex.EncodeToString(v.Bytes(i))
	}
	switch v.Kind {
	case schema.VecBool:
		return strconv.FormatBool(v.I32[i] != 0)
	case schema.VecInt32:
		return strconv.Itoa(int(v.I32[i]))
	case schema.VecInt64:
		return strconv.FormatInt(v.I64[i], 10)
	case schema.VecFloat32:
		return strconv.FormatFloat(float64(v.Float32(i)), 'g', -1, 32)
	case schema.VecFloat64:
		return strconv.FormatFloat(v.Float64(i), 'g', -1, 64)
	}
	n := new(big.Int).SetBytes(v.Dec128(i))
	if v.Dec128(i)[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return n.String()
}

// column is what both paths made of the rows of one table (id, v).
type column struct {
	table            *schema.Table
	streamed, loaded []string
}

// source is a MySQL session that values are written and read by.
type source struct {
	server   *servers.MySQLServer
	conn     *client.Conn
	types    value.Policy
	describe func(context.Context, schema.TableID) (*schema.Table, error)
}

func newSource(t *testing.T) *source {
	server := servers.MySQL(t)
	conn, err := client.Connect(server.Addr, server.User, server.Password, "")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	s := &source{server: server, conn: conn, describe: func(context.Context, schema.TableID) (*schema.Table, error) { return nil, nil }}
	s.exec(t, "SET NAMES utf8mb4")
	s.exec(t, "SET SESSION time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")
	return s
}

func (s *source) exec(t *testing.T, sql string) {
	t.Helper()
	_, err := s.conn.Execute(sql)
	require.NoError(t, err, "%.300s", sql)
}

func (s *source) position(t *testing.T) schema.Position {
	r, err := s.conn.Execute("SELECT @@global.gtid_executed, @@server_uuid")
	require.NoError(t, err)
	text, err := r.GetString(0, 0)
	require.NoError(t, err)
	set, err := schema.ParseGTIDSet(text)
	require.NoError(t, err)
	return schema.Position{GTIDs: set}
}

// blocks streams what a database logged since a position.
func (s *source) blocks(t *testing.T, database string, from schema.Position) (map[schema.TableID][]*schema.Block, error) {
	until := s.position(t)
	got := map[schema.TableID][]*schema.Block{}
	r, err := s.conn.Execute("SELECT id, character_set_name FROM information_schema.collations")
	require.NoError(t, err)
	collations := map[uint64]string{}
	for i := range r.RowNumber() {
		id, err := r.GetUint(i, 0)
		require.NoError(t, err)
		collations[id], err = r.GetString(i, 1)
		require.NoError(t, err)
	}
	stream := binlog.New(binlog.Config{
		Login: func() (binlog.Login, error) {
			return binlog.Login{Addr: s.server.Addr, User: s.server.User, Password: s.server.Password}, nil
		},
		Captures:   func(id schema.TableID) bool { return id.Database == database },
		Collations: collations,
		Describe:   s.describe,
		Types:      s.types,
		Keyless:    func(id schema.TableID) error { return fmt.Errorf("%s has no key", id) },
		Until:      &until,
	})
	err = stream.Run(t.Context(), pipeline.Resume{Position: from}, sendFunc(func(e schema.Event) {
		if b, ok := e.(*schema.Block); ok {
			got[b.Table.ID] = append(got[b.Table.ID], b)
		}
	}))
	return got, err
}

type sendFunc func(schema.Event)

func (f sendFunc) Send(_ context.Context, e schema.Event) error { f(e); return nil }

// load reads a table as the snapshot does.
func (s *source) load(t *testing.T, table *schema.Table) ([]string, error) {
	stmt, err := s.conn.Prepare(fmt.Sprintf("SELECT %s FROM `%s`.`%s` ORDER BY id", value.StoredExpression(table.Columns[1].Type, "`v`"), table.ID.Database, table.ID.Name))
	require.NoError(t, err)
	defer stmt.Close()
	m, err := value.New(table, 1, nil)
	require.NoError(t, err)
	var vec schema.Vec
	vec.Reset(table.Lake(1).Vec())
	var result mysql.Result
	err = stmt.ExecuteSelectStreaming(&result, func(row []mysql.FieldValue) error { return m.FromStored(&vec, &row[0]) }, nil)
	var out []string
	for i := range vec.N {
		out = append(out, show(&vec, table.Lake(1), i))
	}
	return out, err
}

// bothPaths writes values of each type into a table of its own and reads them
// back on both paths.
func (s *source) bothPaths(t *testing.T, database string, literals map[string][]string) map[string]column {
	t.Helper()
	s.exec(t, "DROP DATABASE IF EXISTS "+database)
	s.exec(t, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4")
	from := s.position(t)
	types := make([]string, 0, len(literals))
	for typ := range literals {
		types = append(types, typ)
	}
	slices.Sort(types)
	for i, typ := range types {
		s.exec(t, fmt.Sprintf("CREATE TABLE %s.t%d (id INT PRIMARY KEY, v %s)", database, i, typ))
		for j, l := range literals[typ] {
			s.exec(t, fmt.Sprintf("INSERT IGNORE INTO %s.t%d VALUES (%d, %s)", database, i, j, l))
		}
	}
	blocks, err := s.blocks(t, database, from)
	require.NoError(t, err)
	got := map[string]column{}
	for i, typ := range types {
		bs := blocks[schema.TableID{Database: database, Name: fmt.Sprintf("t%d", i)}]
		require.NotEmpty(t, bs, typ)
		c := column{table: bs[0].Table}
		for _, b := range bs {
			for row := range b.Rows() {
				c.streamed = append(c.streamed, show(&b.New[1], c.table.Lake(1), row))
			}
		}
		c.loaded, err = s.load(t, c.table)
		require.NoError(t, err, typ)
		got[typ] = c
	}
	return got
}

func TestBothPaths(t *testing.T) {
	s := newSource(t)
	cases := append(cases, bitCases()...)
	literals := map[string][]string{}
	for _, c := range cases {
		literals[c.typ] = append(literals[c.typ], c.literal)
	}
	require.GreaterOrEqual(t, len(cases), 120)
	got := s.bothPaths(t, "value_cases", literals)
	at := map[string]int{}
	for _, c := range cases {
		i := at[c.typ]
		at[c.typ]++
		name := c.typ + " " + c.literal
		if len(name) > 100 {
			name = name[:100]
		}
		t.Run(name, func(t *testing.T) {
			require.Len(t, got[c.typ].streamed, len(literals[c.typ]))
			require.Len(t, got[c.typ].loaded, len(literals[c.typ]))
			require.Equal(t, c.want, got[c.typ].streamed[i], "from the binlog")
			require.Equal(t, c.want, got[c.typ].loaded[i], "from SELECT")
		})
	}
}

// TestBothPathsRandom looks for differences where nobody thought of one.
func TestBothPathsRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	literals := map[string][]string{}
	add := func(typ string, n int, f func() string) {
		for range n {
			literals[typ] = append(literals[typ], f())
		}
	}
	digits := func(n int) string {
		b := []byte{byte('0' + rnd.IntN(10))}
		for range n - 1 {
			b = append(b, byte('0'+rnd.IntN(10)))
		}
		return string(b)
	}
	for _, d := range [][2]int{{38, 10}, {18, 0}, {17, 17}, {27, 9}, {65, 30}, {40, 1}} {
		add(fmt.Sprintf("decimal(%d,%d)", d[0], d[1]), 20, func() string {
			return []string{"", "-"}[rnd.IntN(2)] + "0" + digits(1 + rnd.IntN(d[0]))[:1] + digits(1+rnd.IntN(max(1, d[0]-d[1]-2))) + "." + digits(1+d[1])
		})
	}
	double := func() string {
		f := rnd.NormFloat64()
		for range rnd.IntN(40) {
			f *= []float64{10, 0.1, 3.7, 1e-7, 1e9}[rnd.IntN(5)]
		}
		return strconv.FormatFloat(f, 'e', rnd.IntN(17), 64)
	}
	add("double", 40, double)
	add("json", 200, func() string { return "cast('[" + double() + ", " + double() + "]' as json)" })
	add("float", 40, func() string { return strconv.FormatFloat(float64(rnd.Float32())*1000, 'e', -1, 32) })
	add("datetime(6)", 40, func() string {
		return time.Unix(rnd.Int64N(250_000_000_000)-30_000_000_000, 0).UTC().Format("'2006-01-02 15:04:05.") + digits(6) + "'"
	})
	add("time(6)", 40, func() string {
		return fmt.Sprintf("'%02d:%02d:%02d.%s'", rnd.IntN(24), rnd.IntN(60), rnd.IntN(60), digits(6))
	})
	for typ, c := range newSource(t).bothPaths(t, "value_random", literals) {
		require.Len(t, c.loaded, len(literals[typ]))
		for i, l := range literals[typ] {
			require.Equal(t, c.loaded[i], c.streamed[i], "%s %s", typ, l)
		}
	}
}
