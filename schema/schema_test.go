package schema

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLakeTypes(t *testing.T) {
	for _, c := range []struct {
		in   Type
		lake string
		vec  VecKind
	}{
		{Type{Kind: TinyInt}, "int", VecInt32},
		{Type{Kind: TinyInt, Unsigned: true}, "int", VecInt32},
		{Type{Kind: SmallInt}, "int", VecInt32},
		{Type{Kind: MediumInt, Unsigned: true}, "int", VecInt32},
		{Type{Kind: Int}, "int", VecInt32},
		{Type{Kind: Int, Unsigned: true}, "long", VecInt64},
		{Type{Kind: BigInt}, "long", VecInt64},
		{Type{Kind: BigInt, Unsigned: true}, "decimal(20, 0)", VecDec128},
		{Type{Kind: Decimal, Precision: 9, Scale: 2}, "decimal(9, 2)", VecInt64},
		{Type{Kind: Decimal, Precision: 18, Scale: 18}, "decimal(18, 18)", VecInt64},
		{Type{Kind: Decimal, Precision: 19}, "decimal(19, 0)", VecDec128},
		{Type{Kind: Decimal, Precision: 38, Scale: 10}, "decimal(38, 10)", VecDec128},
		{Type{Kind: Decimal, Precision: 65, Scale: 30}, "string", VecBytes},
		{Type{Kind: Float}, "float", VecFloat32},
		{Type{Kind: Double}, "double", VecFloat64},
		{Type{Kind: Bit, Length: 1}, "boolean", VecBool},
		{Type{Kind: Bit, Length: 64}, "binary", VecBytes},
		{Type{Kind: Year}, "int", VecInt32},
		{Type{Kind: Date}, "date", VecInt32},
		{Type{Kind: Time, Scale: 6}, "time", VecInt64},
		{Type{Kind: DateTime}, "timestamp", VecInt64},
		{Type{Kind: Timestamp, Scale: 3}, "timestamptz", VecInt64},
		{Type{Kind: Char, Length: 3}, "string", VecBytes},
		{Type{Kind: VarChar}, "string", VecBytes},
		{Type{Kind: Text}, "string", VecBytes},
		{Type{Kind: Enum}, "string", VecBytes},
		{Type{Kind: Set}, "string", VecBytes},
		{Type{Kind: JSON}, "string", VecBytes},
		{Type{Kind: UUID}, "string", VecBytes},
		{Type{Kind: INET6}, "string", VecBytes},
		{Type{Kind: INET4}, "string", VecBytes},
		{Type{Kind: Binary, Length: 4}, "binary", VecBytes},
		{Type{Kind: VarBinary}, "binary", VecBytes},
		{Type{Kind: Blob}, "binary", VecBytes},
		{Type{Kind: Geometry}, "binary", VecBytes},
		{Type{Kind: VectorFloat}, "list<float>", VecBytes},
	} {
		l, err := c.in.Lake()
		require.NoError(t, err)
		require.Equal(t, c.lake, l.String(), "%+v", c.in)
		require.Equal(t, c.vec, l.Vec(), "%+v", c.in)
	}
	_, err := Type{}.Lake()
	require.EqualError(t, err, "type invalid has no Iceberg type in this version")
}

func TestKindNamesRoundTrip(t *testing.T) {
	for k := TinyInt; k <= INET4; k++ {
		b, err := json.Marshal(Type{Kind: k})
		require.NoError(t, err)
		var back Type
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, k, back.Kind)
	}
	var k Kind
	require.Error(t, k.UnmarshalText([]byte("invalid")))
}

// TestGTIDSetAgainstModel compares every operation with plain maps of
// transactions, over random sets of few sources and small numbers, so that
// neighbours, gaps and overlaps are common.
func TestGTIDSetAgainstModel(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 7))
		draw := func() []byte {
			b := make([]byte, rng.IntN(30))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			return b
		}
		requireLikeModel(t, draw(), draw())
	}
}

