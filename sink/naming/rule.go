package naming

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// rule gives what its pattern matches as a whole another name, of one part or of
// two.
type rule struct {
	pattern *regexp.Regexp
	parts   []string // templates for regexp.Expand
}

// apply returns the new name's parts; nil: the rule is not about the text.
func (r *rule) apply(text string) []string {
	at := r.pattern.FindStringSubmatchIndex(text)
	if at == nil {
		return nil
	}
	names := make([]string, len(r.parts))
	for i, p := range r.parts {
		names[i] = string(r.pattern.ExpandString(nil, p, text, at))
	}
	return names
}

// parseRule reads PATTERN=REPLACEMENT. The replacement of a table is parted at its
// first dot before it is filled in: a dot in MySQL's name is then no border.
func parseRule(text, flags string, parts int) (r rule, err error) {
	i := strings.LastIndexByte(text, '=')
	if i <= 0 || i == len(text)-1 {
		return r, fmt.Errorf("%q is not PATTERN=REPLACEMENT", text)
	}
	if r.pattern, err = regexp.Compile(flags + `^(?:` + text[:i] + `)$`); err != nil {
		return r, fmt.Errorf("%q: %w", text, err)
	}
	for _, p := range strings.SplitN(text[i+1:], ".", parts) {
		if p == "" {
			return r, fmt.Errorf("%q: a part of the new name is empty", text)
		}
		if p, err = template(p, r.pattern.NumSubexp()); err != nil {
			return r, fmt.Errorf("%q: %w", text, err)
		}
		r.parts = append(r.parts, p)
	}
	if len(r.parts) != parts {
		return r, fmt.Errorf("%q: the new name of a table is NAMESPACE.TABLE", text)
	}
	return r, nil
}

var group = regexp.MustCompile(`\$(\d*)`)

// template turns $1 as Debezium's users write it into what Go's package takes: there,
// $1_x would be a group of the name 1_x, and come out empty.
func template(text string, groups int) (string, error) {
	var bad error
	out := group.ReplaceAllStringFunc(text, func(ref string) string {
		n, err := strconv.Atoi(ref[1:])
		switch {
		case err != nil:
			return "$$"
		case n > groups:
			bad = errors.Join(bad, fmt.Errorf("%s, but the pattern has only %d groups in brackets", ref, groups))
		}
		return "${" + ref[1:] + "}"
	})
	return out, bad
}
