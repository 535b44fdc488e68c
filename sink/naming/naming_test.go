package naming

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

func table(database, name string, columns ...string) *schema.Table {
	t := &schema.Table{ID: schema.TableID{Database: database, Name: name}}
	for _, c := range columns {
		t.Columns = append(t.Columns, schema.Column{Name: c})
	}
	return t
}

func mapping(t *testing.T, r Rules) *Mapping {
	t.Helper()
	m, err := New(r)
	require.NoError(t, err)
	text, err := m.Encode()
	require.NoError(t, err)
	again, err := Decode(text)
	require.NoError(t, err)
	require.Empty(t, m.Difference(again, table("Shop", "My Orders", "Id", "größe")), "it is kept as text")
	return again
}

func TestIdentity(t *testing.T) {
	for _, m := range []*Mapping{nil, mapping(t, Rules{}), mapping(t, Rules{Case: Keep})} {
		require.Equal(t, Identifier{"a.b", "c d.ü"}, m.Table(schema.TableID{Database: "a.b", Name: "c d.ü"}))
		require.Equal(t, []string{"X", "y.z"}, m.Columns(table("a.b", "c", "X", "y.z")))
		text, err := m.Encode()
		require.NoError(t, err)
		require.Empty(t, text)
	}
}

func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		rules  Rules
		table  string
		column string
	}{
		"lower":                        {Rules{Case: Lower}, "shop.my orders", "größe"},
		"upper":                        {Rules{Case: Upper}, "SHOP.MY ORDERS", "GRÖßE"},
		"prefixes, which keep case":    {Rules{Case: Lower, NamespacePrefix: "Raw_", TablePrefix: "T_", ColumnPrefix: "C_"}, "Raw_shop.T_my orders", "C_größe"},
		"sanitized":                    {Rules{Sanitize: true}, "Shop.My_Orders", "Gr__e"},
		"a pattern":                    {Rules{Tables: []string{`Shop\.My (.*)=lake.$1_v2`}}, "lake.Orders_v2", "Größe"},
		"the first pattern":            {Rules{Tables: []string{`.*x=a.b`, `(.*)\.(.*)=one.$1-$2`, `.*=c.d`}}, "one.Shop-My Orders", "Größe"},
		"the whole must match":         {Rules{Tables: []string{`Shop=a.b`, `Orders=a.b`}}, "Shop.My Orders", "Größe"},
		"tables have a case":           {Rules{Tables: []string{`shop\.my orders=a.b`}}, "Shop.My Orders", "Größe"},
		"columns have none":            {Rules{Columns: []string{`.*\.gr(.)ße=size$1`}}, "Shop.My Orders", "sizeö"},
		"a dollar that is no group":    {Rules{Tables: []string{`.*=a.$b$`}}, "a.$b$", "Größe"},
		"dots of MySQL are no borders": {Rules{Tables: []string{`(.*)=lake.$1`}}, "lake.Shop.My Orders", "Größe"},
		"a rename is exact":            {Rules{Rename: []string{"Shop.My Orders=Sales.Orders", "Shop.My Orders.größe=Size"}, Case: Lower, TablePrefix: "t_", ColumnPrefix: "c_", Tables: []string{".*=a.b"}}, "Sales.Orders", "Size"},
		"all in their order":           {Rules{Tables: []string{`Shop\.(.*)=Ü.$1`}, Columns: []string{`.*=É-$0`}, Sanitize: true, Case: Lower, NamespacePrefix: "n", TablePrefix: "t", ColumnPrefix: "c"}, "n_.tmy_orders", "c__shop_my_orders_gr__e"},
	} {
		t.Run(name, func(t *testing.T) {
			m := mapping(t, c.rules)
			id := schema.TableID{Database: "Shop", Name: "My Orders"}
			require.Equal(t, c.table, m.Table(id).String())
			require.Equal(t, c.column, m.Column(id, "Größe"))
		})
	}
}

