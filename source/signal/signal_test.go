package signal

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline"
)

func parse(t *testing.T, typ, data string) Command {
	t.Helper()
	c, err := Parse(pipeline.Signal{ID: "1", Type: typ, Data: data})
	require.NoError(t, err)
	return c
}

// TestParse takes the forms of Debezium's documentation.
func TestParse(t *testing.T) {
	e := parse(t, "execute-snapshot", `{"type": "INCREMENTAL", "data-collections": ["shop.orders", "shop\\.item.*"],
		"additional-conditions": [{"data-collection": "shop.orders", "filter": "color='blue' AND year > 2020"}]}`).Execute
	require.NotNil(t, e)
	assert.False(t, e.Blocking)
	assert.Equal(t, []string{"shop.orders", `shop\.item.*`}, e.Tables)
	assert.Equal(t, map[string]string{"shop.orders": "color='blue' AND year > 2020"}, e.Conditions)

	assert.True(t, parse(t, "execute-snapshot", `{"type": "blocking", "data-collections": ["a.b"]}`).Execute.Blocking)
	assert.Empty(t, parse(t, "stop-snapshot", "").Stop.Tables)
	assert.Len(t, parse(t, "stop-snapshot", `{"type":"incremental","data-collections": ["a.b", "a.c"]}`).Stop.Tables, 2)
	assert.True(t, parse(t, "pause-snapshot", "").Pause)
	assert.True(t, parse(t, "resume-snapshot", "{}").Resume)
	assert.Equal(t, "Signal message at offset {}", parse(t, "log", `{"message": "Signal message at offset {}"}`).Log)
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ typ, data, want string }{
		"type":       {"execute-snapshoot", "", `the type "execute-snapshoot" is none of execute-snapshot, stop-snapshot, pause-snapshot, resume-snapshot, log`},
		"window":     {"snapshot-window-open", "", "Debezium writes for itself"},
		"no tables":  {"execute-snapshot", "{}", "it names no tables"},
		"kind":       {"execute-snapshot", `{"type": "full", "data-collections": ["a.b"]}`, `"full" is neither incremental nor blocking`},
		"surrogate":  {"execute-snapshot", `{"data-collections": ["a.b"], "surrogate-key": "c"}`, "surrogate-key is not needed"},
		"regexp":     {"execute-snapshot", `{"data-collections": ["a.("]}`, `"a.(" is no regular expression`},
		"select":     {"execute-snapshot", `{"data-collections": ["a.b"], "additional-conditions": [{"data-collection": "a.b", "filter": "SELECT * FROM a.b"}]}`, "write what stands behind WHERE"},
		"empty":      {"execute-snapshot", `{"data-collections": ["a.b"], "additional-conditions": [{"data-collection": "a.b", "filter": " "}]}`, "is no condition"},
		"unknown":    {"execute-snapshot", `{"collections": ["a.b"]}`, `unknown field "collections"`},
		"no JSON":    {"stop-snapshot", `tables: a.b`, "is not what the signal takes"},
		"two values": {"stop-snapshot", `{} {}`, "more than one JSON value"},
		"message":    {"log", "{}", "has no message"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(pipeline.Signal{Type: c.typ, Data: c.data})
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, typ := range append(Types, "") {
		f.Add(typ, `{"data-collections": ["a.b"], "additional-conditions": [{"data-collection": "a", "filter": "x"}], "message": "m"}`)
		f.Add(typ, "")
		f.Add(typ, `{"type":`)
	}
	f.Fuzz(func(t *testing.T, typ, data string) {
		c, err := Parse(pipeline.Signal{Type: typ, Data: data})
		if err == nil && c == (Command{}) {
			t.Fatalf("%s %s asks for nothing", typ, data)
		}
	})
}
