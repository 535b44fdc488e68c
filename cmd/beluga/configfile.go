package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readConfigFile sets in opts what the file says, and returns all that is wrong
// with it; the error is for a file that is no YAML at all. The file goes through
// the same option.set as the flags, so that a value means the same in both.
func readConfigFile(path string, opts []option) ([]fault, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, configError{{text: "reading the file: " + err.Error()}}
	}
	r := fileReader{name: path, opts: opts, given: map[string]int{}}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil // an empty file leaves every default
	case err != nil:
		return nil, configError{yamlFault(path, err)}
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		r.bad(&more, "", "a second document; put all options into one")
	case !errors.Is(err, io.EOF):
		return nil, configError{yamlFault(path, err)}
	}
	r.section(doc.Content[0], "")
	return r.faults, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// fromZero are the errors whose line the library counts from zero: those of its
// parser, unlike those of its scanner.
var fromZero = regexp.MustCompile(`^did not find expected (key|',' or|'-' indicator|node content|<)`)

// yamlFault words a syntax error like the other faults.
func yamlFault(path string, err error) fault {
	text := err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if line, err := strconv.Atoi(m[1]); err == nil {
			if fromZero.MatchString(text) {
				line++
			}
			path += ":" + strconv.Itoa(line)
		}
	}
	return fault{where: path, text: text}
}

type fileReader struct {
	name   string
	opts   []option
	given  map[string]int // line in which an option was set, by its path
	faults []fault
}

func (r *fileReader) bad(n *yaml.Node, path, format string, args ...any) {
	r.faults = append(r.faults, fault{fmt.Sprintf("%s:%d", r.name, n.Line), path, fmt.Sprintf(format, args...)})
}

func (r *fileReader) section(n *yaml.Node, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		what := "a section"
		if path == "" {
			what = "a list of options, one \"name: value\" a line"
		}
		r.bad(n, path, "must be %s", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		p := key.Value
		if path != "" {
			p = path + "." + p
		}
		if line, ok := seen[p]; ok {
			r.bad(key, p, "given twice, first in line %d", line)
			continue
		}
		seen[p] = key.Line
		r.entry(key, value, p)
	}
}

func (r *fileReader) entry(key, value *yaml.Node, path string) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	isSection := false
	for i := range r.opts {
		o := &r.opts[i]
		if o.path == path || o.alias == path && value.Kind != yaml.MappingNode || slices.Contains(o.also, path) {
			if line, ok := r.given[o.path]; ok {
				r.bad(key, path, "given twice, first in line %d", line)
				return
			}
			r.given[o.path] = key.Line
			r.value(value, o)
			return
		}
		within := func(p string) bool { return strings.HasPrefix(p, path+".") }
		isSection = isSection || within(o.path) || slices.ContainsFunc(o.also, within)
	}
	if isSection {
		r.section(value, path)
		return
	}
	r.bad(key, path, "unknown option%s", r.suggest(path))
}

func (r *fileReader) value(n *yaml.Node, o *option) {
	var texts []string
	switch {
	case n.Kind == yaml.ScalarNode && (n.Tag != "!!null" || slices.Contains(o.enum, n.Value)): // types.zero-date has the word
		texts = []string{n.Value}
	case n.Kind == yaml.SequenceNode && o.list != "":
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
				r.bad(item, o.path, "an item of the list must be a plain value")
				return
			}
			texts = append(texts, item.Value)
		}
		if len(texts) == 0 {
			r.bad(n, o.path, "an empty list; leave the option out for its default")
			return
		}
	case n.Kind == yaml.ScalarNode:
		r.bad(n, o.path, "no value; leave the option out for its default")
		return
	case o.list != "":
		r.bad(n, o.path, "must be a list")
		return
	default:
		r.bad(n, o.path, "must be a single value")
		return
	}
	if err := o.set(texts); err != nil {
		r.bad(n, o.path, "%v", err)
	}
}

func (r *fileReader) suggest(path string) string {
	var known []string
	for i := range r.opts {
		section, _, isSection := strings.Cut(r.opts[i].path, ".")
		if isSection && !slices.Contains(known, section) {
			known = append(known, section)
		}
		known = append(known, r.opts[i].path)
	}
	if near := nearest(path, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return "; the options are listed by beluga run --help"
}

// nearest returns the known word that word was probably meant to be, or "".
func nearest(word string, known []string) string {
	best, dist := "", max(2, len(word)/4)+1
	for _, k := range known {
		if d := editDistance(word, k); d < dist {
			best, dist = k, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete or replace to make b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			replace := prev[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, prev[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
