package value

import (
	"encoding/binary"
	"errors"

	"github.com/beluga-cdc/beluga/schema"
)

var errGeometry = errors.New("the server sent a geometry in an unknown form")

// putGeometry appends a geometry. MySQL stores four bytes of SRID in front of
// WKB; that is a layout of its own which no reader knows. In the lake the SRID
// stands within, as PostGIS and others write it (EWKB); without one, the value is
// plain WKB. The order of axes stays as stored: longitude first, which readers
// expect and ST_AsWKB turns round.
func (m *Mapper) putGeometry(dst *schema.Vec, s []byte) error {
	if len(s) == 0 { // the rows that were there before ADD COLUMN … NOT NULL
		dst.EndBytes()
		return nil
	}
	const head = 4 + 1 + 4 // SRID, byte order, type
	if len(s) < head || s[4] != 1 {
		return m.fault(errGeometry)
	}
	srid, typ := s[:4], binary.LittleEndian.Uint32(s[5:])
	if typ == 0 || typ > 7 {
		return m.fault(errGeometry)
	}
	dst.Data = append(dst.Data, 1)
	if binary.LittleEndian.Uint32(srid) == 0 {
		dst.Data = append(dst.Data, s[5:head]...)
	} else {
		dst.Data = binary.LittleEndian.AppendUint32(dst.Data, typ|schema.EWKBHasSRID)
		dst.Data = append(dst.Data, srid...)
	}
	dst.Data = append(dst.Data, s[head:]...)
	dst.EndBytes()
	return nil
}
