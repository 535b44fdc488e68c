package value

import (
	"fmt"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// bytesOf is the way back from a number of a code to the code.
func bytesOf(shape codeShape, number int) []byte {
	switch pair := number - 256; {
	case number < 256:
		return []byte{byte(number)}
	case pair < 0x8000:
		return []byte{byte(pair>>8) | 0x80, byte(pair)}
	case shape == threeByte:
		return []byte{0x8f, byte(pair>>8) | 0x80, byte(pair)}
	}
	return nil
}

// TestAliases: of the codes that are one character, those in a key are refused
// that the server does not write. All others are decoded as ever.
func TestAliases(t *testing.T) {
	server := servers.MySQL(t)
	conn, err := client.Connect(server.Addr, server.User, server.Password, "")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	with := map[string]int{}
	for _, c := range tabled {
		table := codeTables()[c.name]
		key, err := keyCharset(c.name)
		require.NoError(t, err)
		aliases := table.aliases(c.name)
		for number, r := range table.runes {
			code := bytesOf(c.shape, number)
			if r == noRune || code == nil {
				continue
			}
			want, err := table.append(nil, code)
			require.NoError(t, err)
			got, err := key.decode(nil, code)
			if !aliases[number] {
				require.NoError(t, err)
				require.Equal(t, want, got)
				continue
			}
			require.ErrorContains(t, err, fmt.Sprintf("is part of the key and holds the code %x, ", code))
			answer, err := conn.Execute(fmt.Sprintf("SELECT HEX(CONVERT(CONVERT(x'%08x' USING utf32) USING %s))", r, c.name))
			require.NoError(t, err)
			written, err := answer.GetString(0, 0)
			require.NoError(t, err)
			require.NotEqual(t, fmt.Sprintf("%X", code), written, "%s refuses what the server writes", c.name)
			with[c.name]++
		}
	}
	t.Log(with)
	require.Equal(t, map[string]int{"armscii8": 6, "big5": 6, "cp932": 398, "eucjpms": 24, "sjis": 1, "tis620": 8, "ujis": 2}, with)
}
