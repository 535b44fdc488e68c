package debezium

import (
	"strconv"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// connectType is a type of Kafka Connect, as its JSON converter describes it.
type connectType struct {
	text       string // the JSON of what stands before "optional"
	name       string // of a semantic type; "": none
	parameters string // JSON object
}

func plain(name string) connectType { return connectType{text: `"type":"` + name + `"`} }

func named(base, name string) connectType {
	t := plain(base)
	t.name = name
	return t
}

const (
	connectData = "org.apache.kafka.connect.data."
	debeziumOwn = "io.debezium."
)

// connectTypeOf returns the type that a column has in the schema of its events. It
// belongs to the form of its values.
func connectTypeOf(t schema.Type, f *field) connectType {
	switch f.form {
	case formBool:
		return plain("boolean")
	case formFloat32:
		return plain("float")
	case formFloat64, formDecimalDouble:
		return plain("double")
	case formDecimal64, formDecimal128, formDecimalText:
		d := named("bytes", connectData+"Decimal")
		d.parameters = `{"scale":"` + strconv.Itoa(t.Scale) + `","connect.decimal.precision":"` + strconv.Itoa(t.Precision) + `"}`
		return d
	case formUnsigned:
		return connectType{`"type":"bytes"`, connectData + "Decimal", `{"scale":"0"}`}
	case formBits:
		return connectType{`"type":"bytes"`, debeziumOwn + "data.Bits", `{"length":"` + strconv.Itoa(t.Length) + `"}`}
	case formBytes:
		if f.text {
			return plain("string")
		}
		return plain("bytes")
	case formURLBase64, formHex, formDecimalPlain:
		return plain("string")
	case formGeometry:
		return connectType{text: `"type":"struct","fields":[{"type":"bytes","optional":false,"field":"wkb"},{"type":"int32","optional":true,"field":"srid"}]`, name: debeziumOwn + "data.geometry.Geometry"}
	case formVector:
		return connectType{text: `"type":"array","items":{"type":"float","optional":false}`, name: debeziumOwn + "data.FloatVector"}
	}
	switch t.Kind {
	case schema.Date, schema.Time, schema.DateTime, schema.Timestamp:
		return temporalType(t.Kind, f)
	case schema.Enum, schema.Set, schema.JSON, schema.Year:
		return labelledType(t)
	}
	return numberType(t, f.form)
}

// temporalType is connectTypeOf for dates and times.
func temporalType(k schema.Kind, f *field) connectType {
	switch f.form {
	case formDateISO:
		return named("string", debeziumOwn+"time.IsoDate")
	case formTimeISO:
		return named("string", debeziumOwn+"time.IsoTime")
	case formInstantISO:
		return named("string", debeziumOwn+"time.IsoTimestamp")
	case formTimestamp:
		return named("string", debeziumOwn+"time.ZonedTimestamp")
	case formTimeMillis:
		return named("int32", connectData+"Time")
	case formTimeNanos:
		return named("int64", debeziumOwn+"time.NanoTime")
	case formText:
		return plain("string")
	}
	switch {
	case k == schema.Date && f.connect:
		return named("int32", connectData+"Date")
	case k == schema.Date:
		return named("int32", debeziumOwn+"time.Date")
	case k == schema.Time:
		return named("int64", debeziumOwn+"time.MicroTime")
	case f.form == formMillis && f.connect:
		return named("int64", connectData+"Timestamp")
	case f.form == formMillis:
		return named("int64", debeziumOwn+"time.Timestamp")
	}
	return named("int64", debeziumOwn+"time.MicroTimestamp")
}

// labelledType is connectTypeOf for strings and numbers that Debezium gives a name.
func labelledType(t schema.Type) connectType {
	allowed := make([]string, len(t.Labels))
	for i, l := range t.Labels {
		allowed[i] = strings.ReplaceAll(l, ",", `\,`)
	}
	parameters := `{"allowed":` + quote(strings.Join(allowed, ",")) + `}`
	switch t.Kind {
	case schema.Enum:
		return connectType{`"type":"string"`, debeziumOwn + "data.Enum", parameters}
	case schema.Set:
		return connectType{`"type":"string"`, debeziumOwn + "data.EnumSet", parameters}
	case schema.JSON:
		return named("string", debeziumOwn+"data.Json")
	}
	return named("int32", debeziumOwn+"time.Year")
}

// numberType is connectTypeOf for integers and plain strings.
func numberType(t schema.Type, f form) connectType {
	switch {
	case t.Kind == schema.TinyInt, t.Kind == schema.SmallInt && !t.Unsigned:
		return plain("int16")
	case f == formInt32:
		return plain("int32")
	case f == formInt64, f == formUint64:
		return plain("int64")
	}
	return plain("string")
}

// appendSchema appends the schema of a column.
func appendSchema(dst []byte, c *schema.Column, f *field) []byte {
	t := connectTypeOf(c.Type, f)
	dst = append(append(dst, '{'), t.text...)
	dst = strconv.AppendBool(append(dst, `,"optional":`...), c.Nullable)
	if t.name != "" {
		dst = append(dst, `,"name":"`+t.name+`","version":1`...)
	}
	if f.form == formGeometry {
		dst = append(dst, `,"doc":"Geometry"`...)
	}
	if t.parameters != "" {
		dst = append(append(dst, `,"parameters":`...), t.parameters...)
	}
	if d, ok := f.defaultOf(c); ok {
		dst = append(append(dst, `,"default":`...), d...)
	}
	return append(dst, `,"field":`+quote(c.Name)+`}`...)
}

// defaultOf returns a column's default as the schema has it. Those of dates, bits and
// binary columns are left out, and those of columns that are changed on the way.
func (f *field) defaultOf(c *schema.Column) ([]byte, bool) {
	if c.Default == nil || c.Treatment != nil || c.Generated {
		return nil, false
	}
	text, v := *c.Default, schema.Vec{}
	switch f.form {
	case formInt32, formInt64:
		if _, err := strconv.ParseInt(text, 10, 64); err != nil || !isInteger(c.Type.Kind) {
			return nil, false
		}
		return []byte(text), true
	case formUint64:
		x, err := strconv.ParseUint(text, 10, 64)
		return strconv.AppendInt(nil, int64(x), 10), err == nil
	case formText, formDecimalPlain:
		return []byte(quote(text)), c.Type.Kind != schema.Time && c.Type.Kind != schema.JSON
	case formDecimal64, formDecimal128, formDecimalText:
		b, err := appendDecimalText(nil, []byte(text), f.scale)
		return b, err == nil
	case formFloat32, formFloat64, formDecimalDouble:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, false
		}
		if f.form == formFloat32 {
			v.AppendFloat32(float32(x))
			b, err := appendDouble(nil, float64(v.Float32(0)), 32)
			return b, err == nil
		}
		b, err := appendDouble(nil, x, 64)
		return b, err == nil
	}
	return nil, false
}