// FuzzGTIDSet does so over sets that coverage leads to.
func FuzzGTIDSet(f *testing.F) {
	f.Add([]byte{4, 8, 12}, []byte{8})
	f.Add([]byte{4, 12, 20, 5, 7}, []byte{8, 16, 5})
	f.Add([]byte{}, []byte{255, 254, 253, 252})
	f.Fuzz(func(t *testing.T, a, b []byte) { requireLikeModel(t, a, b) })
}

func requireLikeModel(t *testing.T, one, other []byte) {
	t.Helper()
	a, ma := setOf(one)
	b, mb := setOf(other)
	diff, union := map[GTID]bool{}, map[GTID]bool{}
	contains := true
	for g := range mb {
		union[g] = true
		contains = contains && ma[g]
	}
	for g := range ma {
		union[g] = true
		if !mb[g] {
			diff[g] = true
		}
	}
	requireModel(t, ma, a)
	requireModel(t, diff, a.Subtract(b))
	require.Equal(t, contains, a.ContainsSet(b))
	u := a.Clone()
	u.AddSet(b)
	requireModel(t, union, u)
	requireModel(t, ma, a) // untouched
	require.Equal(t, len(ma) == len(mb) && contains, a.Equal(b))
}

// setOf adds a transaction for each byte: two bits are its source.
func setOf(b []byte) (GTIDSet, map[GTID]bool) {
	var s GTIDSet
	m := map[GTID]bool{}
	for _, x := range b {
		g := GTID{UUID: [16]byte{x & 1}, Tag: []string{"", "blue"}[x>>1&1], N: 1 + int64(x>>2)%16}
		s.Add(g)
		m[g] = true
	}
	return s, m
}

func requireModel(t *testing.T, want map[GTID]bool, got GTIDSet) {
	t.Helper()
	require.EqualValues(t, len(want), got.Count(), got.String())
	for g := range want {
		require.True(t, got.Contains(g), "%s lacks %s", got, g)
	}
	require.False(t, got.Contains(GTID{UUID: [16]byte{9}, N: 1}))
	back, err := ParseGTIDSet(got.String())
	require.NoError(t, err)
	require.True(t, back.Equal(got))
	for _, list := range got.m {
		for i := 1; i < len(list); i++ {
			require.Less(t, list[i-1].end, list[i].first, "not joined: %s", got)
		}
	}
}

func TestParseGTIDSet(t *testing.T) {
	const u = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	for in, want := range map[string]string{
		"":                             "",
		u + ":1":                       u + ":1",
		strings.ToUpper(u) + ":5:1-3":  u + ":1-3:5",
		u + ":1-3:4":                   u + ":1-4",
		u + ":1-2,\n " + u + ":3":      u + ":1-3",
		u + ":1:blue:7-9":              u + ":1:blue:7-9",
		u + ":Blue:7, " + u + ":red:1": u + ":blue:7:red:1",
	} {
		s, err := ParseGTIDSet(in)
		require.NoError(t, err, in)
		require.Equal(t, want, s.String())
	}
	for _, in := range []string{"x", u, u + ":", u + ":0", u + ":3-1", u + ":1-", u + ":1:2-x", u + ":9223372036854775807", "3e11fa47:1"} {
		_, err := ParseGTIDSet(in)
		require.Error(t, err, in)
	}
}

func FuzzParseGTIDSet(f *testing.F) {
	f.Add("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7:tag:3,")
	f.Add("0-1-100, 7-2-5,7-2-9-12")
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseGTIDSet(in)
		if err != nil {
			return
		}
		back, err := ParseGTIDSet(s.String())
		require.NoError(t, err)
		require.True(t, back.Equal(s))
	})
}

