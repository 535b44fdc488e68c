package source

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/session"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// filterRule says which rows of a table a load takes.
type filterRule struct {
	text      string // as it was given
	tables    *regexp.Regexp
	condition string
}

// where parts the tables of a filter from its condition. No colon could: both sides
// may hold one.
var where = regexp.MustCompile(`(?is)^(.*?\S)\s+where\s+(\S.*)$`)

// CheckFilters finds filters that make no sense whatever the tables are.
func CheckFilters(texts []string) error {
	_, err := newFilterRules(texts)
	return err
}

func newFilterRules(texts []string) (rules []filterRule, err error) {
	for _, text := range texts {
		parts := where.FindStringSubmatch(text)
		if parts == nil {
			return nil, fmt.Errorf(`--snapshot-filter %q is not PATTERN where CONDITION, such as "shop\.orders where year >= 2024"`, text)
		}
		tables, err := compile("--snapshot-filter", "", parts[1:2])
		if err != nil {
			return nil, err
		}
		rules = append(rules, filterRule{text, tables[0], parts[2]})
	}
	return rules, nil
}

// filterOf returns the number of the first rule that names a table, the one that
// counts; -1: all its rows are loaded.
func (s selection) filterOf(id schema.TableID) int {
	return slices.IndexFunc(s.filters, func(r filterRule) bool { return r.tables.MatchString(id.String()) })
}

// filter returns the condition of a table's rows; "": all are loaded.
func (s selection) filter(id schema.TableID) string {
	if i := s.filterOf(id); i >= 0 {
		return s.filters[i].condition
	}
	return ""
}

// Filtered tells whether a load leaves rows of the table out.
func (m *MySQL) Filtered(id schema.TableID) (bool, error) {
	sel, err := newSelection(m.cfg)
	return sel.filter(id) != "", err
}

// rowFilterFaults asks the server whether it understands the conditions.
func rowFilterFaults(ctx context.Context, s *session.Session, sel selection, tables []*dictionaryTable) (list Faults, err error) {
	used := make([]bool, len(sel.filters))
	for _, t := range tables {
		i := sel.filterOf(t.id)
		if i < 0 {
			continue
		}
		used[i] = true
		condition := sel.filters[i].condition
		subject := "table " + t.id.String()
		if t.key() == nil {
			list = append(list, Fault{Fatal, subject, "--snapshot-filter leaves out rows of it, and it has no key: the first deletion of such a row could not be followed",
				"take the table out of --snapshot-filter, or give it a primary key"})
		}
		_, err := s.Query(ctx, snapshot.FilterProbe(t.id, condition))
		switch {
		case err == nil:
		case session.Number(err) != 0:
			list = append(list, Fault{Fatal, subject, fmt.Sprintf("the server does not take its condition in --snapshot-filter, %s: %v", condition, serverText(err)),
				"correct the condition: it is what stands behind WHERE in a SELECT of this table alone"})
		default:
			return nil, fmt.Errorf("trying the filter of table %s: %w", t.id, err)
		}
	}
	for i, r := range sel.filters {
		if !used[i] {
			list = append(list, Fault{Warning, "--snapshot-filter " + r.text, "it counts for no captured table", "check the pattern, which is over the whole of database.table"})
		}
	}
	return list, nil
}

// serverText is what the server itself says, without what was being done.
func serverText(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return strings.TrimSpace(err.Error())
}