func isInteger(k schema.Kind) bool {
	return k >= schema.TinyInt && k <= schema.BigInt || k == schema.Year
}

// What follows the images in the schema of every event.
const envelopeRest = `{"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},{"type":"string","optional":false,"field":"connector"},` +
	`{"type":"string","optional":false,"field":"name"},{"type":"int64","optional":false,"field":"ts_ms"},` +
	`{"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},"default":"false","field":"snapshot"},` +
	`{"type":"string","optional":false,"field":"db"},{"type":"string","optional":true,"field":"sequence"},{"type":"int64","optional":true,"field":"ts_us"},` +
	`{"type":"int64","optional":true,"field":"ts_ns"},{"type":"string","optional":true,"field":"table"},{"type":"int64","optional":false,"field":"server_id"},` +
	`{"type":"string","optional":true,"field":"gtid"},{"type":"string","optional":false,"field":"file"},{"type":"int64","optional":false,"field":"pos"},` +
	`{"type":"int32","optional":false,"field":"row"},{"type":"int64","optional":true,"field":"thread"},{"type":"string","optional":true,"field":"query"}],` +
	`"optional":false,"name":"io.debezium.connector.mysql.Source","version":1,"field":"source"},` +
	`{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},{"type":"int64","optional":false,"field":"total_order"},` +
	`{"type":"int64","optional":false,"field":"data_collection_order"}],"optional":true,"name":"event.block","version":1,"field":"transaction"},` +
	`{"type":"string","optional":false,"field":"op"},{"type":"int64","optional":true,"field":"ts_ms"},{"type":"int64","optional":true,"field":"ts_us"},` +
	`{"type":"int64","optional":true,"field":"ts_ns"}],"optional":false,"name":`

// keyHead returns what stands before a key whose schema goes with it.
func keyHead(t *schema.Table, key []field, cfg Config) []byte {
	more := ""
	if cfg.KeyField != "" {
		more = `{"type":"string","optional":false,"field":` + quote(cfg.KeyField) + `}`
	}
	return append(appendStruct([]byte(`{"schema":`), t, key, more, false, cfg.Topic+".Key", ""), `,"payload":`...)
}

// valueHead returns what stands before an event whose schema goes with it.
func valueHead(t *schema.Table, row []field, topic string) []byte {
	b := append([]byte(`{"schema":`), `{"type":"struct","fields":[`...)
	b = append(appendStruct(b, t, row, "", true, topic+".Value", "before"), ',')
	b = append(appendStruct(b, t, row, "", true, topic+".Value", "after"), ',')
	return append(b, envelopeRest+quote(topic+".Envelope")+`,"version":2},"payload":`...)
}

// appendStruct appends the schema of an object with those columns, and perhaps one more
// field.
func appendStruct(dst []byte, t *schema.Table, fs []field, more string, optional bool, name, as string) []byte {
	dst = append(dst, `{"type":"struct","fields":[`...)
	for i := range fs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendSchema(dst, &t.Columns[fs[i].col], &fs[i])
	}
	if more != "" {
		dst = append(append(dst, ','), more...)
	}
	dst = strconv.AppendBool(append(dst, `],"optional":`...), optional)
	dst = append(dst, `,"name":`+quote(name)...)
	if as != "" {
		dst = append(dst, `,"field":"`+as+`"`...)
	}
	return append(dst, '}')
}
