package arrows

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const root = "../.."

// packages lists the module's packages. Listing does not compile, so a package
// that is broken is judged by its imports all the same.
func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,GoFiles", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var all []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		for _, violation := range violations(&p) {
			t.Error(violation)
		}
	}
}

func TestRulesCatch(t *testing.T) {
	for _, c := range []struct {
		name, path, imported string
		test                 bool
		want                 string // empty: allowed
	}{
		{name: "downwards", path: "source/binlog", imported: module + "/pipeline"},
		{name: "sideways", path: "source/binlog", imported: module + "/source/value"},
		{name: "the wiring", path: "cmd/beluga", imported: module + "/sink/warehouse"},
		{name: "the standard library", path: "schema", imported: "encoding/binary"},
		{name: "an owner", path: "source", imported: "github.com/go-mysql-org/go-mysql/replication"},
		{name: "a test's server", path: "sink/snapshot", imported: module + "/internal/servers", test: true},
		{name: "the broker's check", path: "internal/servers", imported: "github.com/segmentio/kafka-go", test: true},

		{name: "source meets sink", path: "source/binlog", imported: module + "/sink/keyindex", want: "source may import pipeline, schema"},
		{name: "sink meets source", path: "sink", imported: module + "/source", want: "sink may import pipeline, schema"},
		{name: "they meet in a test", path: "sink", imported: module + "/source", test: true, want: "in a test"},
		{name: "upwards", path: "pipeline/kafkalog", imported: module + "/sink", want: "pipeline may import schema"},
		{name: "from the ground", path: "schema", imported: module + "/pipeline", want: "schema may import nothing"},
		{name: "they meet in a third", path: "internal/verify", imported: module + "/source", want: "internal may import pipeline, schema"},
		{name: "a stranger", path: "sink", imported: "github.com/go-mysql-org/go-mysql/mysql", want: "belongs to source"},
		{name: "a stranger in a test", path: "cmd/beluga", imported: "github.com/parquet-go/parquet-go", test: true, want: "belongs to sink"},
		{name: "a client in the starter", path: "internal/servers", imported: "github.com/segmentio/kafka-go", want: "belongs to pipeline"},
		{name: "a second client", path: "source/snapshot", imported: "github.com/go-sql-driver/mysql", want: "belongs to internal"},
		{name: "a test's server in the binary", path: "cmd/beluga", imported: module + "/internal/servers", want: "for tests"},
		{name: "assertions in the binary", path: "schema", imported: "github.com/stretchr/testify/require", want: "for tests"},
		{name: "a new part", path: "utils", imported: "fmt", want: "no part of the design"},
		{name: "a name that only begins alike", path: "sink", imported: "github.com/apache/iceberg-gold"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := check(c.path, c.imported, c.test)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Contains(t, found[0], c.want)
		})
	}
}

// linter is the part of the linter's configuration that repeats the owners.
type linter struct {
	Linters struct {
		Settings struct {
			Depguard struct {
				Rules map[string]struct {
					Files []string
					Deny  []struct{ Pkg, Desc string }
				}
			}
		}
	}
}

func TestLinterKnowsTheOwners(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	require.NoError(t, err)
	var config linter
	require.NoError(t, yaml.Unmarshal(data, &config))
	for _, o := range owners {
		var wanted []string
		for _, part := range o.parts {
			wanted = append(wanted, "!**/"+part+"/**")
		}
		for _, path := range o.exempt {
			wanted = append(wanted, "!**/"+path+"/**/*_test.go")
		}
		denied := false
		for name, rule := range config.Linters.Settings.Depguard.Rules {
			for _, deny := range rule.Deny {
				if deny.Pkg != o.library {
					continue
				}
				denied = true
				assert.ElementsMatch(t, wanted, rule.Files, "files of rule %s", name)
				assert.Equal(t, o.why, deny.Desc, "reason of rule %s", name)
			}
		}
		assert.True(t, denied, "no depguard rule denies %s", o.library)
	}
}

var testName = regexp.MustCompile(`\bTest[A-Z]\w*`)

func TestPackagesSayWhatTheyAre(t *testing.T) {
	throughTheBinary := testsBelow(t, filepath.Join("..", "e2e"))
	for _, p := range packages(t) {
		doc := filepath.Join(p.Dir, "doc.go")
		if !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go", p.path())
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), doc, nil, parser.ParseComments|parser.PackageClauseOnly)
		require.NoError(t, err)
		if file.Doc == nil {
			t.Errorf("%s/doc.go has no package comment", p.path())
			continue
		}
		defined := testsBelow(t, p.Dir)
		for _, name := range testName.FindAllString(file.Doc.Text(), -1) {
			if !defined[name] && !throughTheBinary[name] {
				t.Errorf("%s/doc.go names %s, which does not exist there", p.path(), name)
			}
		}
	}
}

// testsBelow returns the names of the test functions in a folder and below: the
// invariant of a part may be held by a test of one of its packages.
func testsBelow(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
		return nil
	})
	require.NoError(t, err)
	return names
}
