package warehouse

import (
	"fmt"
	"strings"

	"github.com/zeebo/xxh3"
)

// longestName leaves room below the 255 bytes of common file systems.
const longestName = 200

// reserved are the entries of the warehouse folder that are no namespaces.
var reserved = map[string]bool{CatalogFile: true, CatalogFile + "-wal": true, CatalogFile + "-shm": true, CatalogFile + "-journal": true, LogFolder: true}

// FolderName turns the name of a database or a table into the name of a folder.
// Letters, digits, '_', '-', '$' and inner dots stand for themselves, so that
// ordinary names look as in MySQL; every other byte becomes ~XX. Percent signs,
// the usual choice, would be taken for URI escapes by some readers.
func FolderName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '$' || c == '.' && i > 0
		if plain && (i > 0 || !reserved[name]) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "~%02X", c)
		}
	}
	s := b.String()
	if len(s) > longestName {
		h := xxh3.HashString128(name)
		s = fmt.Sprintf("%s~h%016x%016x", s[:longestName-40], h.Hi, h.Lo) // "~h" starts no escape
	}
	return s
}
