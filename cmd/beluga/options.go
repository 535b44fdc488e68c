package main

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// option is one leaf of a Config: what the file calls commit.interval and the
// command line --commit-interval.
type option struct {
	path   string
	alias  string   // the section's own name, where a plain value in its place means this option
	also   []string // other paths that mean it
	help   string
	list   string   // not "": a list, and how one text is split
	enum   []string // not empty: the words that are allowed
	secret bool
	field  reflect.Value
}

// options lists the options of c, in the order of the struct. Setting one sets
// the field of c.
func options(c *Config) []option { return sectionOptions(reflect.ValueOf(c).Elem(), "") }

func sectionOptions(v reflect.Value, prefix string) (list []option) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		path := prefix + tag.Get("yaml")
		if v.Field(i).Kind() == reflect.Struct {
			list = append(list, sectionOptions(v.Field(i), path+".")...)
			continue
		}
		o := option{path: path, help: tag.Get("help"), list: tag.Get("list"), secret: tag.Get("secret") != "", field: v.Field(i)}
		if e := tag.Get("enum"); e != "" {
			o.enum = strings.Split(e, ",")
		}
		if also := tag.Get("also"); also != "" {
			o.also = strings.Split(also, ",")
		}
		if tag.Get("short") != "" {
			o.alias = strings.TrimSuffix(prefix, ".")
		}
		list = append(list, o)
	}
	return list
}

// flag is the option's name on the command line.
func (o *option) flag() string { return flagName(o.path) }

func flagName(path string) string { return strings.ReplaceAll(path, ".", "-") }

// flagNames are all names of it, without repetition.
func (o *option) flagNames() []string {
	names := []string{o.flag()}
	for _, path := range append([]string{o.alias}, o.also...) {
		if name := flagName(path); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// isBool tells whether the option is a switch.
func (o *option) isBool() bool { return o.field.Kind() == reflect.Bool }

// defaultText is the field's value as help shows it; "" for the zero value.
func (o *option) defaultText() string {
	if o.field.IsZero() {
		return ""
	}
	return fmt.Sprint(o.field.Interface())
}

// set gives the field the value that the texts say: one text, or for a list one
// for each item or several items each.
func (o *option) set(texts []string) error {
	for i, t := range texts {
		t, err := expand(t)
		if err != nil {
			return err
		}
		texts[i] = t
	}
	if o.list != "" {
		var items []string
		for _, t := range texts {
			for _, item := range splitList(o.list, t) {
				if item == "" {
					return fmt.Errorf("an item of the list is empty")
				}
				items = append(items, item)
			}
		}
		o.field.Set(reflect.ValueOf(items))
		return nil
	}
	return o.setOne(texts[len(texts)-1])
}

func (o *option) setOne(text string) error {
	if u, ok := o.field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch o.field.Kind() {
	case reflect.String:
		for _, word := range o.enum {
			if strings.ToLower(text) == word {
				o.field.SetString(word)
				return nil
			}
		}
		if len(o.enum) > 0 {
			return fmt.Errorf("%q is none of %s", text, strings.Join(o.enum, ", "))
		}
		o.field.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		o.field.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(strings.ReplaceAll(text, "_", ""))
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		o.field.SetInt(int64(n))
	default:
		panic("option " + o.path + " has a type that options.go does not know: " + o.field.Type().String())
	}
	return nil
}

var reference = regexp.MustCompile(`\$\$\{|\$\{(env|file):([^}]*)\}|\$\{[^}]*\}?`)

// expand puts environment variables and the contents of files in the place of
// ${env:NAME} and ${file:PATH}; $${ stands for a plain ${.
//
// Between the "://" and the last "@" of a URL, what is put in is
// percent-encoded: a generated password has any character, and a "/" or "@"
// that is not encoded would end the part of the URL it stands in.
func expand(text string) (string, error) {
	userinfo := strings.LastIndexByte(text, '@')
	if !strings.Contains(text, "://") {
		userinfo = -1
	}
	var failed error
	var b strings.Builder
	last := 0
	for _, m := range reference.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[last:m[0]])
		last = m[1]
		if m[2] < 0 {
			if text[m[0]:m[1]] == "$${" {
				b.WriteString("${")
				continue
			}
			return "", fmt.Errorf("%s is neither ${env:NAME} nor ${file:PATH}; write $${ for a plain ${", text[m[0]:m[1]])
		}
		v, err := lookUp(text[m[2]:m[3]], text[m[4]:m[5]])
		if err != nil && failed == nil {
			failed = err
		}
		if m[0] < userinfo {
			v = percentEncode(v)
		}
		b.WriteString(v)
	}
	b.WriteString(text[last:])
	return b.String(), failed
}

func lookUp(kind, name string) (string, error) {
	if kind == "env" {
		v, ok := os.LookupEnv(name)
		if !ok {
			return "", fmt.Errorf("environment variable %s is not set", name)
		}
		return v, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading ${file:…}: %w", err)
	}
	// An editor, or echo, ends a file with a line break that nobody means.
	return strings.TrimRight(string(data), "\r\n"), nil
}

func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
