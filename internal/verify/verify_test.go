package verify

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

var (
	id     = schema.TableID{Database: "shop", Name: "orders"}
	shapes = map[string]*schema.Table{
		"integer":   table(schema.Column{Name: "id", Type: schema.Type{Kind: schema.BigInt}}, 0),
		"string":    table(schema.Column{Name: "id", Type: schema.Type{Kind: schema.VarChar, Length: 20, Charset: "utf8mb4"}}, 0),
		"composite": table(schema.Column{Name: "id", Type: schema.Type{Kind: schema.Int}}, 0, 1),
		"none":      table(schema.Column{Name: "id", Type: schema.Type{Kind: schema.BigInt}}),
	}
)

// table returns a table whose first column is given, with the key's ordinals.
func table(first schema.Column, key ...int) *schema.Table {
	t := &schema.Table{ID: id, Key: key, Columns: []schema.Column{first,
		{Name: "n", Type: schema.Type{Kind: schema.Int}},
		{Name: "price", Type: schema.Type{Kind: schema.Decimal, Precision: 30, Scale: 2}, Nullable: true},
		{Name: "note", Type: schema.Type{Kind: schema.Text, Charset: "utf8mb4"}, Nullable: true},
	}}
	if err := t.Prepare(); err != nil {
		panic(err)
	}
	return t
}

// row is a row of the test table; a negative price or an empty note is NULL.
type row struct {
	id    int64
	n     int32
	price int64
	note  string
}

// memory is a state that holds its rows in memory.
type memory struct {
	table *schema.Table
	rows  []row
	at    uint64
	reads *int
}

func (m *memory) Position() schema.Position {
	return schema.Position{Server: "s", File: "binlog.000001", Offset: m.at}
}

func (m *memory) Exact() bool { return true }

func (m *memory) Table(want schema.TableID) *schema.Table {
	if m.table == nil || m.table.ID != want {
		return nil
	}
	return m.table
}

func (m *memory) Close() error { return nil }

func (m *memory) Read(_ context.Context, _ schema.TableID, fn func(*schema.Block) error) error {
	if m.reads != nil {
		*m.reads++
	}
	for some := range slices.Chunk(m.rows, 100) {
		b := schema.NewBlock(m.table)
		for _, r := range some {
			b.Ops = append(b.Ops, schema.OpRead)
			for c, col := range m.table.Columns {
				appendTo(&b.New[c], col, r)
			}
		}
		if err := fn(b); err != nil {
			return err
		}
		b.Release()
	}
	return nil
}

func appendTo(v *schema.Vec, col schema.Column, r row) {
	switch {
	case col.Name == "id" && v.Kind == schema.VecBytes:
		v.AppendBytes(fmt.Appendf(nil, "key-%d", r.id))
	case col.Name == "id" && v.Kind == schema.VecInt32:
		v.AppendInt32(int32(r.id))
	case col.Name == "id":
		v.AppendInt64(r.id)
	case col.Name == "n":
		v.AppendInt32(r.n)
	case col.Name == "price" && r.price >= 0:
		v.AppendDec128(0, uint64(r.price))
	case col.Name == "note" && r.note != "":
		v.AppendBytes([]byte(r.note))
	default:
		v.AppendNull()
	}
}

// side makes a Side of a function.
type side func() *memory

func (s side) Open(context.Context) (State, error) { return s(), nil }

func fixed(m *memory) side { return func() *memory { return m } }

func compareSides(t *testing.T, source, lake Side, o Options) *Report {
	t.Helper()
	v := &Verifier{Source: source, Lake: lake, Options: o, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	report, err := v.Run(t.Context(), []schema.TableID{id})
	require.NoError(t, err)
	require.Len(t, report.Tables, 1)
	return report
}

func someRows(r *rand.Rand, n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{int64(i), r.Int32N(9), r.Int64N(10_000) - 100, fmt.Sprint("note ", r.Uint64())}
		if r.IntN(20) == 0 {
			rows[i].note = ""
		}
	}
	return rows
}

