package source

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// Columns say which columns leave the source, and in which form. All patterns are
// regular expressions over the whole of "database.table.column", without regard
// to case, as MySQL takes the names of columns.
type Columns struct {
	Include, Exclude []string
	// Mask and Truncate are "LENGTH:PATTERN".
	Mask, Truncate []string
	// Hash are patterns of columns whose texts are replaced by a hash.
	Hash          []string
	HashAlgorithm string // a name in value.Hashes
	HashSalt      string
}

// Check finds rules that make no sense whatever the tables are.
func (c Columns) Check() error {
	_, err := newColumnRules(c)
	return err
}

// columnRules are Columns, read.
type columnRules struct {
	include, exclude []*regexp.Regexp
	treatments       []treatmentRule
}

type treatmentRule struct {
	pattern   *regexp.Regexp
	treatment *schema.Treatment
}

func compile(option, flags string, patterns []string) (list []*regexp.Regexp, err error) {
	for _, p := range patterns {
		re, err := regexp.Compile(flags + `^(?:` + p + `)$`)
		if err != nil {
			return nil, fmt.Errorf("%s %q is no regular expression: %w", option, p, err)
		}
		list = append(list, re)
	}
	return list, nil
}

const anyCase = "(?i)"

func newColumnRules(c Columns) (r columnRules, err error) {
	if r.include, err = compile("--columns-include", anyCase, c.Include); err != nil {
		return r, err
	}
	if r.exclude, err = compile("--columns-exclude", anyCase, c.Exclude); err != nil {
		return r, err
	}
	if err = r.lengths("--columns-mask", schema.Mask, c.Mask); err != nil {
		return r, err
	}
	if err = r.lengths("--columns-truncate", schema.Truncate, c.Truncate); err != nil {
		return r, err
	}
	if len(c.Hash) == 0 {
		return r, nil
	}
	switch {
	case c.HashSalt == "":
		return r, fmt.Errorf("--columns-hash needs --columns-hash-salt: whoever knows the algorithm alone can try out likely values")
	case value.Hashes[c.HashAlgorithm] == nil:
		return r, fmt.Errorf("--columns-hash-algorithm %q is none of %s", c.HashAlgorithm, strings.Join(slices.Sorted(maps.Keys(value.Hashes)), ", "))
	}
	id := sha256.Sum256([]byte("beluga salt " + c.HashSalt))
	t := &schema.Treatment{Kind: schema.Hash, Hash: c.HashAlgorithm, Salt: []byte(c.HashSalt), SaltID: hex.EncodeToString(id[:4])}
	return r, r.add("--columns-hash", t, c.Hash...)
}

// lengths reads rules of the form "LENGTH:PATTERN".
func (r *columnRules) lengths(option string, kind schema.TreatmentKind, rules []string) error {
	for _, text := range rules {
		number, pattern, ok := strings.Cut(text, ":")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 0 {
			return fmt.Errorf(`%s %q is not LENGTH:PATTERN, such as '8:shop\.users\.phone'`, option, text)
		}
		if err := r.add(option, &schema.Treatment{Kind: kind, Length: n}, pattern); err != nil {
			return err
		}
	}
	return nil
}

func (r *columnRules) add(option string, t *schema.Treatment, patterns ...string) error {
	list, err := compile(option, anyCase, patterns)
	for _, re := range list {
		r.treatments = append(r.treatments, treatmentRule{re, t})
	}
	return err
}

// choose tells whether a column is wanted, and what is done to its values: the
// first rule that names it counts.
func (r *columnRules) choose(id schema.TableID, column string) (t *schema.Treatment, wanted bool) {
	name := id.String() + "." + column
	matches := func(re *regexp.Regexp) bool { return re.MatchString(name) }
	if len(r.include) > 0 && !slices.ContainsFunc(r.include, matches) || slices.ContainsFunc(r.exclude, matches) {
		return nil, false
	}
	for _, rule := range r.treatments {
		if rule.pattern.MatchString(name) {
			return rule.treatment, true
		}
	}
	return nil, true
}

// fits says why a column cannot be left out or treated as the rules say; nil: it
// can.
func fits(c schema.Column, wanted, key bool) error {
	switch {
	case key && !wanted:
		return fmt.Errorf("it is part of the key, and the choice of columns leaves it out; remedy: take it out of --columns-exclude, or name it in --columns-include")
	case !wanted || c.Treatment == nil:
		return nil
	case key:
		return fmt.Errorf("it is part of the key, and --columns-%s would make different rows alike; remedy: take it out of --columns-%[1]s", c.Treatment.Kind)
	case !c.Treatment.Fits(c.Type.Kind):
		return fmt.Errorf("it is of type %s, and --columns-%s takes only text%s; remedy: leave the column out with --columns-exclude, or take it out of --columns-%[2]s", c.Type.Kind, c.Treatment.Kind,
			map[bool]string{true: " and bytes"}[c.Treatment.Kind == schema.Truncate])
	}
	return nil
}

// changedColumns refuses another choice of columns than the lake's rows were
// made with: what a column held in old rows would be missing, or would be what it
// was meant to hide.
func (s selection) changedColumns(lake map[schema.TableID]pipeline.TableState) (list Faults) {
	const remedy = "choose the columns as before; or load the tables again: run with an empty lake (--to another folder)"
	add := func(id schema.TableID, column, problem string) {
		list = append(list, Fault{Fatal, "table " + id.String() + ", column " + column, problem, remedy})
	}
	for id, state := range lake {
		for _, c := range state.Table.Columns {
			t, wanted := s.columns.choose(id, c.Name)
			if !wanted {
				add(id, c.Name, "the lake has it, and the choice of columns leaves it out now")
			} else if !t.Same(c.Treatment) {
				add(id, c.Name, "it was loaded under another rule of --columns-mask, --columns-truncate or --columns-hash, or another salt")
			}
		}
		for _, name := range state.Table.LeftOut {
			if _, wanted := s.columns.choose(id, name); wanted {
				add(id, name, "it was left out when the table was loaded, and is chosen now")
			}
		}
	}
	slices.SortFunc(list, func(a, b Fault) int { return strings.Compare(a.Subject, b.Subject) })
	return list
}

// checkColumns refuses to go on behind rows of another choice of columns.
func (m *MySQL) checkColumns(from pipeline.Resume) error {
	sel, err := newSelection(m.cfg)
	if err != nil {
		return err
	}
	return sel.changedColumns(from.Tables).Err()
}
