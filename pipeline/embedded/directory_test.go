package embedded_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/embedded"
)

// written returns a directory with a log of five batches of ten records, and its
// only segment.
func written(t *testing.T) (dir, segment string) {
	t.Helper()
	dir = t.TempDir()
	b := start(t, dir, embedded.Config{})
	c := client(t, b.Addr())
	createTopic(t, c)
	for i := range 5 {
		require.NoError(t, produce(t.Context(), c, i*10, 10))
	}
	require.NoError(t, b.Close())
	return dir, filepath.Join(dir, "kafka", "partitions", topic+"-0", "0.dat")
}

// batchEnd returns where the first n batches end.
func batchEnd(b []byte, n int) (end int) {
	for range n {
		end += 12 + int(binary.BigEndian.Uint32(b[end+8:]))
	}
	return end
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestForeign(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "letters.txt"), nil, 0o644))
	_, err := embedded.Start(dir, embedded.Config{})
	require.ErrorContains(t, err, dir+" is not a log of Beluga (beluga-log.json is missing, but it holds letters.txt); give an empty or new directory")
	require.Equal(t, []string{"letters.txt"}, files(t, dir))
}

func TestDamage(t *testing.T) {
	edit := func(change func(b []byte) []byte) func(*testing.T, string, string) {
		return func(t *testing.T, _, segment string) {
			b, err := os.ReadFile(segment)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(segment, change(b), 0o644))
		}
	}
	overwrite := func(name, text string) func(*testing.T, string, string) {
		return func(t *testing.T, dir, _ string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
	}
	remove := func(name string) func(*testing.T, string, string) {
		return func(t *testing.T, dir, _ string) { require.NoError(t, os.Remove(filepath.Join(dir, name))) }
	}
	tests := map[string]struct {
		do   func(t *testing.T, dir, segment string)
		want string
	}{
		"flipped bit": {edit(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), "is not what was written"},
		"zeros":       {edit(func(b []byte) []byte { clear(b[100:150]); return b }), "the batch at byte 0 is not what was written"},
		"batch missing": {edit(func(b []byte) []byte { return append(b[:batchEnd(b, 1):batchEnd(b, 1)], b[batchEnd(b, 2):]...) }),
			"offset 20 follows where 10 should"},
		"bytes missing": {edit(func(b []byte) []byte { return append(b[:batchEnd(b, 1)+8], b[batchEnd(b, 2)+6:]...) }), // a length far too large
			"is not what was written"},
		"no meta":       {remove("kafka/meta.json"), "meta.json: it is missing"},
		"no topics":     {remove("kafka/topics.json"), "topics.json does not know its topic"},
		"broken topics": {overwrite("kafka/topics.json", "{"), "topics.json: unexpected end of JSON input"},
		"other log":     {overwrite("kafka/meta.json", `{"version":1,"cluster_id":"x"}`), "it belongs to another log"},
		"broken mark":   {overwrite("beluga-log.json", ""), "it is no mark of a log"},
		"newer mark":    {overwrite("beluga-log.json", `{"format":9,"id":"x"}`), "has format 9 and this version knows format 1"},
		"stray segment": {func(t *testing.T, _, segment string) {
			require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(segment), "x.dat"), nil, 0o644))
		}, "its name is no offset"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir, segment := written(t)
			tt.do(t, dir, segment)
			before, err := os.ReadFile(segment)
			require.NoError(t, err)
			_, err = embedded.Start(dir, embedded.Config{})
			require.ErrorContains(t, err, tt.want)
			after, err := os.ReadFile(segment)
			require.NoError(t, err)
			require.Equal(t, before, after, "a refused log is not changed")
		})
	}
}

// TestTornTail: the last write may have been cut at any byte.
func TestTornTail(t *testing.T) {
	dir, segment := written(t)
	whole, err := os.ReadFile(segment)
	require.NoError(t, err)
	four := batchEnd(whole, 4)
	for _, cut := range []int{1, 11, 12, 60, 61, len(whole) - four - 1} {
		require.NoError(t, os.WriteFile(segment, whole[:four+cut], 0o644))
		b := start(t, dir, embedded.Config{})
		require.Equal(t, upTo(40), consume(t, client(t, b.Addr())), "cut after %d bytes", cut)
		require.NoError(t, b.Close())
	}
	require.NoError(t, os.WriteFile(segment, append(whole[:four:four], make([]byte, 1000)...), 0o644))
	c := client(t, start(t, dir, embedded.Config{}).Addr())
	require.NoError(t, produce(t.Context(), c, 40, 10))
	require.Equal(t, upTo(50), consume(t, c))
}