func TestPositions(t *testing.T) {
	file := func(f string, o uint64) Position { return Position{Server: "a", File: f, Offset: o} }
	require.True(t, file("bin.1000000", 4).Contains(file("bin.999999", 900)), "files compare by number")
	require.True(t, file("bin.000002", 5).Contains(file("bin.000002", 5)))
	require.False(t, file("bin.000002", 5).Contains(file("bin.000002", 6)))
	require.False(t, file("bin.000009", 5).Contains(Position{Server: "b", File: "bin.000001", Offset: 1}), "files of another server")
	require.True(t, file("bin.000001", 4).Contains(Position{}))

	g := Position{File: "bin.000009"}
	g.GTIDs.Add(GTID{N: 4})
	require.True(t, g.Covers(&Origin{GTID: GTID{N: 4}, File: "bin.000010"}), "with GTIDs only the set counts")
	require.False(t, g.Covers(&Origin{GTID: GTID{N: 3}, File: "bin.000001"}))
	require.False(t, g.Covers(&Origin{}), "rows of a load are never covered")

	p := file("bin.000002", 500)
	require.True(t, p.Covers(&Origin{File: "bin.000002", Pos: 499}))
	require.False(t, p.Covers(&Origin{File: "bin.000002", Pos: 500}))

	l := Position{GTIDs: g.GTIDs, Log: map[string]LogPosition{"t/0": {Offset: 10}}}
	require.True(t, l.Covers(&Origin{Partition: "t/0", Offset: 9}))
	require.False(t, l.Covers(&Origin{Partition: "t/0", Offset: 10, GTID: GTID{N: 4}}))
	require.False(t, l.Covers(&Origin{Partition: "t/1", Offset: 0}))

	b, err := json.Marshal(l)
	require.NoError(t, err)
	var back Position
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, l, back)
}

func keyTable(t testing.TB, types ...Type) *Table {
	tbl := &Table{ID: TableID{"d", "t"}}
	for i, ty := range types {
		tbl.Columns = append(tbl.Columns, Column{Name: fmt.Sprint("c", i), Type: ty, Nullable: true})
		tbl.Key = append(tbl.Key, i)
	}
	require.NoError(t, tbl.Prepare())
	return tbl
}

// TestPromotions: the promotions of Iceberg's format version 2, and no other.
func TestPromotions(t *testing.T) {
	number := func(precision, scale int) LakeType { return LakeType{LakeDecimal, precision, scale} }
	plain := func(k LakeKind) LakeType { return LakeType{Kind: k} }
	all := []LakeType{number(9, 2), number(10, 2), number(10, 3)}
	for k := LakeBoolean; k <= LakeFloatList; k++ {
		if k != LakeDecimal {
			all = append(all, plain(k))
		}
	}
	promotions := map[[2]LakeType]bool{
		{plain(LakeInt), plain(LakeLong)}:     true,
		{plain(LakeFloat), plain(LakeDouble)}: true,
		{number(9, 2), number(10, 2)}:         true,
	}
	for _, from := range all {
		for _, to := range all {
			require.Equal(t, promotions[[2]LakeType{from, to}], from.PromotesTo(to), "%s to %s", from, to)
		}
	}
}

func TestKeys(t *testing.T) {
	one := keyTable(t, Type{Kind: Int})
	b := NewBlock(one)
	for _, v := range []int32{0, -1, 1 << 30, -1 << 31} {
		b.New[0].AppendInt32(v)
	}
	k := NewKeyer(one)
	require.True(t, k.Exact())
	require.Equal(t, Key{Lo: ^uint64(0)}, k.Key(b.New, 1))

	two := keyTable(t, Type{Kind: VarChar}, Type{Kind: VarChar})
	b = NewBlock(two)
	values := [][2]string{{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}, {"A", "bc"}, {"a", "bc "}}
	for _, v := range values {
		b.New[0].AppendBytes([]byte(v[0]))
		b.New[1].AppendBytes([]byte(v[1]))
	}
	k = NewKeyer(two)
	require.False(t, k.Exact())
	seen := map[Key]int{}
	for r := range values {
		key := k.Key(b.New, r)
		_, dup := seen[key]
		require.False(t, dup, "%q", values[r])
		seen[key] = r
		require.Equal(t, key, NewKeyer(two).Key(b.New, r))
	}

	// A null is no zero and no empty string, for whole rows.
	row := keyTable(t, Type{Kind: VarChar}, Type{Kind: BigInt}, Type{Kind: BigInt, Unsigned: true})
	b = NewBlock(row)
	for mask := range 8 {
		for c := range 3 {
			if mask&(1<<c) != 0 {
				b.New[c].AppendNull()
			} else {
				b.New[c].AppendZero()
			}
		}
	}
	clear(seen)
	for r := range 8 {
		seen[NewRowKeyer(row).Key(b.New, r)] = r
	}
	require.Len(t, seen, 8)
}