// TestCorruptions puts one seeded fault into the lake, two hundred times, on
// every kind of key: each must be found, and be the only one found.
func TestCorruptions(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(50) {
				r := rand.New(rand.NewPCG(seed, 1))
				rows := someRows(r, 500)
				lake := slices.Clone(rows)
				r.Shuffle(len(lake), func(i, j int) { lake[i], lake[j] = lake[j], lake[i] })
				result := &compareSides(t, fixed(&memory{table: shape, rows: rows}), fixed(&memory{table: shape, rows: lake}), Options{Show: 5}).Tables[0]
				require.True(t, result.Equal(), "seed %d: %+v", seed, result)
				assert.EqualValues(t, 500, result.SourceRows)

				lake, want := corrupt(r, lake, shape)
				result = &compareSides(t, fixed(&memory{table: shape, rows: rows}), fixed(&memory{table: shape, rows: lake}), Options{Show: 5}).Tables[0]
				got := []int64{result.Missing, result.Extra, result.Different, result.Undecided}
				require.Equal(t, want, got, "seed %d", seed)
				assert.EqualValues(t, want[0]+want[1]+want[2], len(result.Shown))
			}
		})
	}
}

// corrupt makes one fault, and returns how many rows are missing, extra,
// different and undecided by it.
func corrupt(r *rand.Rand, rows []row, shape *schema.Table) ([]row, []int64) {
	i := r.IntN(len(rows))
	keyless := len(shape.Key) == 0
	switch r.IntN(7) {
	case 0:
		return slices.Delete(rows, i, i+1), []int64{1, 0, 0, 0}
	case 1:
		return append(rows, row{id: 1_000_000, n: 1}), []int64{0, 1, 0, 0}
	case 2: // a stale duplicate
		old := rows[i]
		old.note += " of yesterday"
		if keyless {
			return append(rows, old), []int64{0, 1, 0, 0}
		}
		return append(rows, old), []int64{0, 0, 1, 0}
	case 3: // an exact duplicate
		return append(rows, rows[i]), []int64{0, 0, 1, 0}
	case 4:
		rows[i].price++
		if rows[i].price <= 0 {
			rows[i].price = 1 // NULL to NULL would be no change
		}
	case 5: // the value of one row in another
		j := (i + 1) % len(rows)
		rows[i].note, rows[j].note = rows[j].note+"x", rows[i].note+"y"
		if keyless {
			return rows, []int64{2, 2, 0, 0}
		}
		return rows, []int64{0, 0, 2, 0}
	case 6: // NULL in place of a value
		rows[i].note = map[bool]string{true: "value", false: ""}[rows[i].note == ""]
	}
	if keyless {
		return rows, []int64{1, 1, 0, 0}
	}
	return rows, []int64{0, 0, 1, 0}
}

func TestShownRows(t *testing.T) {
	shape := shapes["composite"]
	source := []row{{1, 1, 12_345, "a"}, {2, 7, 5, "same"}, {3, 1, 1, "gone"}}
	lake := []row{{1, 1, -1, "ä"}, {2, 7, 5, "same"}, {2, 7, 5, "same"}, {4, 1, 1, "new"}}
	got := compareSides(t, fixed(&memory{table: shape, rows: source}), fixed(&memory{table: shape, rows: lake}), Options{Show: 10}).Tables[0].Shown
	slices.SortFunc(got, func(a, b Row) int { return slices.Compare([]byte(a.Key), []byte(b.Key)) })
	assert.Equal(t, []Row{
		{Key: "id=1, n=1", SourceRows: 1, LakeRows: 1, Columns: []ColumnDifference{{"price", "123.45", "NULL"}, {"note", `"a"`, `"ä"`}}},
		{Key: "id=2, n=7", SourceRows: 1, LakeRows: 2},
		{Key: "id=3, n=1", SourceRows: 1},
		{Key: "id=4, n=1", LakeRows: 1},
	}, got)
}

