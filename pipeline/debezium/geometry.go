package debezium

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/beluga-cdc/beluga/schema"
)

const ewkbHead = 1 + 4 // byte order and type

var errWKB = errors.New("is no WKB in little-endian order")

// appendGeometry writes EWKB as Debezium's pair of WKB and SRID.
func appendGeometry(dst, ewkb []byte) ([]byte, error) {
	srid, wkb, err := splitEWKB(ewkb)
	if err != nil {
		return dst, err
	}
	dst = append(dst, `{"wkb":`...)
	dst = appendBase64(dst, wkb)
	if srid == 0 {
		return append(dst, `,"srid":null}`...), nil
	}
	dst = append(dst, `,"srid":`...)
	dst = strconv.AppendInt(dst, int64(int32(srid)), 10) // an int of Java
	return append(dst, '}'), nil
}

func splitEWKB(ewkb []byte) (srid uint32, wkb []byte, err error) {
	if len(ewkb) == 0 { // a geometry that was never set
		return 0, nil, nil
	}
	if len(ewkb) < ewkbHead || ewkb[0] != 1 {
		return 0, nil, errWKB
	}
	typ := binary.LittleEndian.Uint32(ewkb[1:])
	if typ&schema.EWKBHasSRID == 0 {
		return 0, ewkb, nil
	}
	if len(ewkb) < ewkbHead+4 {
		return 0, nil, errWKB
	}
	srid = binary.LittleEndian.Uint32(ewkb[ewkbHead:])
	wkb = append(make([]byte, 0, len(ewkb)), 1)
	wkb = binary.LittleEndian.AppendUint32(wkb, typ&^schema.EWKBHasSRID)
	return srid, append(wkb, ewkb[ewkbHead+4:]...), nil
}

// decodeGeometry reads a pair of WKB and SRID. Debezium gives points an x and
// a y besides, which the WKB has too.
func (f *field) decodeGeometry(v *schema.Vec, p []byte) (n int, err error) {
	n = skipObject(p)
	if n == 0 || f.form != formGeometry {
		return n, errForm
	}
	var g struct {
		WKB  *[]byte `json:"wkb"`
		SRID *int64  `json:"srid"`
	}
	if err := json.Unmarshal(p[:n], &g); err != nil || g.WKB == nil {
		return n, errForm
	}
	var srid int64
	if g.SRID != nil {
		srid = *g.SRID
	}
	wkb := *g.WKB
	switch {
	case srid < math.MinInt32 || srid > math.MaxUint32:
		return n, errRange
	case len(wkb) == 0 && srid == 0:
		v.EndBytes()
		return n, nil
	case len(wkb) < ewkbHead || wkb[0] != 1:
		return n, errWKB
	}
	typ := binary.LittleEndian.Uint32(wkb[1:])
	if typ&schema.EWKBHasSRID != 0 {
		return n, errWKB
	}
	v.Data = append(v.Data, 1)
	if srid == 0 {
		v.Data = append(v.Data, wkb[1:ewkbHead]...)
	} else {
		v.Data = binary.LittleEndian.AppendUint32(v.Data, typ|schema.EWKBHasSRID)
		v.Data = binary.LittleEndian.AppendUint32(v.Data, uint32(srid))
	}
	v.Data = append(v.Data, wkb[ewkbHead:]...)
	v.EndBytes()
	return n, nil
}

// skipObject returns the length of the object at the start of p, which holds no
// other one; 0 where there is none.
func skipObject(p []byte) int {
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '"':
			_, n := scanString(p[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			return 0
		case '}':
			return i + 1
		}
	}
	return 0
}
