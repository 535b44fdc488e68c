package value

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"testing"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

var update = flag.Bool("update", false, "write charsets.flate from what the server says")

// TestCharsetTables asks the server for the character of every code, valid or
// not, and compares the tables with the answers.
func TestCharsetTables(t *testing.T) {
	server := servers.MySQL(t)
	conn, err := client.Connect(server.Addr, server.User, server.Password, "")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = conn.Execute("SET NAMES utf8mb4, SESSION cte_max_recursion_depth = 1000000")
	require.NoError(t, err)

	asked := map[string]*codeTable{}
	for _, c := range tabled {
		asked[c.name] = &codeTable{shape: c.shape, runes: askServer(t, conn, c)}
	}
	if *update {
		require.NoError(t, os.WriteFile("charsets.flate", packTables(t, asked), 0o644))
		charsetTables, err = os.ReadFile("charsets.flate")
		require.NoError(t, err)
	}
	read, err := readTables(charsetTables)
	require.NoError(t, err)
	for _, c := range tabled {
		require.Equal(t, len(asked[c.name].runes), len(read[c.name].runes))
		for code, want := range asked[c.name].runes {
			require.Equal(t, want, read[c.name].runes[code], "%s, code number %#x; -update writes the tables anew", c.name, code)
		}
	}
}

// askServer returns the characters of all codes of a character set. A cast
// gives NULL for what is no code, and a question mark comes from a code without
// a character.
func askServer(t *testing.T, conn *client.Conn, c tabledCharset) []uint16 {
	var runes []uint16
	ask := func(count int, code string) {
		r, err := conn.Execute(fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < %d)
			SELECT COALESCE(HEX(CONVERT(s USING utf32)), ''), CHAR_LENGTH(s) = 1, LENGTH(b) = 1 FROM (SELECT i, b, CAST(b AS CHAR CHARACTER SET %s) s FROM (SELECT i, %s b FROM n) x) y ORDER BY i`,
			count-1, c.name, code))
		require.NoError(t, err)
		require.Equal(t, count, r.RowNumber())
		for i := range count {
			text, err := r.GetString(i, 0)
			require.NoError(t, err)
			one, err := r.GetInt(i, 1)
			require.NoError(t, err)
			single, err := r.GetInt(i, 2)
			require.NoError(t, err)
			u := uint32(noRune)
			if text != "" && one == 1 {
				_, err = fmt.Sscanf(text, "%x", &u)
				require.NoError(t, err)
				if u == '?' && !(single == 1 && i == '?') {
					u = noRune
				}
			}
			require.Less(t, u, uint32(0x10000), "%s has a character beyond the BMP in its table", c.name)
			runes = append(runes, uint16(u))
		}
	}
	ask(256, "UNHEX(LPAD(HEX(i), 2, '0'))")
	if c.shape != oneByte {
		ask(0x8000, "UNHEX(HEX(0x8000 + i))")
	}
	switch c.shape {
	case threeByte:
		ask(0x8000, "UNHEX(HEX(0x8f8000 + i))")
	case fourBytes:
		ask(linearBMP, "CHAR(0x81 + i DIV 12600, 0x30 + i DIV 1260 % 10, 0x81 + i DIV 10 % 126, 0x30 + i % 10)")
	}
	return runes
}

func packTables(t *testing.T, tables map[string]*codeTable) []byte {
	var raw []byte
	for _, c := range tabled {
		before := uint16(noRune - 1)
		for code, r := range tables[c.name].runes {
			v := uint64(unassigned)
			if r == expected(tables[c.base], code, before) && r != noRune {
				v = asExpected
			} else if r != noRune {
				d := int64(int16(r - before))
				v = uint64(d<<1^d>>63) + firstDistance
			}
			raw = binary.AppendUvarint(raw, v)
			if r != noRune {
				before = r
			}
		}
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(raw)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	t.Logf("%d bytes, compressed from %d", packed.Len(), len(raw))
	return packed.Bytes()
}

// FuzzCharsets: whatever the bytes are, no decoder looks beyond them, and what
// it returns is UTF-8.
func FuzzCharsets(f *testing.F) {
	f.Add([]byte("\x8f\xa1\xa1\x81\x30\x81\x30\xd8\x00\xdc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range tabled {
			out, _ := codeTables()[c.name].append(nil, b[:len(b):len(b)])
			require.True(t, utf8.Valid(out), c.name)
		}
		for name, c := range algorithmic {
			if c.decode != nil {
				out, _ := c.decode(nil, b[:len(b):len(b)])
				require.True(t, utf8.Valid(out), name)
			}
		}
	})
}
