package debezium

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestKeyField: the field is in every key and its schema, and not in those of headers,
// as ByLogicalTableRouter leaves these.
func TestKeyField(t *testing.T) {
	table := &schema.Table{ID: schema.TableID{Database: "shop", Name: "t"}, Key: []int{0}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int}}}}
	require.NoError(t, table.Prepare())
	b := schema.NewBlock(table)
	defer b.Release()
	b.NeedOld(false)
	b.Ops = append(b.Ops, schema.OpUpdate)
	b.Old[0].AppendInt32(1)
	b.New[0].AppendInt32(2)
	for _, c := range []struct {
		modes    Modes
		old, new string
	}{
		{Modes{}, `{"id":1,"__t":"p.shop.\"t"}`, `{"id":2,"__t":"p.shop.\"t"}`},
		{Modes{}.WithSchemas(),
			`{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":false,"field":"__t"}],"optional":false,"name":"all.Key"},"payload":{"id":1,"__t":"p.shop.\"t"}}`,
			`{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":false,"field":"__t"}],"optional":false,"name":"all.Key"},"payload":{"id":2,"__t":"p.shop.\"t"}}`},
	} {
		e := NewEncoder(table, Config{Name: "p", Version: "test", Now: time.Now, Modes: c.modes, Topic: "all", KeyField: "__t", KeyValue: `p.shop."t`})
		records, err := e.Row(b, 0, &schema.Origin{})
		require.NoError(t, err)
		require.Len(t, records, 3)
		require.Equal(t, c.old, string(records[0].Key))
		require.Equal(t, c.old, string(records[1].Key))
		require.Equal(t, c.new, string(records[2].Key))
		require.Equal(t, `{"id":2}`, string(records[0].Headers[0].Value))
		require.Equal(t, `{"id":1}`, string(records[2].Headers[0].Value))
		d := NewDecoder(table, c.modes)
		into := schema.NewBlock(table)
		require.NoError(t, d.Append(into, records[0].Key, records[0].Value))
		require.NoError(t, d.Append(into, records[2].Key, records[2].Value))
		require.Equal(t, 2, into.Rows())
		into.Release()
	}
}
