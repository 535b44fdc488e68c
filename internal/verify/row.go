package verify

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
)

// Row is a row that differs.
type Row struct {
	Key                  string // "id=5"
	SourceRows, LakeRows int64  // rows that have the key
	Columns              []ColumnDifference
}

// ColumnDifference is a column in which the two sides of a row differ.
type ColumnDifference struct{ Column, Source, Lake string }

// copied holds the rows of one side that are to be shown.
type copied struct {
	block *schema.Block
	row   map[schema.Key]int
}

// fetch reads the rows of the keys in full and fills in what is shown of them.
func (c *comparison) fetch(ctx context.Context, r *round, p *projection, show map[schema.Key]*Row) error {
	var sides [2]copied
	g, ctx := errgroup.WithContext(ctx)
	for n, state := range []State{r.source, r.lake} {
		columns := p.lake
		if n == 0 {
			columns = nil
		}
		sides[n] = copied{schema.NewBlock(p.table), map[schema.Key]int{}}
		g.Go(func() error {
			keyer, _ := p.keyers()
			var image []schema.Vec
			return state.Read(ctx, c.result.Table, func(b *schema.Block) error {
				image = project(image, b.New, columns)
				for i := range b.Rows() {
					k := keyer.Key(image, i)
					if _, wanted := show[k]; wanted {
						sides[n].add(k, image, i)
					}
				}
				return ctx.Err()
			})
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("reading the rows that differ: %w", err)
	}
	for k, row := range show {
		row.describe(p.table, k, &sides[0], &sides[1])
	}
	sides[0].block.Release()
	sides[1].block.Release()
	return nil
}

func (c *copied) add(k schema.Key, image []schema.Vec, i int) {
	if _, ok := c.row[k]; ok {
		return // of a key that is there twice the first row is shown
	}
	c.row[k] = c.block.Rows()
	c.block.Ops = append(c.block.Ops, schema.OpRead)
	for col := range image {
		c.block.New[col].AppendFrom(&image[col], i)
	}
}

func (r *Row) describe(t *schema.Table, k schema.Key, source, lake *copied) {
	i, inSource := source.row[k]
	j, inLake := lake.row[k]
	if inSource {
		r.Key = keyText(t, source.block.New, i)
	} else if inLake {
		r.Key = keyText(t, lake.block.New, j)
	}
	if !inSource || !inLake {
		return
	}
	for col := range t.Columns {
		s, l := Text(t.Lake(col), &source.block.New[col], i), Text(t.Lake(col), &lake.block.New[col], j)
		if s != l {
			r.Columns = append(r.Columns, ColumnDifference{t.Columns[col].Name, s, l})
		}
	}
}

func keyText(t *schema.Table, image []schema.Vec, row int) string {
	cols := t.Key
	if len(cols) == 0 {
		for i := range t.Columns {
			cols = append(cols, i)
		}
	}
	var parts []string
	for _, c := range cols {
		parts = append(parts, t.Columns[c].Name+"="+Text(t.Lake(c), &image[c], row))
	}
	return strings.Join(parts, ", ")
}

func sortedRows(m map[schema.Key]*Row) []Row {
	keys := make([]schema.Key, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b schema.Key) int {
		// Integers stand in Lo; hashes have no order that means anything.
		return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(int64(a.Lo), int64(b.Lo)))
	})
	rows := make([]Row, len(keys))
	for i, k := range keys {
		rows[i] = *m[k]
	}
	return rows
}

// Text writes a value for people, so that two values with the same text are the
// same.
func Text(l schema.LakeType, v *schema.Vec, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
	switch l.Kind {
	case schema.LakeBoolean:
		return strconv.FormatBool(v.I32[i] != 0)
	case schema.LakeInt:
		return strconv.Itoa(int(v.I32[i]))
	case schema.LakeLong:
		return strconv.FormatInt(v.I64[i], 10)
	case schema.LakeFloat:
		return strconv.FormatFloat(float64(v.Float32(i)), 'g', -1, 32)
	case schema.LakeDouble:
		return strconv.FormatFloat(v.Float64(i), 'g', -1, 64)
	case schema.LakeDecimal:
		return schema.DecimalText(v.Unscaled(i), l.Scale)
	case schema.LakeDate:
		return time.Unix(int64(v.I32[i])*86400, 0).UTC().Format(time.DateOnly)
	case schema.LakeTime:
		us := v.I64[i]
		return fmt.Sprintf("%02d:%02d:%02d.%06d", us/3_600_000_000, us/60_000_000%60, us/1_000_000%60, us%1_000_000)
	case schema.LakeTimestamp:
		return time.UnixMicro(v.I64[i]).UTC().Format("2006-01-02 15:04:05.000000")
	case schema.LakeTimestampTZ:
		return time.UnixMicro(v.I64[i]).UTC().Format("2006-01-02 15:04:05.000000Z")
	case schema.LakeString:
		return strconv.Quote(string(v.Bytes(i)))
	case schema.LakeFloatList:
		return listText(v.Bytes(i))
	}
	return "0x" + hex.EncodeToString(v.Bytes(i))
}

func listText(b []byte) string {
	var parts []string
	for ; len(b) >= 4; b = b[4:] {
		parts = append(parts, strconv.FormatFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 'g', -1, 32))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
