package value_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// everyRune fills a table with all characters of Unicode, 256 a row.
func (s *source) everyRune(t *testing.T, table string) {
	s.exec(t, "CREATE TABLE "+table+" (id INT PRIMARY KEY, v TEXT CHARACTER SET utf8mb4)")
	insert, err := s.conn.Prepare("INSERT INTO " + table + " VALUES (?, ?)")
	require.NoError(t, err)
	defer insert.Close()
	s.exec(t, "BEGIN")
	for first := 0; first <= utf8.MaxRune; first += 256 {
		var text []byte
		for r := first; r < first+256; r++ {
			if utf8.ValidRune(rune(r)) {
				text = utf8.AppendRune(text, rune(r))
			}
		}
		_, err = insert.Execute(first/256, text)
		require.NoError(t, err)
	}
	s.exec(t, "COMMIT")
}

// strings returns the first column of a result that is text.
func (s *source) strings(t *testing.T, sql string) (list []string) {
	r, err := s.conn.Execute(sql)
	require.NoError(t, err)
	for i := range r.RowNumber() {
		text, err := r.GetString(i, 0)
		require.NoError(t, err)
		list = append(list, text)
	}
	return list
}

// TestEveryCharacter writes every character that a character set of the server
// can encode, as text and as label, and finds it again on both paths, equal to
// what the server itself shows.
func TestEveryCharacter(t *testing.T) {
	s := newSource(t)
	s.exec(t, "DROP DATABASE IF EXISTS value_runes")
	s.exec(t, "CREATE DATABASE value_runes CHARACTER SET utf8mb4")
	s.everyRune(t, "value_runes.every")
	charsets := s.strings(t, "SELECT character_set_name FROM information_schema.character_sets WHERE character_set_name <> 'binary'")
	require.GreaterOrEqual(t, len(charsets), 40)
	for _, charset := range charsets {
		t.Run(charset, func(t *testing.T) {
			s.exec(t, "DROP DATABASE IF EXISTS value_charset")
			s.exec(t, "CREATE DATABASE value_charset CHARACTER SET utf8mb4")
			from := s.position(t)
			s.exec(t, "CREATE TABLE value_charset.t (id INT PRIMARY KEY, v TEXT CHARACTER SET "+charset+")")
			s.exec(t, "INSERT INTO value_charset.t SELECT id, REPLACE(CONVERT(v USING "+charset+"), '?', '') c FROM value_runes.every HAVING LENGTH(c) > 0 ORDER BY id")
			shown := s.strings(t, "SELECT v FROM value_charset.t ORDER BY id")
			require.NotEmpty(t, shown)
			blocks, err := s.blocks(t, "value_charset", from)
			require.NoError(t, err)
			at := 0
			var table *schema.Table
			for _, b := range blocks[schema.TableID{Database: "value_charset", Name: "t"}] {
				table = b.Table
				for row := range b.Rows() {
					require.Equal(t, shown[at], string(b.New[1].Bytes(row)), "from the binlog")
					at++
				}
			}
			require.Len(t, shown, at)
			loaded, err := s.load(t, table)
			require.NoError(t, err)
			require.Len(t, loaded, at)
			for i := range loaded {
				require.Equal(t, "'"+shown[i]+"'", loaded[i], "from SELECT")
			}
		})
	}
}

// samples has a word for each character set, in characters of its own.
var samples = map[string]string{
	"armscii8": "Հայ", "big5": "中文", "cp1250": "Łódź", "cp1251": "Яблоко", "cp1256": "عربي", "cp1257": "Ąžuolas", "cp850": "Füße", "cp852": "Łódź",
	"cp866": "Яблоко", "cp932": "表①", "dec8": "Füße", "eucjpms": "表①", "euckr": "한국", "gb18030": "中文😀€", "gb2312": "中文", "gbk": "中文", "geostd8": "ქართ",
	"greek": "Ελλάς", "hebrew": "עברית", "hp8": "Füße", "keybcs2": "Žluť", "koi8r": "Яблоко", "koi8u": "Їжак", "latin1": "Füße€", "latin2": "Łódź", "latin5": "İğne",
	"latin7": "Ąžuolas", "macce": "Łódź", "macroman": "Füße", "sjis": "表ｱ", "swe7": "Åäö", "tis620": "ไทย", "ucs2": "中ф", "ujis": "表丂", "utf16": "中😀", "utf16le": "中😀", "utf32": "中😀",
	"utf8mb3": "中ф", "utf8mb4": "中😀", "ascii": "plain",
}

// TestEveryCharsetInEveryColumn: padding, labels and length prefixes differ by
// the width of characters.
func TestEveryCharsetInEveryColumn(t *testing.T) {
	literals := map[string][]string{}
	want := map[string]string{}
	for charset, word := range samples {
		for typ, literal := range map[string]string{
			"char(9)": "'" + word + "  '", "char(63)": "'" + word + "'", "char(255)": "'" + word + "'", "varchar(9)": "'" + word + "'", "varchar(300)": "'" + word + "'", "mediumtext": "'" + word + "'",
			"enum('x','" + word + "')": "2", "set('" + word + "','y')": "1",
		} {
			typ += " character set " + charset
			literals[typ] = []string{literal, "''", "null"}
			want[typ] = "'" + word + "'"
		}
	}
	for typ, c := range newSource(t).bothPaths(t, "value_charsets", literals) {
		require.Equal(t, want[typ], c.streamed[0], "%s from the binlog", typ)
		require.Equal(t, want[typ], c.loaded[0], "%s from SELECT", typ)
		require.Equal(t, c.loaded, c.streamed, typ)
	}
}

// TestCharsetWidths: a length in characters is had from one in bytes by the
// server's own number.
func TestCharsetWidths(t *testing.T) {
	s := newSource(t)
	r, err := s.conn.Execute("SELECT character_set_name, maxlen FROM information_schema.character_sets")
	require.NoError(t, err)
	require.Positive(t, r.RowNumber())
	for i := range r.RowNumber() {
		name, err := r.GetString(i, 0)
		require.NoError(t, err)
		width, err := r.GetInt(i, 1)
		require.NoError(t, err)
		require.EqualValues(t, width, value.CharsetWidth(name), name)
	}
	require.Zero(t, value.CharsetWidth("klingon"))
}
