package routing

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/dlclark/regexp2"
)

// Options are ByLogicalTableRouter's, by its names.
type Options struct {
	Regex       string // topic.regex: over the whole topic; "": nothing is routed
	Replacement string // topic.replacement
	// Plain leaves keys as they are: key.enforce.uniqueness is false.
	Plain          bool
	KeyField       string // key.field.name
	KeyRegex       string // key.field.regex: over the whole of the topic before
	KeyReplacement string // key.field.replacement
}

// DefaultKeyField is the name of the field in keys that tells tables apart.
const DefaultKeyField = "__dbz__physicalTableIdentifier"

// Router gives tables other topics. The zero value gives none.
type Router struct {
	topic, key *rule
	keyField   string
}

// Route is where the events of a table go.
type Route struct {
	Topic string
	// KeyField and KeyValue are a field that each key of the topic gets; "": none.
	KeyField, KeyValue string
}

// rule replaces what matches a pattern as a whole.
type rule struct {
	pattern     string
	whole, find *regexp2.Regexp
	replacement replacement
}

// patience is how long a pattern may take for one topic. Those of users take
// microseconds.
const patience = time.Second

// New reads patterns and replacements. Errors begin with the option's name.
func New(o Options) (r Router, err error) {
	if o.Regex == "" {
		if o.Replacement != "" || o.KeyRegex != "" || o.KeyReplacement != "" {
			return r, errors.New("topic.regex: missing, so that topic.replacement and key.field.* would be ignored")
		}
		return r, nil
	}
	if o.Replacement == "" {
		return r, errors.New("topic.replacement: missing; say what the topics that topic.regex matches are called")
	}
	if r.topic, err = newRule("topic", o.Regex, o.Replacement); err != nil || o.Plain {
		return r, err
	}
	if r.keyField = o.KeyField; r.keyField == "" {
		r.keyField = DefaultKeyField
	}
	switch {
	case o.KeyRegex == "" && o.KeyReplacement != "":
		return r, errors.New("key.field.regex: missing, so that key.field.replacement would be ignored")
	case o.KeyRegex != "" && o.KeyReplacement == "":
		return r, errors.New("key.field.replacement: missing; say what stands in the key's field where key.field.regex matches")
	case o.KeyRegex != "":
		r.key, err = newRule("key.field", o.KeyRegex, o.KeyReplacement)
	}
	return r, err
}

func newRule(name, pattern, replacement string) (*rule, error) {
	p, err := translate(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s.regex: %q: %w", name, pattern, err)
	}
	r := &rule{pattern: pattern}
	if r.replacement, err = parseReplacement(replacement, p); err != nil {
		return nil, fmt.Errorf("%s.replacement: %q: %w", name, replacement, err)
	}
	if r.whole, err = regexp2.Compile(`\A(?:`+p.text+`)\z`, regexp2.None); err == nil {
		r.find, err = regexp2.Compile(p.text, regexp2.None)
	}
	if err != nil {
		return nil, fmt.Errorf("%s.regex: %q: %w", name, pattern, err)
	}
	r.whole.MatchTimeout, r.find.MatchTimeout = patience, patience
	return r, nil
}

// apply replaces the first that is found, which need not be the whole text although all
// of it has to match: that is how Java's replaceFirst goes.
func (r *rule) apply(text string) (_ string, matched bool, err error) {
	if matched, err = r.whole.MatchString(text); err != nil || !matched {
		return text, false, r.explain(text, err)
	}
	m, err := r.find.FindStringMatch(text)
	if err != nil || m == nil {
		return text, false, r.explain(text, err)
	}
	// Runes and bytes are one: topics are ASCII.
	return text[:m.Index] + r.replacement.expand(m) + text[m.Index+m.Length:], true, nil
}

func (r *rule) explain(text string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("matching %s with %q takes more than %s: the pattern tries too many ways; remedy: write it without quantifiers within quantifiers", text, r.pattern, patience)
}

var fit = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

// Route returns where the events of a table go whose topic that would be.
func (r *Router) Route(topic string) (Route, error) {
	if r.topic == nil {
		return Route{Topic: topic}, nil
	}
	to, matched, err := r.topic.apply(topic)
	if err != nil || !matched || to == "" { // as the router passes an empty name by
		return Route{Topic: topic}, err
	}
	if !fit.MatchString(to) || to == "." || to == ".." {
		return Route{}, fmt.Errorf("topic.replacement makes %q of topic %s, and Kafka takes 1 to 249 letters, digits, '.', '_' and '-'", to, topic)
	}
	route := Route{Topic: to}
	if r.keyField == "" {
		return route, nil
	}
	route.KeyField, route.KeyValue = r.keyField, topic
	if r.key != nil {
		route.KeyValue, _, err = r.key.apply(topic)
	}
	return route, err
}