// TestVecAgainstModel does random appends and truncations on a vector of each
// kind and on a plain slice.
func TestVecAgainstModel(t *testing.T) {
	for kind := VecBool; kind <= VecBytes; kind++ {
		rng := rand.New(rand.NewPCG(uint64(kind), 3))
		var v, copied Vec
		v.Reset(kind)
		var model []string
		for range 5000 {
			switch rng.IntN(12) {
			case 0:
				n := rng.IntN(len(model) + 1)
				if rng.IntN(4) > 0 {
					n = max(0, len(model)-3)
				}
				v.Truncate(n)
				model = model[:n]
			case 1, 2:
				v.AppendNull()
				model = append(model, "null")
			case 3:
				if rng.IntN(50) == 0 {
					v.Reset(kind)
					model = model[:0]
				}
			default:
				model = append(model, appendRandom(rng, &v))
			}
		}
		copied.Reset(kind)
		nulls := 0
		for i, want := range model {
			require.Equal(t, want, show(&v, i), "kind %d, value %d", kind, i)
			copied.AppendFrom(&v, i)
			require.Equal(t, want, show(&copied, i))
			if want == "null" {
				nulls++
			}
		}
		require.Equal(t, len(model), v.N)
		require.Equal(t, nulls, v.NullN)
	}
}

func appendRandom(rng *rand.Rand, v *Vec) string {
	switch v.Kind {
	case VecBool:
		v.AppendBool(rng.IntN(2) == 1)
	case VecInt32:
		v.AppendInt32(rng.Int32())
	case VecInt64:
		v.AppendInt64(rng.Int64())
	case VecFloat32:
		v.AppendFloat32(rng.Float32())
	case VecFloat64:
		v.AppendFloat64(rng.Float64())
	case VecDec128:
		v.AppendDec128(rng.Int64()-rng.Int64(), rng.Uint64())
	case VecBytes:
		v.AppendBytes([]byte(strings.Repeat("x", rng.IntN(9))))
	}
	return show(v, v.N-1)
}

func show(v *Vec, i int) string {
	switch {
	case v.IsNull(i):
		return "null"
	case v.Kind == VecFloat32:
		return fmt.Sprint(v.Float32(i))
	case v.Kind == VecFloat64:
		return fmt.Sprint(v.Float64(i))
	case v.Kind == VecDec128:
		return fmt.Sprintf("%x", v.Dec128(i))
	case v.Kind == VecBytes:
		return fmt.Sprintf("%q", v.Bytes(i))
	case v.Kind == VecInt64:
		return fmt.Sprint(v.I64[i])
	}
	return fmt.Sprint(v.I32[i])
}

func TestDiffTables(t *testing.T) {
	col := func(name string, k Kind) Column { return Column{Name: name, Type: Type{Kind: k}} }
	tbl := func(key []int, cols ...Column) *Table {
		x := &Table{ID: TableID{"d", "t"}, Columns: cols, Key: key}
		require.NoError(t, x.Prepare())
		return x
	}
	base := tbl([]int{0}, col("id", Int), col("a", Int), col("b", VarChar))
	for _, c := range []struct {
		now  *Table
		want string
	}{
		{tbl([]int{0}, col("id", Int), col("a", SmallInt), col("b", Text)), "nothing changed"},
		{tbl([]int{0}, col("ID", Int), col("A", SmallInt), col("b", Text)), "column id renamed to ID, column a renamed to A"},
		{tbl([]int{0}, col("id", Int), col("x", Int), col("a", Int), col("b", VarChar), col("y", Date)), "column x added, column y added"},
		{tbl([]int{0}, col("id", Int), col("b", VarChar)), "column a dropped"},
		{tbl([]int{0}, col("id", BigInt), col("a", Int), col("b", VarChar)), "column id changed from int to long"},
		{tbl([]int{0, 1}, col("id", Int), col("a", Int), col("b", VarChar)), "key changed"},
		{tbl([]int{0}, col("id", Int), col("b", VarChar), col("a", Int)), "columns reordered"},
		{tbl([]int{0}, col("id", Int), col("a2", Int), col("b", VarChar)), "column a2 added, column a dropped"},
	} {
		d := DiffTables(base, c.now)
		require.Equal(t, c.want, d.Describe(base, c.now))
		require.Equal(t, c.want == "nothing changed", d.IsEmpty())
	}
}

