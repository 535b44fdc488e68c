package routing

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dlclark/regexp2"
)

// replacement is a text with references to groups, as Matcher.appendReplacement reads
// it.
type replacement []piece

type piece struct {
	text  string
	group int // where text is empty
}

func parseReplacement(s string, p *pattern) (r replacement, err error) {
	var text strings.Builder
	end := func() {
		if text.Len() > 0 {
			r = append(r, piece{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\':
			if i++; i == len(s) {
				return nil, errors.New("a backslash at the end escapes nothing")
			}
			text.WriteByte(s[i])
		case '$':
			group, n, err := p.reference(s[i+1:])
			if err != nil {
				return nil, err
			}
			end()
			r = append(r, piece{group: group})
			i += n
		default:
			text.WriteByte(c)
		}
	}
	end()
	return r, nil
}

// reference reads what stands behind a dollar sign: as many digits as make the number of
// a group, or a name in braces.
func (p *pattern) reference(s string) (group, n int, err error) {
	switch {
	case s == "":
		return 0, 0, errors.New("a dollar sign at the end names no group; \\$ is a dollar sign")
	case s[0] == '{':
		name, _, ok := strings.Cut(s[1:], "}")
		if !ok {
			return 0, 0, errors.New("${ without a closing brace")
		}
		group, ok = p.names[name]
		if !ok {
			return 0, 0, fmt.Errorf("there is no group called %q", name)
		}
		return group, len(name) + 2, nil
	case !isDigit(rune(s[0])):
		return 0, 0, fmt.Errorf("$%c names no group; \\$ is a dollar sign", s[0])
	}
	group = int(s[0] - '0')
	if group > p.groups {
		return 0, 0, fmt.Errorf("there is no group %d", group)
	}
	for n = 1; n < len(s) && isDigit(rune(s[n])); n++ {
		longer := group*10 + int(s[n]-'0')
		if longer > p.groups {
			break
		}
		group = longer
	}
	return group, n, nil
}

// expand writes the replacement for a match. A group that took no part is empty.
func (r replacement) expand(m *regexp2.Match) string {
	var b strings.Builder
	for _, p := range r {
		if p.text != "" {
			b.WriteString(p.text)
		} else if g := m.GroupByNumber(p.group); g != nil {
			b.WriteString(g.String())
		}
	}
	return b.String()
}
