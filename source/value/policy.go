package value

import "github.com/beluga-cdc/beluga/schema"

// Policy chooses the forms of columns that come new into the lake. The zero
// Policy chooses the usual ones.
type Policy struct {
	Time     schema.Form // of TIME
	TinyInt1 schema.Form // of TINYINT(1)
	ZeroDate schema.Form // of DATE, DATETIME and TIMESTAMP
}

// Form returns the form of a column. shown is its type as information_schema has
// it; where only the binlog tells of the column, which knows no TINYINT(1), it is
// empty.
func (p Policy) Form(t schema.Type, shown string) schema.Form {
	switch t.Kind {
	case schema.Time:
		return p.Time
	case schema.Date, schema.DateTime, schema.Timestamp:
		return p.ZeroDate
	case schema.TinyInt:
		if shown == "tinyint(1)" {
			return p.TinyInt1
		}
	}
	return ""
}
