package source

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

func TestColumnRules(t *testing.T) {
	id := schema.TableID{Database: "shop", Name: "users"}
	c := Columns{Include: []string{`shop\.users\..*`}, Exclude: []string{`.*\.card`}, Mask: []string{`8:.*\.phone`, `0:.*\.pin`}, Truncate: []string{`3:.*\.(phone|note)`},
		Hash: []string{`shop\.users\.email`}, HashAlgorithm: "sha-256", HashSalt: "salt"}
	r, err := newColumnRules(c)
	require.NoError(t, err)
	for column, want := range map[string]string{"id": "", "Card": "left out", "card_no": "", "PHONE": "mask 8", "pin": "mask 0", "note": "truncate 3", "email": "hash 0"} {
		treatment, wanted := r.choose(id, column)
		got := ""
		if !wanted {
			got = "left out"
		} else if treatment != nil {
			got = string(treatment.Kind) + " " + string(rune('0'+treatment.Length))
		}
		require.Equal(t, want, got, column)
	}
	_, wanted := r.choose(schema.TableID{Database: "shop", Name: "orders"}, "id")
	require.False(t, wanted, "an include list counts for every table")

	salted, _ := r.choose(id, "email")
	c.HashSalt = "pepper"
	other, err := newColumnRules(c)
	require.NoError(t, err)
	peppered, _ := other.choose(id, "email")
	require.False(t, salted.Same(peppered))
	require.True(t, salted.Same(salted))
	require.False(t, salted.Same(nil))

	for text, bad := range map[string]Columns{
		`--columns-exclude "(" is no regular expression`: {Exclude: []string{"("}},
		`--columns-mask "phone" is not LENGTH:PATTERN`:   {Mask: []string{"phone"}},
		`--columns-truncate "-1:x" is not LENGTH`:        {Truncate: []string{"-1:x"}},
		`--columns-hash needs --columns-hash-salt`:       {Hash: []string{"x"}, HashAlgorithm: "sha-256"},
		`--columns-hash-algorithm "md4" is none of sha`:  {Hash: []string{"x"}, HashAlgorithm: "md4", HashSalt: "x"},
	} {
		require.ErrorContains(t, bad.Check(), text)
	}
}
