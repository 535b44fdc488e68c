package naming

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// Rules are what the user chose. They are kept in the lake's tables as JSON.
type Rules struct {
	// Rename are "database.table=namespace.table" and "database.table.column=column":
	// exactly so, whatever the other rules say.
	Rename []string `json:"rename,omitempty"`
	// Tables are "PATTERN=NAMESPACE.TABLE", over the whole of database.table; Columns
	// are "PATTERN=COLUMN", over the whole of database.table.column, without regard to
	// case. The first that matches counts; $1 is what the first brackets matched.
	Tables  []string `json:"tables,omitempty"`
	Columns []string `json:"columns,omitempty"`
	// Sanitize makes an underscore of all but ASCII letters, digits and underscores.
	Sanitize        bool   `json:"sanitize,omitempty"`
	Case            string `json:"case,omitempty"` // Lower or Upper; anything else: as in MySQL
	NamespacePrefix string `json:"namespace_prefix,omitempty"`
	TablePrefix     string `json:"table_prefix,omitempty"`
	ColumnPrefix    string `json:"column_prefix,omitempty"`
}

// The words of Rules.Case.
const (
	Keep  = "keep"
	Lower = "lower"
	Upper = "upper"
)

// Identifier is a table's name in the lake. Namespace and name are kept apart
// because either may contain a dot.
type Identifier struct{ Namespace, Name string }

// String returns "namespace.name".
func (i Identifier) String() string { return i.Namespace + "." + i.Name }

// Mapping carries out rules. The zero value, and nil, leaves all names as they are.
type Mapping struct {
	rules   Rules
	tables  map[string]Identifier // by "database.table"
	columns map[string]string     // by "database.table.column", in lower case
	forms   []rule                // of tables
	fields  []rule                // of columns
}

// New reads rules, and refuses those that make no sense whatever the tables are. Its
// errors begin with the name of the field that they are about.
func New(rules Rules) (*Mapping, error) {
	if rules.Case == Keep {
		rules.Case = "" // two ways to say one thing would look like two mappings
	}
	m := &Mapping{rules: rules, tables: map[string]Identifier{}, columns: map[string]string{}}
	for _, text := range rules.Rename {
		if err := m.addRename(text); err != nil {
			return nil, fmt.Errorf("rename %w", err)
		}
	}
	for _, text := range rules.Tables {
		r, err := parseRule(text, "", 2)
		if err != nil {
			return nil, fmt.Errorf("tables %w", err)
		}
		m.forms = append(m.forms, r)
	}
	for _, text := range rules.Columns {
		r, err := parseRule(text, "(?i)", 1)
		if err != nil {
			return nil, fmt.Errorf("columns %w", err)
		}
		m.fields = append(m.fields, r)
	}
	return m, nil
}

func (m *Mapping) addRename(text string) error {
	from, to, ok := strings.Cut(text, "=")
	namespace, name, isTable := strings.Cut(to, ".")
	dots := strings.Count(from, ".")
	switch {
	case !ok || to == "" || isTable && (namespace == "" || name == "") || dots == 0 || !isTable && dots == 1 || strings.Contains(to, "="):
		return fmt.Errorf("%q is neither DATABASE.TABLE=NAMESPACE.TABLE nor DATABASE.TABLE.COLUMN=COLUMN", text)
	case isTable && m.tables[from] != Identifier{}, !isTable && m.columns[strings.ToLower(from)] != "":
		return fmt.Errorf("%q: %s has a new name already", text, from)
	case isTable:
		m.tables[from] = Identifier{namespace, name}
	default:
		m.columns[strings.ToLower(from)] = to
	}
	return nil
}

// Table returns what the lake calls a table.
func (m *Mapping) Table(id schema.TableID) Identifier {
	if m == nil {
		return Identifier{id.Database, id.Name}
	}
	if exact, ok := m.tables[id.String()]; ok {
		return exact
	}
	to := Identifier{id.Database, id.Name}
	if names := first(m.forms, id.String()); names != nil {
		to = Identifier{names[0], names[1]}
	}
	return Identifier{m.rules.NamespacePrefix + m.spell(to.Namespace), m.rules.TablePrefix + m.spell(to.Name)}
}

// Column returns what the lake calls a column of a table.
func (m *Mapping) Column(id schema.TableID, column string) string {
	if m == nil {
		return column
	}
	full := id.String() + "." + column
	if exact, ok := m.columns[strings.ToLower(full)]; ok {
		return exact
	}
	to := column
	if names := first(m.fields, full); names != nil {
		to = names[0]
	}
	return m.rules.ColumnPrefix + m.spell(to)
}

// Columns returns what the lake calls the columns of a table, by their ordinals.
func (m *Mapping) Columns(t *schema.Table) []string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = m.Column(t.ID, t.Columns[i].Name)
	}
	return names
}

func first(rules []rule, text string) []string {
	for i := range rules {
		if names := rules[i].apply(text); names != nil {
			return names
		}
	}
	return nil
}

// spell makes a name one of the letters that are wanted.
func (m *Mapping) spell(name string) string {
	if m.rules.Sanitize {
		name = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, name)
	}
	switch m.rules.Case {
	case Lower:
		return strings.ToLower(name)
	case Upper:
		return strings.ToUpper(name)
	}
	return name
}

// Encode returns the rules as text; "" stands for none.
func (m *Mapping) Encode() (string, error) {
	if m == nil {
		return "", nil
	}
	text, err := json.Marshal(m.rules)
	if string(text) == "{}" {
		return "", err
	}
	return string(text), err
}

// Decode reads what Encode wrote.
func Decode(text string) (*Mapping, error) {
	if text == "" {
		return nil, nil
	}
	var rules Rules
	if err := json.Unmarshal([]byte(text), &rules); err != nil {
		return nil, err
	}
	return New(rules)
}
