package binlog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTextThatCannotBeRead: half a character, in a text of a character set in
// which a byte may be a letter or a half.
func TestTextThatCannotBeRead(t *testing.T) {
	sets := map[uint64]string{13: "sjis", 8: "latin1", 255: "utf8mb4"}
	for _, c := range []struct {
		collation          uint64
		text, want, unread string
	}{
		{13, "DROP TABLE \x83e\x81", "DROP TABLE \x83e\x81", "sjis"},
		{13, "DROP TABLE \x83e", "DROP TABLE テ", ""},
		{13, "DROP TABLE t", "DROP TABLE t", ""},
		{8, "DROP TABLE \xe9", "DROP TABLE é", ""},
		{255, "DROP TABLE t /* \xe9 */", "DROP TABLE t /* \xe9 */", ""},
		{0, "DROP TABLE é", "DROP TABLE é", ""},
	} {
		q := query{collation: c.collation, text: []byte(c.text)}
		q.toUTF8(sets)
		require.Equal(t, c.want, string(q.text))
		require.Equal(t, c.unread, q.unread, c.text)
	}
}

// TestNamesAndTexts: what quotes and backslashes mean depends on the session.
func TestNamesAndTexts(t *testing.T) {
	for text, want := range map[string]map[uint64][]token{
		`"a\"b"`: {0: {{kind: stringToken, text: `a"b`, escaped: true}}, ansiQuotes: {{kind: nameToken, text: `a\`}, {kind: wordToken, text: "b"}, {kind: nameToken, text: ""}}, noBackslashEscapes: {{kind: stringToken, text: `a\`}, {kind: wordToken, text: "b"}, {kind: stringToken, text: ""}}},
		`'\''`:   {0: {{kind: stringToken, text: `'`, escaped: true}}, ansiQuotes: {{kind: stringToken, text: `'`, escaped: true}}, noBackslashEscapes: {{kind: stringToken, text: `\'`}}},
		"`\\`":   {0: {{kind: nameToken, text: `\`}}, ansiQuotes: {{kind: nameToken, text: `\`}}, noBackslashEscapes | ansiQuotes: {{kind: nameToken, text: `\`}}},
		"A\v\fb": {0: {{kind: wordToken, text: "A"}, {kind: wordToken, text: "b"}}},
	} {
		for mode, tokensWanted := range want {
			q := query{text: []byte(text), sqlMode: mode}
			require.Equal(t, append(tokensWanted, token{}), q.tokens(), "%s under %x", text, mode)
		}
	}
}