// TestPasses compares two wholly different tables in little memory: the same
// differences are found in many passes as in one.
func TestPasses(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	source, lake := someRows(r, 5000), someRows(r, 4000)
	shape := shapes["integer"]
	one, many := 0, 0
	a := compareSides(t, fixed(&memory{table: shape, rows: source, reads: &one}), fixed(&memory{table: shape, rows: lake}), Options{})
	b := compareSides(t, fixed(&memory{table: shape, rows: source, reads: &many}), fixed(&memory{table: shape, rows: lake}), Options{Memory: 500 * bytesPerRow})
	assert.Equal(t, a, b)
	assert.EqualValues(t, 1000, a.Tables[0].Missing)
	assert.EqualValues(t, 4000, a.Tables[0].Different)
	assert.Equal(t, 2, one)
	assert.Greater(t, many, 10)

	some := compareSides(t, fixed(&memory{table: shape, rows: source}), fixed(&memory{table: shape, rows: lake}), Options{Memory: 500 * bytesPerRow, Most: 700}).Tables[0]
	assert.True(t, some.More)
	assert.False(t, some.Equal())
}

func TestReorderedColumns(t *testing.T) {
	shape := shapes["integer"]
	turned := &schema.Table{ID: id, Key: []int{3}, Columns: slices.Clone(shape.Columns)}
	slices.Reverse(turned.Columns)
	require.NoError(t, turned.Prepare())
	rows := someRows(rand.New(rand.NewPCG(5, 6)), 300)
	result := &compareSides(t, fixed(&memory{table: shape, rows: rows}), fixed(&memory{table: turned, rows: rows}), Options{}).Tables[0]
	assert.True(t, result.Equal(), "%+v", result)
	changed := slices.Clone(rows)
	changed[7].n++
	result = &compareSides(t, fixed(&memory{table: shape, rows: rows}), fixed(&memory{table: turned, rows: changed}), Options{Show: 1}).Tables[0]
	assert.EqualValues(t, 1, result.Different)
	assert.Equal(t, "n", result.Shown[0].Columns[0].Column)
}

func TestShapesThatDiffer(t *testing.T) {
	shape := shapes["integer"]
	less := &schema.Table{ID: id, Key: []int{0}, Columns: shape.Columns[:3]}
	require.NoError(t, less.Prepare())
	for want, lake := range map[string]*memory{
		"the lake does not have the table":                         {},
		"from the lake's table to the source's: column note added": {table: less},
	} {
		result := &compareSides(t, fixed(&memory{table: shape}), fixed(lake), Options{}).Tables[0]
		assert.Equal(t, want, result.Fault)
		assert.False(t, result.Equal())
	}
}

// history is a table that changes all the time: the source shows its newest
// version, the lake one that a pipeline has brought there.
type history struct {
	r       *rand.Rand
	rows    map[int64]row
	version []map[int64]row
	lake    int // the version that the lake has
	writes  int32
}

func (h *history) write() {
	for range 1 + h.r.IntN(20) {
		k := h.r.Int64N(200)
		if h.r.IntN(3) == 0 {
			k = h.r.Int64N(3) // a few rows change in nearly every transaction
		}
		if h.r.IntN(4) == 0 {
			delete(h.rows, k)
		} else {
			h.writes++
			h.rows[k] = row{id: k, n: h.writes, note: "x"}
		}
	}
	h.version = append(h.version, maps.Clone(h.rows))
}

func (h *history) state(n int, shape *schema.Table, corrupt func(map[int64]row)) *memory {
	rows := h.version[n]
	if corrupt != nil {
		rows = maps.Clone(rows)
		corrupt(rows)
	}
	return &memory{table: shape, rows: slices.Collect(maps.Values(rows)), at: uint64(n)}
}

// TestRowsOnTheirWay compares while both sides move, with rows that change in
// nearly every transaction: what the lake does not have yet, or has already, is
// no difference; a row that is wrong is.
func TestRowsOnTheirWay(t *testing.T) { synctest.Test(t, testRowsOnTheirWay) }

