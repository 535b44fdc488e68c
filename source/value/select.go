package value

import (
	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

// FromSelect appends a value of a prepared statement's result (binary protocol,
// connection character set utf8mb4, session time zone +00:00) to dst.
func (m *Mapper) FromSelect(dst *schema.Vec, v *mysql.FieldValue) error {
	if v.Type == mysql.FieldValueTypeNull {
		dst.AppendNull()
		return nil
	}
	return m.fault(errUnknownKind)
}