func TestBadRules(t *testing.T) {
	for text, rules := range map[string]Rules{
		`rename "a.b" is neither DATABASE.TABLE=NAMESPACE.TABLE`:       {Rename: []string{"a.b"}},
		`rename "a.b=c" is neither`:                                    {Rename: []string{"a.b=c"}},
		`rename "a.b.c=" is neither`:                                   {Rename: []string{"a.b.c="}},
		`rename "a.b=.d" is neither`:                                   {Rename: []string{"a.b=.d"}},
		`rename "a.b=c.d;e.f=g.h" is neither`:                          {Rename: []string{"a.b=c.d;e.f=g.h"}},
		`rename "a=b.c" is neither`:                                    {Rename: []string{"a=b.c"}},
		`rename "a.b=d.e": a.b has a new name already`:                 {Rename: []string{"a.b=c.d", "a.b=d.e"}},
		`rename "a.b.C=e": a.b.C has a new name already`:               {Rename: []string{"a.b.c=d", "a.b.C=e"}},
		`tables "x" is not PATTERN=REPLACEMENT`:                        {Tables: []string{"x"}},
		`tables "x=" is not PATTERN=REPLACEMENT`:                       {Tables: []string{"x="}},
		"tables \"(=a.b\": error parsing regexp":                       {Tables: []string{"(=a.b"}},
		`tables "x=y": the new name of a table is NAMESPACE.TABLE`:     {Tables: []string{"x=y"}},
		`tables "x=.y": a part of the new name is empty`:               {Tables: []string{"x=.y"}},
		`tables "(x)=a.$2": $2, but the pattern has only 1 groups`:     {Tables: []string{"(x)=a.$2"}},
		`columns "x=$1": $1, but the pattern has only 0 groups`:        {Columns: []string{"x=$1"}},
		"columns \"[=y\": error parsing regexp: missing closing ]: `[": {Columns: []string{"[=y"}},
	} {
		_, err := New(rules)
		require.ErrorContains(t, err, text)
	}
}

func TestCollisions(t *testing.T) {
	ids := []schema.TableID{{Database: "s", Name: "Orders"}, {Database: "s", Name: "orders"}, {Database: "s", Name: "a-b"}, {Database: "s", Name: "a_b"}, {Database: "s", Name: "a b"}, {Database: "S", Name: "x"}}
	var none *Mapping
	require.Empty(t, none.Tables(ids), "the lake tells names apart that differ in case, as MySQL does")
	m := mapping(t, Rules{Case: Lower, Sanitize: true})
	require.Equal(t, []Collision{{"s.a_b", []string{"s.a b", "s.a-b", "s.a_b"}}, {"s.orders", []string{"s.Orders", "s.orders"}}}, m.Tables(ids))
	require.Equal(t, "s.Orders and s.orders would all be called s.orders in the lake; give one of them another name with --names-rename, or leave it out", m.Tables(ids)[1].String())
	require.Equal(t, []Collision{{"a_b", []string{"column a b", "column a-b"}}}, m.ColumnsAlike(ids[0], []string{"a b", "c", "a-b"}))

	m = mapping(t, Rules{Rename: []string{"s.t.a=B"}})
	require.Len(t, m.ColumnsAlike(schema.TableID{Database: "s", Name: "t"}, []string{"a", "b"}), 1, "in no case do two columns differ by case alone")
	require.Empty(t, m.ColumnsAlike(schema.TableID{Database: "s", Name: "u"}, []string{"a", "b"}))
}

func TestDifference(t *testing.T) {
	orders := table("shop", "Orders", "Id", "v")
	was := mapping(t, Rules{Case: Lower})
	require.Empty(t, was.Difference(mapping(t, Rules{Case: Lower, Rename: []string{"shop.other=a.b", "shop.Orders.new=x"}}), orders), "rules for what is not there yet may come")
	require.Equal(t, "it stands there as shop.orders, and would now be called shop.Orders", was.Difference(nil, orders))
	require.Equal(t, "its column Id stands there as id, and would now be called Id", was.Difference(mapping(t, Rules{Rename: []string{"shop.Orders=shop.orders"}}), orders))
}
