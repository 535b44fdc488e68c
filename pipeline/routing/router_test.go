package routing

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// outcome is what Route.java would print.
func outcome(regex, replacement, topic string) string {
	r, err := newRule("topic", regex, replacement)
	if err != nil {
		return "!"
	}
	to, matched, err := r.apply(topic)
	switch {
	case err != nil:
		return err.Error()
	case !matched:
		return "-"
	}
	return "=" + to
}

// TestAsJava: the last column of the cases was written by testdata/Route.java. What Java
// finds out only with a match, that a replacement names no group, is refused before.
func TestAsJava(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.tsv")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	require.Greater(t, len(lines), 100)
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if got := outcome(f[0], f[1], f[2]); got != "!" || f[3] != "-" {
			assert.Equal(t, f[3], got, "%q with %q of %q", f[0], f[1], f[2])
		}
	}
}

// java runs Route.java over lines of regex, replacement and topic.
func java(t *testing.T, lines []string) []string {
	t.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		servers.Skip(t, "not compared with Java: there is no java on PATH")
	}
	cmd := exec.Command("java", "testdata/Route.java")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// TestCasesAreJavas makes the last column of the cases anew.
func TestCasesAreJavas(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.tsv")
	require.NoError(t, err)
	var in, want []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		i := strings.LastIndexByte(line, '\t')
		in, want = append(in, line[:i]), append(want, line[i+1:])
	}
	require.Equal(t, want, java(t, in))
}

// TestRandomAsJava compares patterns of random parts. What is repeated in them takes
// characters: see the package's comment.
func TestRandomAsJava(t *testing.T) {
	rng := rand.New(rand.NewPCG(20_000, 1))
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	var class func(int) string
	class = func(depth int) string {
		s := "[" + pick("", "", "^")
		for range 1 + rng.IntN(3) {
			if depth > 0 && rng.IntN(4) == 0 {
				s += class(depth - 1)
				continue
			}
			s += pick("a", "b", "a-b", "c", ".", "-", `\w`, `\d`, `\.`, "^", `\p{Lower}`, "&&b", "&&[^a]", "&", "0-9", "A-Z")
		}
		return s + "]"
	}
	var part func(int) string
	part = func(depth int) string {
		if depth == 0 {
			return pick(pick("a", "b", "c", `\.`, ".", `\w`, `\d`, "A", class(2))+pick("", "", "", "?", "*", "+", "{2}", "{0,2}", "*?", "+?", "++", "?+", "*+", "{1,}"),
				"ab", "$", "^", `\b`, `\1`, `\2`, `\Qa.\E`)
		}
		s := ""
		for range 1 + rng.IntN(3) {
			p := part(depth - 1)
			switch rng.IntN(9) {
			case 0:
				p = "(" + p + ")"
			case 1:
				p = pick("(?:", "(?=", "(?!", "(?>", "(?i:", "(?<=", "(?<!") + p + ")"
			case 2:
				p = "(" + p + "|" + part(depth-1) + ")"
			case 3:
				p = "(?:" + p + "|" + part(depth-1) + ")"
			}
			s += p
		}
		return s
	}
	var lines []string
	for range 4000 {
		topic := ""
		for range rng.IntN(6) {
			topic += pick("a", "b", "c", "ab", ".", "A", "1")
		}
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s", part(1+rng.IntN(2)), pick("x", "$1", "<$0>", "$1$2", `\$`), topic))
	}
	matched := 0
	for i, want := range java(t, lines) {
		f := strings.Split(lines[i], "\t")
		if got := outcome(f[0], f[1], f[2]); (got != "!" || want != "-") && want != "!" {
			assert.Equal(t, want, got, "%q with %q of %q", f[0], f[1], f[2])
		}
		if want[0] == '=' {
			matched++
		}
	}
	t.Logf("%d of %d matched", matched, len(lines))
}

func TestRoute(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		topic   string
		want    Route
	}{
		"none":                {Options{}, "p.shop.a", Route{Topic: "p.shop.a"}},
		"all":                 {Options{Regex: "(.*)", Replacement: "all"}, "p.shop.a", Route{"all", DefaultKeyField, "p.shop.a"}},
		"no match":            {Options{Regex: "x(.*)", Replacement: "all"}, "p.shop.a", Route{Topic: "p.shop.a"}},
		"not the whole":       {Options{Regex: "p", Replacement: "all"}, "p.shop.a", Route{Topic: "p.shop.a"}},
		"nothing left":        {Options{Regex: "(x)?p.*", Replacement: "$1"}, "p.shop.a", Route{Topic: "p.shop.a"}},
		"keys as they are":    {Options{Regex: "(.*)", Replacement: "all", Plain: true}, "p.shop.a", Route{Topic: "all"}},
		"field":               {Options{Regex: "(.*)", Replacement: "all", KeyField: "t"}, "p.shop.a", Route{"all", "t", "p.shop.a"}},
		"field's value":       {Options{Regex: "(.*)", Replacement: "all", KeyRegex: `(.*)\.shop\.(.*)`, KeyReplacement: "$2"}, "p.shop.a", Route{"all", DefaultKeyField, "a"}},
		"field without match": {Options{Regex: "(.*)", Replacement: "all", KeyRegex: `x`, KeyReplacement: "y"}, "p.shop.a", Route{"all", DefaultKeyField, "p.shop.a"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := New(c.options)
			require.NoError(t, err)
			got, err := r.Route(c.topic)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for _, c := range []struct {
		options Options
		text    string
	}{
		{Options{Replacement: "x"}, "topic.regex: missing"},
		{Options{Regex: "x"}, "topic.replacement: missing"},
		{Options{Regex: "(x", Replacement: "x"}, `topic.regex: "(x": a bracket is not closed`},
		{Options{Regex: `\N{DIGIT ONE}`, Replacement: "x"}, `\N is no escape of Java's that is known here`},
		{Options{Regex: "x", Replacement: "$1"}, `topic.replacement: "$1": there is no group 1`},
		{Options{Regex: "x", Replacement: "x", KeyRegex: "y"}, "key.field.replacement: missing"},
		{Options{Regex: "x", Replacement: "x", KeyReplacement: "y"}, "key.field.regex: missing"},
		{Options{Regex: "x", Replacement: "x", KeyRegex: "[", KeyReplacement: "y"}, "key.field.regex: "},
	} {
		_, err := New(c.options)
		require.ErrorContains(t, err, c.text)
	}
}

func TestEndless(t *testing.T) {
	r, err := New(Options{Regex: `(\w+\w+)+x`, Replacement: "y"})
	require.NoError(t, err)
	_, err = r.Route(strings.Repeat("a", 60))
	require.ErrorContains(t, err, "tries too many ways; remedy: ")
}

func TestUnfitTopics(t *testing.T) {
	for _, to := range []string{"a b", "ä", "..", strings.Repeat("x", 250)} {
		r, err := New(Options{Regex: ".*", Replacement: to})
		require.NoError(t, err)
		_, err = r.Route("p.shop.a")
		require.ErrorContains(t, err, "topic.replacement makes")
	}
}
