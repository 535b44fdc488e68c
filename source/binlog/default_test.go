package binlog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDefaults: a default is taken from a statement where it is a plain number or text,
// and left to the server otherwise.
func TestDefaults(t *testing.T) {
	for definition, want := range map[string]Default{
		"INT":                                                   {Kind: NullDefault},
		"INT NULL COMMENT 'DEFAULT 5'":                          {Kind: NullDefault},
		"INT DEFAULT NULL AFTER `DEFAULT`":                      {Kind: NullDefault},
		"INT NOT NULL":                                          {Kind: ImplicitDefault},
		"INT NOT NULL COLUMN_FORMAT DEFAULT":                    {Kind: ImplicitDefault},
		"INT DEFAULT 5":                                         {Kind: NumberDefault, Text: "5"},
		"INT DEFAULT +5 NOT NULL":                               {Kind: NumberDefault, Text: "5"},
		"INT DEFAULT - 5 FIRST":                                 {Kind: NumberDefault, Text: "-5"},
		"DECIMAL(9,3) DEFAULT -1.50 COMMENT 'x'":                {Kind: NumberDefault, Text: "-1.50"},
		"DECIMAL(9,3) DEFAULT .5":                               {Kind: NumberDefault, Text: ".5"},
		"BOOL DEFAULT TRUE":                                     {Kind: NumberDefault, Text: "1"},
		"BOOL NOT NULL DEFAULT FALSE":                           {Kind: NumberDefault, Text: "0"},
		"VARCHAR(9) DEFAULT ''":                                 {Kind: TextDefault},
		"VARCHAR(9) DEFAULT 'it''s' INVISIBLE":                  {Kind: TextDefault, Text: "it's"},
		"ENUM('DEFAULT','b') DEFAULT 'b' CHECK (a > 'DEFAULT')": {Kind: TextDefault, Text: "b"},
		`VARCHAR(9) DEFAULT 'a\nb'`:                             {},
		"VARCHAR(9) DEFAULT 'a' 'b'":                            {},
		"VARCHAR(9) DEFAULT _latin1'a'":                         {},
		"VARCHAR(9) DEFAULT N'a'":                               {},
		"VARBINARY(9) DEFAULT x'41'":                            {},
		"VARBINARY(9) DEFAULT 0x41":                             {},
		"DOUBLE DEFAULT 1e3":                                    {},
		"DOUBLE DEFAULT 1.5e3":                                  {},
		"INT DEFAULT (5)":                                       {},
		"INT DEFAULT 5 + 5":                                     {},
		"INT DEFAULT 5 DIV 2":                                   {},
		"DATE DEFAULT (CURRENT_DATE)":                           {},
		"DATETIME DEFAULT CURRENT_TIMESTAMP":                    {},
		"DATE DEFAULT DATE '2026-01-31'":                        {},
		"INT AUTO_INCREMENT UNIQUE":                             {},
		"INT UNIQUE":                                            {},
		"INT PRIMARY KEY":                                       {},
		"INT AS (id + 1)":                                       {},
		"INT GENERATED ALWAYS AS (5) VIRTUAL":                   {},
		"SERIAL":                                                {},
		"BIGINT SERIAL DEFAULT VALUE":                           {},
	} {
		for _, text := range []string{"ALTER TABLE t ADD COLUMN x " + definition, "ALTER TABLE t ADD (y INT, x " + definition + ", z INT)"} {
			s := parseStatement(tokens([]byte(text), 0), "db")
			i := find(s.added, "x")
			require.GreaterOrEqual(t, i, 0, text)
			require.Equal(t, want, s.added[i].initial(), text)
		}
	}
}
