package value_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// TestRefusedValues: both paths stop at what a block cannot hold, and say where
// it is and what to do.
func TestRefusedValues(t *testing.T) {
	for _, c := range []struct{ name, typ, insert, want string }{
		{"negative time", "time", "'-00:00:01'", "-00:00:01 lies outside 00:00:00–23:59:59"},
		{"long time", "time(3)", "'838:59:59'", "838:59:59 lies outside"},
		{"a whole day", "time", "'24:00:00'", "24:00:00 lies outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSource(t) // a result that was left half-way spoils its connection
			s.exec(t, "DROP DATABASE IF EXISTS value_refused")
			s.exec(t, "CREATE DATABASE value_refused CHARACTER SET utf8mb4")
			from := s.position(t)
			s.exec(t, "CREATE TABLE value_refused.t (id INT PRIMARY KEY, v "+c.typ+")")
			s.exec(t, "INSERT INTO value_refused.t VALUES (1, "+c.insert+")")
			_, err := s.blocks(t, "value_refused", from)
			require.ErrorContains(t, err, "table value_refused.t, column v: ")
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "remedy")
			table := &schema.Table{ID: schema.TableID{Database: "value_refused", Name: "t"}, Key: []int{0}, Columns: []schema.Column{
				{Name: "id", Type: schema.Type{Kind: schema.Int}}, {Name: "v", Type: schema.Type{Kind: schema.Time}, Nullable: true}}}
			require.NoError(t, table.Prepare())
			_, err = s.load(t, table)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestZeroDatesAreCounted(t *testing.T) {
	var stats value.Stats
	table := &schema.Table{Key: []int{0}, Columns: []schema.Column{
		{Name: "k", Type: schema.Type{Kind: schema.Date}}, {Name: "d", Type: schema.Type{Kind: schema.Date}}}}
	require.NoError(t, table.Prepare())
	mappers, err := value.NewAll(table, &stats)
	require.NoError(t, err)
	var vec schema.Vec
	vec.Reset(schema.VecInt32)
	for i, m := range mappers {
		decode, err := m.Image(10, 0)
		require.NoError(t, err)
		_, err = decode(&vec, []byte{0, 0, 0})
		if i == 0 {
			require.ErrorContains(t, err, "the primary key holds 0000-00-00")
			require.Zero(t, vec.N)
			continue
		}
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, stats.ZeroDates.Load())
	require.True(t, vec.IsNull(0))
}

func TestInvalidText(t *testing.T) {
	table := &schema.Table{ID: schema.TableID{Database: "d", Name: "t"}, Key: []int{0}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int}}, {Name: "v", Type: schema.Type{Kind: schema.VarChar, Charset: "utf8mb4", Length: 10}}}}
	require.NoError(t, table.Prepare())
	m, err := value.New(table, 1, nil)
	require.NoError(t, err)
	decode, err := m.Image(15, 40)
	require.NoError(t, err)
	var vec schema.Vec
	vec.Reset(schema.VecBytes)
	_, err = decode(&vec, []byte{2, 'a', 0xff})
	require.ErrorContains(t, err, `table d.t, column v: the value "a\xff"… is no valid utf8mb4; remedy`)
	require.Zero(t, vec.N)
}

func TestUnknownCharset(t *testing.T) {
	table := &schema.Table{ID: schema.TableID{Database: "d", Name: "t"}, Columns: []schema.Column{{Name: "v", Type: schema.Type{Kind: schema.VarChar, Charset: "klingon"}}}}
	require.NoError(t, table.Prepare())
	_, err := value.New(table, 0, nil)
	require.ErrorContains(t, err, `table d.t, column v: character set "klingon" is not known; remedy`)
}

// TestUnassignedCodes: a code without a character is an error in both paths,
// not the question mark that SELECT shows.
func TestUnassignedCodes(t *testing.T) {
	for charset, code := range map[string]string{"greek": "FF", "gbk": "A140", "ujis": "8FA1A1"} {
		t.Run(charset, func(t *testing.T) {
			s := newSource(t)
			s.exec(t, "DROP DATABASE IF EXISTS value_unassigned")
			s.exec(t, "CREATE DATABASE value_unassigned CHARACTER SET utf8mb4")
			from := s.position(t)
			s.exec(t, "CREATE TABLE value_unassigned.t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET "+charset+")")
			s.exec(t, "INSERT INTO value_unassigned.t VALUES (1, x'"+code+"')")
			const want = "is no character by the server's own table"
			_, err := s.blocks(t, "value_unassigned", from)
			require.ErrorContains(t, err, "table value_unassigned.t, column v: the value ")
			require.ErrorContains(t, err, want)
			table := &schema.Table{ID: schema.TableID{Database: "value_unassigned", Name: "t"}, Key: []int{0}, Columns: []schema.Column{
				{Name: "id", Type: schema.Type{Kind: schema.Int}}, {Name: "v", Type: schema.Type{Kind: schema.VarChar, Charset: charset}, Nullable: true}}}
			require.NoError(t, table.Prepare())
			_, err = s.load(t, table)
			require.ErrorContains(t, err, want)
		})
	}
}

