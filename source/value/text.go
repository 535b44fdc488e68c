package value

import (
	"fmt"
	"unicode/utf8"

	"github.com/beluga-cdc/beluga/schema"
)

// putText appends text that is UTF-8. What is not would become a replacement
// character in one reader and an error in another, so it stops here.
func (m *Mapper) putText(dst *schema.Vec, s []byte) error {
	if !utf8.Valid(s) {
		shown := s
		if len(shown) > 40 {
			shown = shown[:40]
		}
		return m.fault(fmt.Errorf("the value %q… is no valid %s; remedy: repair the row (find such rows with WHERE NOT column <=> CONVERT(CONVERT(column USING binary) USING utf8mb4)), or make the column VARBINARY or BLOB",
			shown, m.column.Type.Charset))
	}
	dst.AppendBytes(s)
	return nil
}

// putEncoded appends text in the column's character set.
func (m *Mapper) putEncoded(dst *schema.Vec, s []byte) error {
	text, err := m.text.decode(dst.Data, s)
	if err != nil {
		remedy := "repair the row, or make the column VARBINARY or BLOB"
		if m.key {
			remedy = fmt.Sprintf("UPDATE %s SET %s = CONVERT(%[2]s USING utf8mb4), which writes the common codes, or make the column VARBINARY, and load the tables again", m.table, m.column.Name)
		}
		return m.fault(fmt.Errorf("the value %q… %w; remedy: %s", s[:min(len(s), 40)], err, remedy))
	}
	dst.Data = text
	dst.EndBytes()
	return nil
}

// putLabel appends an ENUM value by its number. Zero is what MySQL stores for
// a value that is no label, and shows as an empty string.
func (m *Mapper) putLabel(dst *schema.Vec, n int) error {
	labels := m.column.Type.Labels
	if n > len(labels) {
		return m.fault(fmt.Errorf("the row image holds label %d of %d", n, len(labels)))
	}
	if n > 0 {
		dst.Data = append(dst.Data, labels[n-1]...)
	}
	dst.EndBytes()
	return nil
}

// putLabels appends a SET value by its bits.
func (m *Mapper) putLabels(dst *schema.Vec, bits uint64) error {
	labels := m.column.Type.Labels
	if len(labels) < 64 && bits>>len(labels) != 0 {
		return m.fault(fmt.Errorf("the row image holds set bits %x with %d labels", bits, len(labels)))
	}
	some := false
	for i, l := range labels {
		if bits&(1<<i) == 0 {
			continue
		}
		if some {
			dst.Data = append(dst.Data, ',')
		}
		dst.Data = append(dst.Data, l...)
		some = true
	}
	dst.EndBytes()
	return nil
}
