package schema

import (
	"fmt"
	"strings"
)

// sizes are what the names of TEXT and BLOB begin with, by Type.Length.
var sizes = map[int]string{1: "tiny", 3: "medium", 4: "long"}

// String writes the type for people, as MySQL does as far as it is known. The character
// set is named where it is not utf8mb4.
func (t Type) String() string {
	s := t.Kind.String()
	switch t.Kind {
	case Decimal:
		s += fmt.Sprintf("(%d,%d)", t.Precision, t.Scale)
	case Text, Blob:
		s = sizes[t.Length] + s
	case Time, DateTime, Timestamp:
		if t.Scale > 0 {
			s += fmt.Sprintf("(%d)", t.Scale)
		}
	case Char, VarChar, Binary, VarBinary, Bit:
		s += fmt.Sprintf("(%d)", t.Length)
	case Enum, Set:
		quoted := make([]string, len(t.Labels))
		for i, l := range t.Labels {
			quoted[i] = "'" + strings.ReplaceAll(l, "'", "''") + "'"
		}
		s += "(" + strings.Join(quoted, ",") + ")"
	}
	if t.Unsigned {
		s += " unsigned"
	}
	if t.Charset != "" && t.Charset != "utf8mb4" {
		s += " " + t.Charset
	}
	return s
}