// TestKeysThatBecomeOne: two keys that MySQL tells apart and that would be the
// same text are refused on both paths, and the remedy helps.
func TestKeysThatBecomeOne(t *testing.T) {
	s := newSource(t)
	s.exec(t, "DROP DATABASE IF EXISTS value_alias")
	s.exec(t, "CREATE DATABASE value_alias CHARACTER SET utf8mb4")
	from := s.position(t)
	s.exec(t, "CREATE TABLE value_alias.t (id VARCHAR(9) CHARACTER SET cp932 COLLATE cp932_bin PRIMARY KEY, v INT)")
	s.exec(t, "INSERT INTO value_alias.t VALUES (x'81CA', 1), (x'EEF9', 2)")
	require.Equal(t, []string{"￢", "￢"}, s.strings(t, "SELECT id FROM value_alias.t"))
	const want = "table value_alias.t, column id: the value \"\\xee\\xf9\"… is part of the key and holds the code eef9, "
	_, err := s.blocks(t, "value_alias", from)
	require.ErrorContains(t, err, want)
	table := &schema.Table{ID: schema.TableID{Database: "value_alias", Name: "t"}, Key: []int{1}, Columns: []schema.Column{
		{Name: "v", Type: schema.Type{Kind: schema.Int}}, {Name: "id", Type: schema.Type{Kind: schema.VarChar, Length: 9, Charset: "cp932"}}}}
	require.NoError(t, table.Prepare())
	_, err = loadKey(t, s, table)
	require.ErrorContains(t, err, want)
	require.ErrorContains(t, err, "remedy: UPDATE value_alias.t SET id = CONVERT(id USING utf8mb4)")

	s.exec(t, "DELETE FROM value_alias.t WHERE v = 1")
	s.exec(t, "UPDATE value_alias.t SET id = CONVERT(id USING utf8mb4)")
	loaded, err := loadKey(t, s, table)
	require.NoError(t, err)
	require.Equal(t, []string{"￢"}, loaded)
}

// loadKey reads the second column, the key, as the snapshot does.
func loadKey(t *testing.T, s *source, table *schema.Table) ([]string, error) {
	stmt, err := s.conn.Prepare("SELECT " + value.StoredExpression(table.Columns[1].Type, "id") + " FROM " + table.ID.String() + " ORDER BY v")
	require.NoError(t, err)
	defer stmt.Close()
	m, err := value.New(table, 1, nil)
	require.NoError(t, err)
	r, err := stmt.Execute()
	require.NoError(t, err)
	var vec schema.Vec
	vec.Reset(schema.VecBytes)
	var list []string
	for i := range r.Values {
		if err := m.FromStored(&vec, &r.Values[i][0]); err != nil {
			return list, err
		}
		list = append(list, string(vec.Bytes(vec.N-1)))
	}
	return list, nil
}

// TestKeysOfBytes: what a collation takes for the same are other bytes, and the
// row images of a key that changes to such a one hold both.
func TestKeysOfBytes(t *testing.T) {
	s := newSource(t)
	s.exec(t, "DROP DATABASE IF EXISTS value_bytes")
	s.exec(t, "CREATE DATABASE value_bytes CHARACTER SET utf8mb4")
	from := s.position(t)
	s.exec(t, "CREATE TABLE value_bytes.t (id VARCHAR(9) COLLATE utf8mb4_general_ci PRIMARY KEY, v DOUBLE)")
	s.exec(t, "INSERT INTO value_bytes.t VALUES ('ä', 1)")
	s.exec(t, "UPDATE value_bytes.t SET id = 'A ' WHERE id = 'a'")
	s.exec(t, "DELETE FROM value_bytes.t WHERE id = 'Á'")
	blocks, err := s.blocks(t, "value_bytes", from)
	require.NoError(t, err)
	var got []string
	for _, b := range blocks[schema.TableID{Database: "value_bytes", Name: "t"}] {
		for i, op := range b.Ops {
			text := string(op)
			if op != schema.OpInsert {
				text += " " + string(b.Old[0].Bytes(i))
			}
			if op != schema.OpDelete {
				text += ">" + string(b.New[0].Bytes(i))
			}
			got = append(got, text)
		}
	}
	require.Equal(t, []string{"c>ä", "u ä>A ", "d A "}, got)
}

// TestKeyLabels: the text of a label in a key must tell its number.
func TestKeyLabels(t *testing.T) {
	for _, typ := range []schema.Type{{Kind: schema.Enum, Labels: []string{"a", ""}}, {Kind: schema.Enum, Labels: []string{"¬", "¬"}}, {Kind: schema.Set, Labels: []string{"", "b"}}} {
		typ.Charset = "utf8mb4"
		table := &schema.Table{Columns: []schema.Column{{Name: "k", Type: typ}}}
		require.NoError(t, table.Prepare())
		_, err := value.New(table, 0, nil)
		require.NoError(t, err)
		table.Key = []int{0}
		_, err = value.New(table, 0, nil)
		require.ErrorContains(t, err, "column k: it is part of the key, and has labels that are empty or look alike")
	}
}
