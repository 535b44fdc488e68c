package schema

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTypeText(t *testing.T) {
	for want, typ := range map[string]Type{
		"int":                  {Kind: Int},
		"bigint unsigned":      {Kind: BigInt, Unsigned: true},
		"decimal(10,2)":        {Kind: Decimal, Precision: 10, Scale: 2},
		"datetime":             {Kind: DateTime},
		"time(3)":              {Kind: Time, Scale: 3},
		"varchar(20)":          {Kind: VarChar, Length: 20, Charset: "utf8mb4"},
		"text latin1":          {Kind: Text, Length: 2, Charset: "latin1"},
		"longblob":             {Kind: Blob, Length: 4},
		"bit(7)":               {Kind: Bit, Length: 7},
		"enum('a','it''s','')": {Kind: Enum, Labels: []string{"a", "it's", ""}},
	} {
		require.Equal(t, want, typ.String())
	}
}
