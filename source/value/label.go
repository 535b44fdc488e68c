package value

import (
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// Labels have two sources. A table map has them as they are. In
// information_schema, and in all else that the server shows of a table, the
// characters beyond the BMP are question marks, so that those labels say less.

// shownLabel is a label as information_schema has it.
func shownLabel(label string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '?'
		}
		return r
	}, label)
}

// sameLabel tells whether two labels are the same, or could be as far as the one
// from information_schema tells.
func sameLabel(a, b string) bool { return a == b || shownLabel(a) == b || a == shownLabel(b) }

// SameLabels tells whether the numbers of two ENUM or SET columns mean the same.
func SameLabels(a, b []string) bool { return slices.EqualFunc(a, b, sameLabel) }

// LabelsExtend tells whether labels only add to old at its end, so that every
// number means what it meant.
func LabelsExtend(old, labels []string) bool {
	return len(labels) >= len(old) && SameLabels(old, labels[:len(old)])
}

// LabelsAreShown tells whether the labels of a type may be less than what they
// are: they have question marks, and a character set with more than the BMP.
func LabelsAreShown(t schema.Type) bool {
	switch t.Charset {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return slices.ContainsFunc(t.Labels, func(l string) bool { return strings.ContainsRune(l, '?') })
	}
	return false
}
