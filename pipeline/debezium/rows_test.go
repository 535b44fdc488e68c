package debezium_test

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/beluga-cdc/beluga/schema"
)

// dec is a decimal in text, for rows in tests.
type dec string

// raw is bytes of a binary column.
type raw []byte

// change is one row of a block in readable form.
type change struct {
	op       schema.Op
	old, now []any
	origin   schema.Origin
}

func column(name string, typ schema.Type) schema.Column {
	return schema.Column{Name: name, Type: typ, Nullable: true}
}

func table(tb testing.TB, name string, key []int, cols ...schema.Column) *schema.Table {
	tb.Helper()
	t := &schema.Table{ID: schema.TableID{Database: "rec", Name: name}, Columns: cols, Key: key}
	if err := t.Prepare(); err != nil {
		tb.Fatal(err)
	}
	return t
}

// blockOf builds a block with an origin for each change.
func blockOf(tb testing.TB, t *schema.Table, changes ...change) *schema.Block {
	tb.Helper()
	b := schema.NewBlock(t)
	for _, c := range changes {
		if c.old != nil {
			b.NeedOld(false)
		}
	}
	for i, c := range changes {
		c.origin.Row = i
		b.Origins = append(b.Origins, c.origin)
		appendImage(tb, t, b.New, c.now)
		if len(b.Old) > 0 {
			appendImage(tb, t, b.Old, c.old)
		}
		b.Ops = append(b.Ops, c.op)
	}
	return b
}

func appendImage(tb testing.TB, t *schema.Table, image []schema.Vec, values []any) {
	tb.Helper()
	for i := range image {
		if values == nil {
			image[i].AppendZero()
			continue
		}
		if err := appendValue(&image[i], values[i], t.Columns[i].Type.Scale); err != nil {
			tb.Fatalf("column %s: %v", t.Columns[i].Name, err)
		}
	}
}

func appendValue(v *schema.Vec, x any, scale int) error {
	switch x := x.(type) {
	case nil:
		v.AppendNull()
	case bool:
		v.AppendBool(x)
	case int:
		if v.Kind == schema.VecInt32 {
			v.AppendInt32(int32(x))
		} else {
			v.AppendInt64(int64(x))
		}
	case uint64:
		v.AppendDec128(0, x)
	case float32:
		v.AppendFloat32(x)
	case float64:
		v.AppendFloat64(x)
	case time.Duration:
		v.AppendInt64(x.Microseconds())
	case string:
		if v.Kind == schema.VecBytes {
			v.AppendBytes([]byte(x))
			return nil
		}
		at, err := time.Parse("2006-01-02 15:04:05.999999", x)
		if err != nil {
			return err
		}
		v.AppendInt64(at.UnixMicro())
	case raw:
		v.AppendBytes(x)
	case dec:
		return appendDec(v, string(x), scale)
	default:
		return fmt.Errorf("a test's row holds a %T", x)
	}
	return nil
}

func appendDec(v *schema.Vec, text string, scale int) error {
	whole, frac, _ := strings.Cut(text, ".")
	u, ok := new(big.Int).SetString(whole+frac+strings.Repeat("0", scale-len(frac)), 10)
	switch {
	case !ok:
		return fmt.Errorf("%q is no decimal", text)
	case v.Kind == schema.VecInt64:
		v.AppendInt64(u.Int64())
	default:
		lo := new(big.Int).And(u, new(big.Int).SetUint64(1<<64-1))
		v.AppendDec128(new(big.Int).Rsh(u, 64).Int64(), lo.Uint64())
	}
	return nil
}

// sameValue compares values of two vectors, floats by their bits.
func sameValue(a *schema.Vec, i int, b *schema.Vec, j int) bool {
	if a.Kind != b.Kind || a.IsNull(i) != b.IsNull(j) {
		return false
	}
	if a.IsNull(i) {
		return true
	}
	switch a.Kind {
	case schema.VecBool, schema.VecInt32, schema.VecFloat32:
		return a.I32[i] == b.I32[j]
	case schema.VecInt64, schema.VecFloat64:
		return a.I64[i] == b.I64[j]
	case schema.VecDec128:
		return bytes.Equal(a.Dec128(i), b.Dec128(j))
	}
	return bytes.Equal(a.Bytes(i), b.Bytes(j))
}
