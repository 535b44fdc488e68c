package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settings is what a command was told: the configuration file and the flags
// that stand for its options.
type settings struct {
	file  string
	flags map[string]*flagValue // by option path
	needs []string              // options that the command cannot do without
}

// flagValue keeps the texts of a flag until the file has been read: a flag
// counts more than the file, wherever it stands, and faults of both are shown
// together.
type flagValue struct {
	texts  []string
	list   bool
	isBool bool
}

func (f *flagValue) Set(text string) error {
	if !f.list {
		f.texts = f.texts[:0]
	}
	f.texts = append(f.texts, text)
	return nil
}

func (f *flagValue) String() string { return "" }

// Type is the placeholder behind the flag in --help.
func (f *flagValue) Type() string {
	switch {
	case f.isBool:
		return "bool"
	case f.list:
		return "list"
	}
	return "value"
}

// addConfigFlags gives the command a flag for every option of the file that it
// uses: those named, and all options of the sections named.
func addConfigFlags(cmd *cobra.Command, needs []string, uses ...string) *settings {
	s := &settings{flags: map[string]*flagValue{}, needs: needs}
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "configuration `file`; a flag counts more than what the file says")
	def := defaultConfig()
	for _, o := range options(&def) {
		if len(uses) > 0 && !slices.ContainsFunc(uses, func(use string) bool { return o.path == use || strings.HasPrefix(o.path, use+".") }) {
			continue
		}
		v := &flagValue{list: o.list != "", isBool: o.isBool()}
		s.flags[o.path] = v
		for _, name := range o.flagNames() {
			f := cmd.Flags().VarPF(v, name, "", o.usage())
			if v.isBool {
				f.NoOptDefVal = "true"
			}
			// Of several names for one option, help shows one: the short one where there is.
			f.Hidden = name != cmp.Or(o.alias, o.flag())
		}
	}
	return s
}

// usage is the option's line of help.
func (o *option) usage() string {
	text := o.help
	if len(o.enum) > 0 {
		text += " (" + strings.Join(o.enum, ", ") + ")"
	}
	if d := o.defaultText(); d != "" && !o.isBool() {
		text += " (default " + d + ")"
	}
	return text
}

// load makes the configuration: the defaults, over them the file, over it the
// flags. All that is wrong comes in one error.
func (s *settings) load() (Config, error) {
	c := defaultConfig()
	opts := options(&c)
	var faults configError
	if s.file != "" {
		ff, err := readConfigFile(s.file, opts)
		if err != nil {
			return c, err
		}
		faults = append(faults, ff...)
	}
	for i := range opts {
		o := &opts[i]
		if v := s.flags[o.path]; v != nil && len(v.texts) > 0 {
			if err := o.set(v.texts); err != nil {
				faults = append(faults, fault{where: "--" + o.flag(), text: err.Error()})
			}
		}
	}
	// A value that could not be read has left its default, which is right: its
	// fault is not told twice.
	for _, f := range c.validate(s.needs) {
		if !slices.ContainsFunc(faults, func(g fault) bool { return g.path == f.path || g.where == "--"+strings.ReplaceAll(f.path, ".", "-") }) {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return c, faults
	}
	return c, nil
}

// usageError is a command line that makes no sense.
type usageError struct {
	err  error
	help string // what shows how it is meant
}

func (e usageError) Error() string { return e.err.Error() + "\n" + e.help }
func (e usageError) Unwrap() error { return e.err }

// flagError words pflag's errors, and finds what an unknown flag was meant to be.
func flagError(cmd *cobra.Command, err error) error {
	help := fmt.Sprintf("%s --help lists what there is", cmd.CommandPath())
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		})
		if near := nearest(name, known); near != "" {
			help = fmt.Sprintf("did you mean --%s? %s", near, help)
		}
	}
	return usageError{err, help}
}

// noArgs refuses arguments, and says what they may have been meant to be.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if _, err := os.Stat(args[0]); err == nil && strings.HasSuffix(args[0], "ml") {
		return usageError{fmt.Errorf("unexpected argument %q", args[0]), fmt.Sprintf("a configuration file is given by -c: %s -c %s", cmd.CommandPath(), args[0])}
	}
	return usageError{fmt.Errorf("unexpected argument %q", args[0]), cmd.CommandPath() + " takes only flags; --help lists them"}
}