func testRowsOnTheirWay(t *testing.T) {
	shape := shapes["integer"]
	undecided := 0
	for seed := range uint64(300) {
		h := &history{r: rand.New(rand.NewPCG(seed, 9)), rows: map[int64]row{}}
		for range 20 {
			h.write()
		}
		source := side(func() *memory {
			for range h.r.IntN(3) {
				h.write()
			}
			return h.state(len(h.version)-1, shape, nil)
		})
		advance := func() {
			h.write()
			h.lake = min(max(h.lake+h.r.IntN(12), len(h.version)-15), len(h.version)-1)
		}
		healthy := side(func() *memory { advance(); return h.state(h.lake, shape, nil) })
		o := Options{Show: 3, Wait: time.Minute, Rounds: 8}
		result := &compareSides(t, source, healthy, o).Tables[0]
		require.Zero(t, result.Missing+result.Extra+result.Different, "seed %d: %+v", seed, result)
		undecided += int(result.Undecided)

		wrong := side(func() *memory {
			advance()
			return h.state(h.lake, shape, func(rows map[int64]row) { rows[777] = row{id: 777} })
		})
		result = &compareSides(t, source, wrong, o).Tables[0]
		require.EqualValues(t, 1, result.Extra, "seed %d: %+v", seed, result)
		require.Equal(t, "id=777", result.Shown[0].Key)
	}
	t.Logf("%d rows undecided in 300 comparisons", undecided)
}

// TestLakeThatStandsStill holds that a lake that nobody moves is compared as it
// is, and called behind.
func TestLakeThatStandsStill(t *testing.T) {
	rows := someRows(rand.New(rand.NewPCG(5, 6)), 300)
	shape := shapes["integer"]
	source := fixed(&memory{table: shape, rows: rows, at: 9})
	report := compareSides(t, source, fixed(&memory{table: shape, rows: rows[:299], at: 5}), Options{})
	assert.True(t, report.Behind)
	assert.EqualValues(t, 1, report.Tables[0].Missing)

	report = compareSides(t, source, fixed(&memory{table: shape, rows: rows, at: 5}), Options{Wait: time.Hour})
	assert.True(t, report.Equal(), "equal rows need no equal positions, and no waiting")
	assert.False(t, report.Behind)
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		lake schema.LakeType
		add  func(v *schema.Vec)
		want string
	}{
		{schema.LakeType{Kind: schema.LakeDecimal, Precision: 38, Scale: 2}, func(v *schema.Vec) { v.AppendDec128(-1, 1<<64-5) }, "-0.05"},
		{schema.LakeType{Kind: schema.LakeDecimal, Precision: 38}, func(v *schema.Vec) { v.AppendDec128(1, 0) }, "18446744073709551616"},
		{schema.LakeType{Kind: schema.LakeDecimal, Precision: 9, Scale: 3}, func(v *schema.Vec) { v.AppendInt64(-1234567) }, "-1234.567"},
		{schema.LakeType{Kind: schema.LakeTime}, func(v *schema.Vec) { v.AppendInt64(86_399_999_999) }, "23:59:59.999999"},
		{schema.LakeType{Kind: schema.LakeDate}, func(v *schema.Vec) { v.AppendInt32(-1) }, "1969-12-31"},
		{schema.LakeType{Kind: schema.LakeTimestamp}, func(v *schema.Vec) { v.AppendInt64(1) }, "1970-01-01 00:00:00.000001"},
		{schema.LakeType{Kind: schema.LakeBinary}, func(v *schema.Vec) { v.AppendBytes([]byte{0, 255}) }, "0x00ff"},
		{schema.LakeType{Kind: schema.LakeDouble}, func(v *schema.Vec) { v.AppendFloat64(0.1) }, "0.1"},
		{schema.LakeType{Kind: schema.LakeLong}, func(v *schema.Vec) { v.AppendNull() }, "NULL"},
	} {
		var v schema.Vec
		v.Reset(c.lake.Vec())
		c.add(&v)
		assert.Equal(t, c.want, Text(c.lake, &v, 0))
	}
}
