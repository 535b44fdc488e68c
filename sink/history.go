package sink

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/schema"
)

// propHistory are the shapes that the table had, the newest last.
const propHistory = "beluga.history"

// mostVersions is how many shapes of a table are kept: they stand in its metadata,
// which each commit writes anew.
const mostVersions = 50

// version is a shape of a table, as its property holds it. What Iceberg's columns
// were called then stands in the schema.
type version struct {
	Number  int             `json:"number"`
	Cause   schema.Cause    `json:"cause"`
	Schema  int             `json:"schema"` // Iceberg's id of it
	Columns []versionColumn `json:"columns"`
}

// versionColumn is a column; the letters are short for they are kept so often.
type versionColumn struct {
	Name  string `json:"n"`
	Type  string `json:"t"`
	Null  bool   `json:"z,omitempty"`
	Key   int    `json:"k,omitempty"` // place in the key, from 1; 0: not of it
	Field int    `json:"f"`
}

// Version is one shape that a table had.
type Version struct {
	Number    int             `json:"number"`
	Position  string          `json:"position"` // of the transaction that changed it, or of the cut that showed it first
	Time      time.Time       `json:"time,omitzero"`
	Statement string          `json:"statement,omitempty"`
	Columns   []VersionColumn `json:"columns"`
}

// VersionColumn is one column of a version, by both names.
type VersionColumn struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable,omitempty"`
	Key      int    `json:"key,omitempty"` // place in the key, from 1
	FieldID  int    `json:"field_id"`
	Field    string `json:"field"`
	LakeType string `json:"field_type"`
}

// note adds the table's present shape to its history, unless it is there as the
// newest. Several steps of one statement are one version.
func (t *lakeTable) note(c schema.Cause) {
	v := version{Number: 1, Cause: c, Schema: t.currentSchema().ID, Columns: make([]versionColumn, len(t.shape.Columns))}
	for i, col := range t.shape.Columns {
		v.Columns[i] = versionColumn{col.Name, col.Type.String(), col.Nullable, 1 + slices.Index(t.shape.Key, i), t.columns[i].ID}
	}
	if n := len(t.versions); n > 0 {
		last := &t.versions[n-1]
		switch {
		case slices.Equal(last.Columns, v.Columns) && last.Schema == v.Schema:
			return
		case c.Statement != "" && last.Cause == c:
			v.Number = last.Number
			t.versions = t.versions[:n-1]
		default:
			v.Number = last.Number + 1
		}
	}
	t.versions = append(t.versions[max(0, len(t.versions)+1-mostVersions):], v)
}

// since returns where the last version comes from that has a column which the one
// before has not. A change of names is told without what is still to be added.
func since(list []version) string {
	for i, v := range slices.Backward(list) {
		had := func(c versionColumn) bool {
			return slices.ContainsFunc(list[i-1].Columns, func(b versionColumn) bool { return b.Field == c.Field })
		}
		switch {
		case i == 0 && v.Number > 1: // those before are not kept
			return ""
		case i == 0, slices.ContainsFunc(v.Columns, func(c versionColumn) bool { return !had(c) }):
			return v.Cause.At
		}
	}
	return ""
}

// putHistory adds the table's history to the properties of a commit at the position:
// that of versions of which the source told no place.
func (t *lakeTable) putHistory(to iceberg.Properties, at schema.Position, when time.Time) error {
	t.note(schema.Cause{}) // a load that went on from a crash knows no more of it
	for i := range t.versions {
		if c := &t.versions[i].Cause; c.At == "" {
			c.At, c.Time = at.String(), when
		}
	}
	text, err := json.Marshal(t.versions)
	to[propHistory] = string(text)
	return err
}

func decodeHistory(it *table.Table) (list []version, err error) {
	text := it.Properties()[propHistory]
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", propHistory, err)
	}
	return list, nil
}

// versionsOf reads a table's history, with the names that its columns had in the lake.
func versionsOf(it *table.Table) ([]Version, error) {
	list, err := decodeHistory(it)
	if err != nil {
		return nil, err
	}
	versions := make([]Version, len(list))
	for i, v := range list {
		versions[i] = Version{Number: v.Number, Position: v.Cause.At, Time: v.Cause.Time, Statement: v.Cause.Statement}
		var s *iceberg.Schema
		if at := slices.IndexFunc(it.Metadata().Schemas(), func(s *iceberg.Schema) bool { return s.ID == v.Schema }); at >= 0 {
			s = it.Metadata().Schemas()[at]
		}
		for _, c := range v.Columns {
			column := VersionColumn{Name: c.Name, Type: c.Type, Nullable: c.Null, Key: c.Key, FieldID: c.Field}
			if s != nil { // else another writer removed what nothing in the table uses
				if f, ok := s.FindFieldByID(c.Field); ok {
					column.Field, column.LakeType = f.Name, f.Type.String()
				}
			}
			versions[i].Columns = append(versions[i].Columns, column)
		}
	}
	return versions, nil
}
