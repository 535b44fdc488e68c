package arrows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/beluga-cdc/beluga"

// parts are the first elements of the packages' paths, with what the packages
// below may import of the project beside each other.
var parts = map[string][]string{
	"schema":   nil,
	"pipeline": {"schema"},
	"source":   {"pipeline", "schema"},
	"sink":     {"pipeline", "schema"},
	// What is no part of the picture declares the interfaces it needs and is
	// wired by cmd: were it to import source and sink, the two would meet in it.
	"internal": {"pipeline", "schema"},
	"cmd":      {"source", "sink", "pipeline", "schema", "internal"},
}

// owner says who alone imports a library, and why.
type owner struct {
	library string
	parts   []string
	why     string
	// exempt lists packages whose tests may import it too.
	exempt []string
}

var owners = []owner{
	{
		library: "github.com/go-mysql-org/go-mysql", parts: []string{"source"},
		why: "how MySQL speaks is known to source alone",
	},
	{
		library: "github.com/segmentio/kafka-go", parts: []string{"pipeline"},
		why: "how events travel is known to pipeline alone",
		// A broker that says it is ready is asked by an independent client, and topics are
		// read end to end by one.
		exempt: []string{"internal/servers", "internal/e2e"},
	},
	{
		library: "github.com/twmb/franz-go", parts: []string{"pipeline"},
		why: "the embedded broker is a way for events to travel",
		// The end-to-end tests read topics by a client that is not ours.
		exempt: []string{"internal/e2e"},
	},
	{
		library: "github.com/apache/iceberg-go", parts: []string{"sink"},
		why: "how tables are written is known to sink alone",
	},
	{
		library: "github.com/parquet-go/parquet-go", parts: []string{"sink"},
		why: "how files are written is known to sink alone",
	},
	{
		library: "github.com/apache/arrow-go", parts: []string{"sink"},
		why: "Arrow comes in by iceberg-go's types only; blocks are what travels",
	},
	{
		library: "github.com/go-sql-driver/mysql", parts: []string{"internal"},
		why: "the load generator and the tests use a second client on purpose; the product has one",
		// The end-to-end tests look at MySQL by the eyes of another client.
		exempt: []string{"cmd"},
	},
	{
		library: "github.com/spf13", parts: []string{"cmd"},
		why: "the command line is cmd's",
	},
}

// forTests are imported by tests only, and by the packages that exist for them.
var forTests = []string{
	"testing", module + "/internal/servers",
	"github.com/stretchr/testify", "go.uber.org/goleak", "pgregory.net/rapid",
}

var testPackages = []string{"internal/servers"}

// goPackage is what the rules look at in a package, as go list prints it.
type goPackage struct {
	ImportPath, Dir                    string
	Imports, TestImports, XTestImports []string
	GoFiles                            []string
}

// path is the package's path within the module.
func (p *goPackage) path() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// violations lists what the package imports against the rules.
func violations(p *goPackage) (found []string) {
	for _, imported := range p.Imports {
		found = append(found, check(p.path(), imported, false)...)
	}
	for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
		found = append(found, check(p.path(), imported, true)...)
	}
	return found
}

// check judges one import of the package at path, in code or in a test.
func check(path, imported string, test bool) (found []string) {
	report := func(format string, args ...any) {
		kind := "imports"
		if test {
			kind = "imports in a test"
		}
		found = append(found, fmt.Sprintf("%s %s %s: %s", path, kind, imported, fmt.Sprintf(format, args...)))
	}
	if !test && !slices.Contains(testPackages, path) && slices.ContainsFunc(forTests, func(of string) bool { return within(imported, of) }) {
		report("it is for tests")
	}
	part, _, _ := strings.Cut(path, "/")
	allowed, known := parts[part]
	if !known {
		report("%s is no part of the design", part)
		return found
	}
	if other, ours := strings.CutPrefix(imported, module+"/"); ours {
		other, _, _ = strings.Cut(other, "/")
		server := test && within(imported, module+"/internal/servers")
		if other != part && !slices.Contains(allowed, other) && !server {
			report("%s may import %s of the project", part, cmp.Or(strings.Join(allowed, ", "), "nothing"))
		}
		return found
	}
	for _, o := range owners {
		exempt := test && slices.ContainsFunc(o.exempt, func(p string) bool { return within(path, p) })
		if within(imported, o.library) && !slices.Contains(o.parts, part) && !exempt {
			report("it belongs to %s: %s", strings.Join(o.parts, " and "), o.why)
		}
	}
	return found
}

// within tells whether an import path is the one given or lies below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
