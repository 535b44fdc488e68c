package source

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says what a fault means for a run.
type Severity uint8

// The severities.
const (
	Warning Severity = iota + 1 // it goes on, with a risk
	Fatal                       // it cannot go on
)

// String names the severity.
func (s Severity) String() string {
	if s == Fatal {
		return "fatal"
	}
	return "warning"
}

// Fault is something about the server, or about a table, that stands in the way.
type Fault struct {
	Severity Severity
	Subject  string // what it is about: "table shop.orders", "binlog_format"
	Problem  string // what is wrong, and what comes of it
	Remedy   string // what repairs it: SQL, a setting, an option
}

// String writes the fault in two lines.
func (f Fault) String() string {
	return fmt.Sprintf("%s: %s\n    remedy: %s", f.Subject, f.Problem, f.Remedy)
}

// Faults are all faults that were found. As an error they tell the fatal ones.
type Faults []Fault

// Fatal returns the faults that stop a run.
func (f Faults) Fatal() Faults { return f.with(Fatal) }

// Warnings returns the others.
func (f Faults) Warnings() Faults { return f.with(Warning) }

func (f Faults) with(s Severity) (list Faults) {
	for _, x := range f {
		if x.Severity == s {
			list = append(list, x)
		}
	}
	return list
}

// about tells whether a fault's subject begins so.
func (f Faults) about(subject string) bool {
	return slices.ContainsFunc(f, func(x Fault) bool { return strings.HasPrefix(x.Subject, subject) })
}

// Error lists the fatal faults, numbered.
func (f Faults) Error() string {
	fatal := f.Fatal()
	if len(fatal) == 1 {
		return "the server cannot be replicated: " + fatal[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the server cannot be replicated, for %d reasons:", len(fatal))
	for i, x := range fatal {
		fmt.Fprintf(&b, "\n %d. %s", i+1, x)
	}
	return b.String()
}

// Err returns the faults as an error if one of them is fatal.
func (f Faults) Err() error {
	if len(f.Fatal()) == 0 {
		return nil
	}
	return f
}
