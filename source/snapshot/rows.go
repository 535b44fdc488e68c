package snapshot

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
)

// keysAtOnce is how many keys one statement asks for.
const keysAtOnce = 200

// ReadRows reads the rows that have the keys of the given rows of an image. Where
// the key's collation takes several spellings for the same, the row found may
// have another one.
func (s *Snapshot) ReadRows(ctx context.Context, reader int, t *schema.Table, image []schema.Vec, rows []int, emit func(*schema.Block) error) error {
	for part := range slices.Chunk(rows, keysAtOnce) {
		sql, args, err := keysQuery(t, image, part)
		if err == nil {
			err = s.read(ctx, reader, t, sql, args, emit)
		}
		if err != nil {
			return fmt.Errorf("reading rows of table %s by key: %w", t.ID, err)
		}
	}
	return nil
}

func keysQuery(t *schema.Table, image []schema.Vec, rows []int) (string, []any, error) {
	whole, _ := Whole(t).query()
	var terms []string
	var args []any
	for _, r := range rows {
		var term []string
		for _, c := range t.Key {
			arg, err := vectorArgument(t, c, &image[c], r)
			if err != nil {
				return "", nil, fmt.Errorf("column %s: %w", t.Columns[c].Name, err)
			}
			term = append(term, session.Quote(t.Columns[c].Name)+" = ?")
			args = append(args, arg)
		}
		terms = append(terms, "("+strings.Join(term, " AND ")+")")
	}
	return whole + " WHERE " + strings.Join(terms, " OR "), args, nil
}

// vectorArgument is the way back from a value's form in a block to an argument.
func vectorArgument(t *schema.Table, column int, v *schema.Vec, row int) (any, error) {
	if v.IsNull(row) {
		return nil, fmt.Errorf("a key is null, and cannot be looked up")
	}
	lake, kind := t.Lake(column), t.Columns[column].Type.Kind
	if kind == schema.Time && lake.Kind == schema.LakeLong {
		return timeArgument(v.I64[row]), nil
	}
	switch lake.Kind {
	case schema.LakeBoolean, schema.LakeInt:
		return int64(v.I32[row]), nil
	case schema.LakeLong:
		return v.I64[row], nil
	case schema.LakeFloat:
		return float64(v.Float32(row)), nil
	case schema.LakeDouble:
		return v.Float64(row), nil
	case schema.LakeDate:
		return time.Unix(int64(v.I32[row])*86400, 0).UTC().Format(time.DateOnly), nil
	case schema.LakeTime:
		return time.UnixMicro(v.I64[row]).UTC().Format("15:04:05.000000"), nil
	case schema.LakeTimestamp, schema.LakeTimestampTZ:
		return time.UnixMicro(v.I64[row]).UTC().Format("2006-01-02 15:04:05.000000"), nil
	case schema.LakeDecimal:
		return decimalArgument(v.Unscaled(row), lake.Scale), nil
	}
	switch kind {
	case schema.Decimal:
		return mysql.TypedBytes{Type: mysql.MYSQL_TYPE_NEWDECIMAL, Bytes: v.Bytes(row)}, nil
	case schema.Binary, schema.VarBinary, schema.Blob:
		return mysql.TypedBytes{Type: mysql.MYSQL_TYPE_BLOB, Bytes: v.Bytes(row)}, nil
	case schema.Bit:
		var n [8]byte
		b := v.Bytes(row)
		copy(n[8-len(b):], b)
		return binary.BigEndian.Uint64(n[:]), nil
	}
	return string(v.Bytes(row)), nil
}

func timeArgument(us int64) string {
	sign := ""
	if us < 0 {
		sign, us = "-", -us
	}
	return fmt.Sprintf("%s%02d:%02d:%02d.%06d", sign, us/3_600_000_000, us/60_000_000%60, us/1_000_000%60, us%1_000_000)
}

func decimalArgument(unscaled *big.Int, scale int) mysql.TypedBytes {
	return mysql.TypedBytes{Type: mysql.MYSQL_TYPE_NEWDECIMAL, Bytes: []byte(schema.DecimalText(unscaled, scale))}
}
