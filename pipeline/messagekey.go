package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
)

// MessageKeys choose the columns that the keys of records in a log are made of. The
// zero value chooses those of each table's own key.
type MessageKeys struct{ rules []messageKey }

type messageKey struct {
	text    string // as it was given
	tables  *regexp.Regexp
	columns []string
}

// ParseMessageKeys reads rules of the form "PATTERN:column,column", the pattern being
// a regular expression over the whole of database.table.
func ParseMessageKeys(texts []string) (k MessageKeys, err error) {
	for _, text := range texts {
		i := strings.LastIndexByte(text, ':')
		if i <= 0 || i == len(text)-1 {
			return k, fmt.Errorf("%q is not PATTERN:COLUMN,COLUMN, such as \"shop\\.orders:customer,id\"", text)
		}
		r := messageKey{text: text}
		if r.tables, err = regexp.Compile(`^(?:` + text[:i] + `)$`); err != nil {
			return k, fmt.Errorf("%q is no regular expression: %w", text[:i], err)
		}
		for column := range strings.SplitSeq(text[i+1:], ",") {
			if column = strings.TrimSpace(column); column == "" {
				return k, fmt.Errorf("%q names a column without a name", text)
			}
			r.columns = append(r.columns, column)
		}
		k.rules = append(k.rules, r)
	}
	return k, nil
}

// MessageKeyError says that the records of a table cannot have the key that was
// chosen.
type MessageKeyError struct {
	Table           schema.TableID
	Problem, Remedy string
}

func (e *MessageKeyError) Error() string {
	return fmt.Sprintf("table %s: %s; remedy: %s", e.Table, e.Problem, e.Remedy)
}

// Columns returns the columns of a table's record keys, in the table's order. Where
// several rules name a table, it is the columns of all of them.
//
// The key of a record decides its partition, and the order of records is kept only
// within one. So all changes of one row of the lake have to have one key: its columns
// must be among those that identify the row, unless there is one partition only.
func (k MessageKeys) Columns(t *schema.Table, partitions int) ([]int, error) {
	var chosen []int
	ruled := false
	for _, r := range k.rules {
		if !r.tables.MatchString(t.ID.String()) {
			continue
		}
		ruled = true
		for _, name := range r.columns {
			i := t.Column(name)
			if i < 0 {
				return nil, &MessageKeyError{t.ID, fmt.Sprintf("message.key.columns %q names its column %s, which it does not have, or which is left out", r.text, name),
					"correct the rule, or let its pattern leave the table out"}
			}
			if partitions > 1 && !t.Identifies(i) {
				return nil, &MessageKeyError{t.ID, fmt.Sprintf("message.key.columns %q names its column %s, which is not of its primary key, and its topic has %d partitions: changes of one row would stand in several of them, in no order",
					r.text, t.Columns[i].Name, partitions), "choose columns of the primary key, or use topics of one partition (kafka.partitions: 1, before the topic is made)"}
			}
			chosen = append(chosen, i)
		}
	}
	if !ruled {
		return t.Key, nil
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), nil
}

// Unused returns the rules that name none of the tables.
func (k MessageKeys) Unused(tables []schema.TableID) (texts []string) {
	for _, r := range k.rules {
		if !slices.ContainsFunc(tables, func(id schema.TableID) bool { return r.tables.MatchString(id.String()) }) {
			texts = append(texts, r.text)
		}
	}
	return texts
}
