package naming

import (
	"fmt"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// Remedy is what repairs names that collide.
const Remedy = "give one of them another name with --names-rename, or leave it out"

// Collision are several names of MySQL that would be one in the lake.
type Collision struct {
	Lake string
	Of   []string
}

func (c Collision) String() string {
	return fmt.Sprintf("%s would all be called %s in the lake; %s", strings.Join(c.Of, " and "), c.Lake, Remedy)
}

// Tables finds the tables that the lake would call alike, in the order of their
// names there.
func (m *Mapping) Tables(ids []schema.TableID) []Collision {
	by := map[string][]string{}
	for _, id := range ids {
		name := m.Table(id).String()
		by[name] = append(by[name], id.String())
	}
	return collisions(by, nil)
}

// ColumnsAlike finds the columns of one table that the lake would call alike. Case
// does not tell them apart: to most engines it does not either.
func (m *Mapping) ColumnsAlike(id schema.TableID, columns []string) []Collision {
	by, shown := map[string][]string{}, map[string]string{}
	for _, column := range columns {
		name := m.Column(id, column)
		key := strings.ToLower(name)
		if by[key] == nil {
			shown[key] = name
		}
		by[key] = append(by[key], "column "+column)
	}
	return collisions(by, shown)
}

func collisions(by map[string][]string, shown map[string]string) (list []Collision) {
	for name, of := range by {
		if len(of) < 2 {
			continue
		}
		slices.Sort(of)
		if text := shown[name]; text != "" {
			name = text
		}
		list = append(list, Collision{name, of})
	}
	slices.SortFunc(list, func(a, b Collision) int { return strings.Compare(a.Lake, b.Lake) })
	return list
}

// Difference says what another mapping calls otherwise of a table that was made
// under this one; "": nothing.
func (m *Mapping) Difference(other *Mapping, t *schema.Table) string {
	if was, now := m.Table(t.ID), other.Table(t.ID); was != now {
		return fmt.Sprintf("it stands there as %s, and would now be called %s", was, now)
	}
	for _, c := range t.Columns {
		if was, now := m.Column(t.ID, c.Name), other.Column(t.ID, c.Name); was != now {
			return fmt.Sprintf("its column %s stands there as %s, and would now be called %s", c.Name, was, now)
		}
	}
	return ""
}