// TestRenames: all renames of a statement count at once, and a name that one column
// gave up may be another's.
func TestRenames(t *testing.T) {
	tbl := func(key []int, names ...string) *Table {
		x := &Table{ID: TableID{"d", "t"}, Key: key}
		for _, n := range names {
			x.Columns = append(x.Columns, Column{Name: n, Type: Type{Kind: Int}})
		}
		require.NoError(t, x.Prepare())
		return x
	}
	base := tbl([]int{0}, "id", "a", "b")
	for _, c := range []struct {
		now     *Table
		renames []Rename
		want    string
		pairs   []int
	}{
		{tbl([]int{0}, "id", "x", "b"), []Rename{{"A", "x"}}, "column a renamed to x", []int{0, 1, 2}},
		{tbl([]int{0}, "id", "b", "a"), []Rename{{"a", "b"}, {"b", "a"}}, "column a renamed to b, column b renamed to a", []int{0, 1, 2}},
		{tbl([]int{0}, "id", "b", "c"), []Rename{{"b", "c"}, {"a", "b"}}, "column a renamed to b, column b renamed to c", []int{0, 1, 2}},
		{tbl([]int{0}, "key", "a", "b"), []Rename{{"id", "key"}}, "column id renamed to key", []int{0, 1, 2}},
		{tbl([]int{0}, "id", "a"), []Rename{{"b", "a"}}, "column a dropped, column b renamed to a", []int{0, -1, 1}},
		{tbl([]int{0}, "id", "a", "b", "c"), []Rename{{"a", "c"}}, "column a added, column a renamed to c, columns reordered", []int{0, 3, 2}},
		{tbl([]int{1}, "id", "a", "b"), []Rename{{"id", "a"}, {"a", "id"}}, "column id renamed to a, column a renamed to id, columns reordered", []int{1, 0, 2}},
		{tbl([]int{0}, "id", "a", "b"), []Rename{{"id", "a"}, {"a", "id"}}, "column id renamed to a, column a renamed to id, key changed, columns reordered", []int{1, 0, 2}},
	} {
		require.Equal(t, c.pairs, Counterparts(base, c.now, c.renames))
		require.Equal(t, c.want, DiffTables(base, c.now, c.renames...).Describe(base, c.now))
	}
}

