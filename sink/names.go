package sink

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/apache/iceberg-go/table"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/naming"
)

// CheckName tells whether a lake can have a table of the name.
func CheckName(name naming.Identifier) error {
	if name.Namespace == cutsNamespace {
		return fmt.Errorf("the namespace %s is Beluga's own; leave the database out of the captured ones, or give it another name in the lake with --names-tables", cutsNamespace)
	}
	for _, part := range []string{name.Namespace, name.Name} {
		if part == "" || part == "." || part == ".." || strings.ContainsFunc(part, func(r rune) bool { return r == '/' || unicode.IsControl(r) }) {
			return fmt.Errorf("no Iceberg catalog takes a table whose name, or whose namespace's name, is %q; give it another name with --names-rename, or leave it out of the captured ones", part)
		}
	}
	return nil
}

// CheckOwner tells whether the lake has a table, under the name that it would give
// to this one, which this pipeline must not write. The lake must have been resumed.
func (l *Lake) CheckOwner(id schema.TableID) error {
	if l.tables[id] != nil {
		return nil
	}
	owner, foreign := l.foreign[l.cfg.Names.Table(id)]
	switch {
	case !foreign:
		return nil
	case owner == "":
		return errors.New("the lake has a table of that name that was not made by Beluga; rename or drop it, or choose another warehouse")
	}
	return fmt.Errorf("the table belongs to the pipeline %q; run Beluga under that name, or choose another warehouse", owner)
}

// checkFree tells whether a table of MySQL may be made under the name.
func (l *Lake) checkFree(id schema.TableID, name naming.Identifier) error {
	for other, t := range l.tables {
		if other != id && t.identifier() == name {
			of := []string{id.String(), other.String()}
			slices.Sort(of)
			return errors.New(naming.Collision{Lake: name.String(), Of: of}.String())
		}
	}
	return l.CheckOwner(id)
}

// namesOf returns the rules that a table's names are made by: those that are
// configured, or for a mere reader those that the table was written with.
func (l *Lake) namesOf(it *table.Table) (*naming.Mapping, error) {
	if l.cfg.Names != nil || !l.cfg.ReadOnly {
		return l.cfg.Names, nil
	}
	return writtenNames(it)
}

func writtenNames(it *table.Table) (*naming.Mapping, error) {
	m, err := naming.Decode(it.Properties()[propNames])
	if err != nil {
		return nil, fmt.Errorf("decoding %s: %w", propNames, err)
	}
	return m, nil
}

// sameNames refuses a table whose names the configured rules would not make. They
// may differ from the rules that it was written with, as long as these names do not.
func (l *Lake) sameNames(it *table.Table, shape *schema.Table) error {
	was, err := writtenNames(it)
	if err != nil {
		return err
	}
	if name := was.Table(shape.ID); !slices.Equal(it.Identifier(), []string{name.Namespace, name.Name}) {
		return fmt.Errorf("the lake's table was renamed from %s; name it so again, or drop it", name)
	}
	now, err := l.namesOf(it)
	if err != nil {
		return err
	}
	if d := was.Difference(now, shape); d != "" {
		return NamesError{fmt.Sprintf("table %s: %s", shape.ID, d)}
	}
	return nil
}

// NamesError are tables that were written under other rules for names.
type NamesError []string

func (e NamesError) Error() string {
	return "the lake has tables under other names than the --names options make:\n    " + strings.Join(e, "\n    ") +
		"; remedy: set them as they were, or load all tables into an empty lake (--to another folder)"
}