func TestTablesRoundTripAsJSON(t *testing.T) {
	def := "x"
	in := &Table{ID: TableID{"d", "t"}, Key: []int{0}, Comment: "c", Columns: []Column{
		{Name: "id", Type: Type{Kind: Int, Unsigned: true}},
		{Name: "e", Type: Type{Kind: Enum, Charset: "utf8mb4", Labels: []string{"a,b", "it's", `\`}}, Nullable: true, Default: &def}}}
	b, err := json.Marshal(in)
	require.NoError(t, err)
	out := new(Table)
	require.NoError(t, json.Unmarshal(b, out))
	require.Equal(t, in, out)
	require.ErrorContains(t, (&Table{ID: in.ID, Columns: []Column{{Name: "g", Type: Type{}}}}).Prepare(), "table d.t, column g: type invalid")
	require.Error(t, (&Table{ID: in.ID}).Prepare())
}

func ExampleGTIDSet() {
	have, _ := ParseGTIDSet("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-90")
	purged, _ := ParseGTIDSet("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-100")
	fmt.Println("missing:", purged.Subtract(have))
	// Output: missing: 3e11fa47-71ca-11e1-9e33-c80aa9429562:91-100
}

// TestExtentSparesGrowth fills blocks of one size; from the second on, nothing
// is copied to grow.
func TestExtentSparesGrowth(t *testing.T) {
	tbl := keyTable(t, Type{Kind: VarChar}, Type{Kind: BigInt}, Type{Kind: Int}, Type{Kind: BigInt, Unsigned: true})
	var e Extent
	text := []byte(strings.Repeat("x", 100))
	fill := func() *Block {
		b := new(Block)
		b.Table, b.New = tbl, resetVecs(nil, tbl)
		e.Reserve(b)
		for range 1000 {
			b.Ops = append(b.Ops, OpInsert)
			b.New[0].AppendBytes(text)
			b.New[1].AppendInt64(1)
			b.New[2].AppendInt32(1)
			b.New[3].AppendDec128(0, 1)
		}
		return b
	}
	e.Note(fill())
	require.Less(t, testing.AllocsPerRun(10, func() { fill() }), 20.0)
	small := new(Block)
	small.Table, small.New = tbl, resetVecs(nil, tbl)
	for range 20 {
		e.Note(small)
	}
	e.Reserve(small)
	require.Less(t, cap(small.New[0].Data), 1000, "a large block was never forgotten")
}

// TestHistories: after a reset the server uses names again, so only the number of
// the load tells which of two positions is later.
func TestHistories(t *testing.T) {
	at := func(history, n int64) (p Position) {
		p.History = history
		for i := int64(1); i <= n; i++ {
			p.GTIDs.Add(GTID{N: i})
		}
		return p
	}
	require.True(t, at(2, 1).Contains(at(1, 9)))
	require.False(t, at(1, 9).Contains(at(2, 1)))
	require.False(t, at(2, 1).Contains(at(2, 2)), "within a history the sets count")
	require.False(t, at(0, 1).Contains(at(2, 2)), "what a server tells is of no history")
	require.True(t, at(2, 2).Contains(at(0, 2)))
	require.False(t, at(2, 2).Contains(at(0, 3)))
}

// TestCopy compares parts of blocks with what they are parts of.
func TestCopy(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	s := &Table{ID: TableID{"d", "t"}, Key: []int{0}, Columns: []Column{
		{Name: "id", Type: Type{Kind: BigInt}}, {Name: "v", Type: Type{Kind: VarChar, Length: 10, Charset: "utf8mb4"}, Nullable: true}}}
	require.NoError(t, s.Prepare())
	for range 200 {
		b := NewBlock(s)
		n := 1 + rng.IntN(20)
		for i := range n {
			if i == 0 || rng.IntN(3) == 0 {
				b.Origins = append(b.Origins, Origin{Row: i, TxnRow: 100 * i, EventRow: 10 * i, Pos: uint64(i)})
			}
			b.Ops = append(b.Ops, OpUpdate)
			b.New[0].AppendInt64(int64(i))
			if rng.IntN(4) == 0 {
				b.New[1].AppendNull()
			} else {
				b.New[1].AppendBytes(fmt.Append(nil, i))
			}
		}
		if rng.IntN(2) == 0 {
			b.NeedOld(true)
		}
		from := rng.IntN(n)
		to := from + 1 + rng.IntN(n-from)
		c := b.Copy(s, from, to)
		require.Equal(t, to-from, c.Rows())
		require.Len(t, c.Old, len(b.Old))
		for i := range c.Rows() {
			for v := range c.New {
				require.Equal(t, show(&b.New[v], from+i), show(&c.New[v], i))
			}
			was, is := originOf(b, from+i), originOf(c, i)
			require.Equal(t, was.TxnRow+from+i-was.Row, is.TxnRow+i-is.Row)
			require.Equal(t, was.EventRow+from+i-was.Row, is.EventRow+i-is.Row)
			require.Equal(t, was.Pos, is.Pos)
		}
		for v := range c.Old {
			require.Equal(t, b.Old[v].N > 0, c.Old[v].N == c.Rows())
		}
		require.Zero(t, c.Origins[0].Row)
		b.Release()
		c.Release()
	}
}

func originOf(b *Block, row int) Origin {
	last := Origin{}
	for _, o := range b.Origins {
		if o.Row <= row {
			last = o
		}
	}
	return last
}
