package main

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the expected texts of testdata anew")

// loadArgs makes the configuration of a command line as run would.
func loadArgs(t *testing.T, args ...string) (Config, error) {
	t.Helper()
	cmd := &cobra.Command{Use: "run"}
	s := addConfigFlags(cmd, []string{"from", "to"})
	require.NoError(t, cmd.ParseFlags(args))
	return s.load()
}

// TestBadConfigFiles holds the wording of every fault that a file can have: each
// testdata/config/bad/*.yml has its message beside it.
func TestBadConfigFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/config/bad/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	t.Chdir("testdata/config/bad")
	for _, f := range files {
		name := filepath.Base(f)
		t.Run(name, func(t *testing.T) {
			_, err := loadArgs(t, "-c", name)
			require.Error(t, err)
			assert.Equal(t, exitUsage, exitCode(err))
			golden := strings.TrimSuffix(name, ".yml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			want, rerr := os.ReadFile(golden)
			require.NoError(t, rerr)
			assert.Equal(t, string(want), err.Error()+"\n")
		})
	}
}

func TestConfigFile(t *testing.T) {
	t.Setenv("BELUGA_TEST_PASSWORD", "p@ss/wörd")
	c, err := loadArgs(t, "-c", "testdata/config/full.yml")
	require.NoError(t, err)
	assert.Equal(t, Config{
		Name:           "shop",
		From:           "mysql://repl:p%40ss%2Fw%C3%B6rd@db.example:3307/shop",
		To:             "/data/lake",
		Tables:         TablesConfig{Include: []string{`shop\.(orders|items)`, `shop\.log_[0-9]{1,3}`}},
		Columns:        ColumnsConfig{HashAlgorithm: "sha-256"},
		Names:          NamesConfig{Rename: []string{"shop.orders=sales.orders", "shop.orders.qty=quantity"}, Columns: []string{`.*\.id_(.*)=$1_id`}, Case: "lower", TablePrefix: "raw_"},
		Keyless:        "append",
		OnDrop:         "drop",
		OnIncompatible: "reload",
		OnDefault:      "null",
		Readers:        []string{"spark", "duckdb"},
		Kafka: KafkaConfig{Brokers: []string{"a:9092", "b:9092"}, TopicPrefix: "cdc", Partitions: 4, Replication: 3,
			Retention: Duration(48 * time.Hour), Compression: "zstd", MessageKeyColumns: []string{`shop\.orders:customer,id`, `shop\.items:sku`},
			Format: formatJSONSchema, DecimalHandlingMode: "string", BigintUnsignedHandlingMode: "precise", BinaryHandlingMode: "hex", TimePrecisionMode: "isostring",
			TopicRegex: `(.*)\.shop\.(.*)`, TopicReplacement: "$1.all", KeyFieldName: "origin", KeyFieldRegex: "(.*)", KeyFieldReplacement: "t.$1",
			TLS:  KafkaTLSConfig{Enabled: true, CA: "ca.pem", Cert: "me.pem", Key: "me.key", ServerName: "kafka"},
			SASL: KafkaSASLConfig{Mechanism: "scram-sha-512", Username: "u", Password: "p@ss/wörd"}},
		Commit:    CommitConfig{Interval: Duration(time.Minute), Rows: 500_000, Bytes: 64 << 20},
		Memory:    MemoryConfig{Limit: 1 << 30},
		Snapshot:  SnapshotConfig{Mode: "initial", Locking: "auto", MaxThreads: 4, ChunkRows: 200_000, ChunkTime: Duration(500 * time.Millisecond), CheckpointInterval: Duration(45 * time.Second)},
		Types:     TypesConfig{Time: "long", TinyInt1: "boolean", ZeroDate: "null"},
		Heartbeat: HeartbeatConfig{ActionQuery: "DO 1", Interval: Duration(time.Minute)},
		GTID:      GTIDConfig{SourceIncludes: []string{"3e11fa47-.*"}},
		Shutdown:  ShutdownConfig{Timeout: Duration(10 * time.Second)},
		Log:       LogConfig{Level: "debug", Format: "json"},
	}, c)
}

func TestFlagsCountMoreThanTheFile(t *testing.T) {
	t.Setenv("BELUGA_TEST_PASSWORD", "x")
	c, err := loadArgs(t, "--commit-interval", "2s", "-c", "testdata/config/full.yml", "--tables", `a\.b,a\.c{1,2}`, "--tables", "d", "--once", "--kafka", "c:9092")
	require.NoError(t, err)
	assert.Equal(t, Duration(2*time.Second), c.Commit.Interval)
	assert.Equal(t, []string{`a\.b`, `a\.c{1,2}`, "d"}, c.Tables.Include)
	assert.Equal(t, []string{"c:9092"}, c.Kafka.Brokers)
	assert.True(t, c.Once)
	assert.Equal(t, 500_000, c.Commit.Rows, "what no flag says stays as in the file")
}

// TestKafkaShort holds that a plain value in a section's place means its main
// option, in the file as in the flags.
func TestKafkaShort(t *testing.T) {
	file := filepath.Join(t.TempDir(), "beluga.yml")
	for text, want := range map[string][]string{
		"kafka: embedded":                   {"embedded"},
		"kafka: a:1,b:2":                    {"a:1", "b:2"},
		"kafka: [a:1, b:2]":                 {"a:1", "b:2"},
		"kafka: {brokers: a:1}":             {"a:1"},
		"kafka: {brokers: ['a:1', 'b:2']}":  {"a:1", "b:2"},
		"x: &x [a:1]\nkafka: {brokers: *x}": nil, // x is no option: the point is that the alias is followed without a panic
	} {
		require.NoError(t, os.WriteFile(file, []byte("from: mysql://u@h/d\nto: lake\n"+text+"\n"), 0o600))
		c, err := loadArgs(t, "-c", file)
		if want == nil {
			require.ErrorContains(t, err, "x: unknown option")
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, c.Kafka.Brokers, text)
	}
}

// TestOtherNames holds that Debezium's name of an option, and an older one of ours,
// mean it in the file and on the command line, and that help shows only one.
func TestOtherNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "beluga.yml")
	for _, text := range []string{
		"snapshot: {max-threads: 7}", "snapshot: {max.threads: 7}", "snapshot: {max: {threads: 7}}", "snapshot.max.threads: 7", "snapshot: {connections: 7}",
	} {
		require.NoError(t, os.WriteFile(file, []byte("from: mysql://u@h/d\nto: lake\n"+text+"\n"), 0o600))
		c, err := loadArgs(t, "-c", file)
		require.NoError(t, err, text)
		assert.Equal(t, 7, c.Snapshot.MaxThreads, text)
	}
	c, err := loadArgs(t, "--from", "mysql://u@h/d", "--to", "lake", "--snapshot-connections", "5")
	require.NoError(t, err)
	assert.Equal(t, 5, c.Snapshot.MaxThreads)

	cmd := &cobra.Command{Use: "run"}
	addConfigFlags(cmd, nil)
	help := cmd.Flags().FlagUsages()
	assert.Contains(t, help, "--snapshot-max-threads ")
	assert.NotContains(t, help, "--snapshot-connections")
}

// TestEveryOptionIsDescribed walks the struct: an option without a name, help or
// a type that flags and file know would panic or show here.
func TestEveryOptionIsDescribed(t *testing.T) {
	def := defaultConfig()
	seen := map[string]bool{}
	for _, o := range options(&def) {
		assert.NotEmpty(t, o.help, o.path)
		assert.False(t, seen[o.flag()], "two options are --%s", o.flag())
		for _, name := range o.flagNames() {
			assert.False(t, seen[name] && name != o.flag(), "two options are --%s", name)
			seen[name] = true
		}
		// What help shows as the default is what the option understands.
		text := o.defaultText()
		if text == "" || o.list != "" {
			continue
		}
		before := o.field.Interface()
		require.NoError(t, o.set([]string{text}), o.path)
		assert.True(t, reflect.DeepEqual(before, o.field.Interface()), "%s: default %q reads as %v", o.path, text, o.field)
	}
	assert.Greater(t, len(seen), 15)
	def.From, def.To = "mysql://u@h", "lake"
	assert.Empty(t, def.validate([]string{"from", "to"}), "the defaults are valid")
}

func TestSecretsStayOut(t *testing.T) {
	for _, from := range []string{
		"mysql://u:sesame@", "mysql://u:sesame@h:port/x", "u:sesame@tcp(h)/d", "postgres://u:sesame@h/d", "mysql://u:ses%ame@h/d",
	} {
		_, err := loadArgs(t, "--from", from, "--to", "lake")
		require.Error(t, err, from)
		assert.NotContains(t, err.Error(), "ses", from)
	}
}

func TestExpand(t *testing.T) {
	t.Setenv("BELUGA_TEST_A", "a b/c@d")
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("from-file\n"), 0o600))
	for text, want := range map[string]string{
		"plain":                                   "plain",
		"x${env:BELUGA_TEST_A}y":                  "xa b/c@dy",
		"${file:" + file + "}":                    "from-file",
		"$${env:X}":                               "${env:X}",
		"mysql://u:${env:BELUGA_TEST_A}@h/d":      "mysql://u:a%20b%2Fc%40d@h/d",
		"mysql://u@h/${env:BELUGA_TEST_A}":        "mysql://u@h/a b/c@d",
		`shop\.[a-z]+$`:                           `shop\.[a-z]+$`,
		"mysql://${file:" + file + "}:p@host:1/d": "mysql://from-file:p@host:1/d",
	} {
		got, err := expand(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"${env:BELUGA_TEST_NOT_SET}": "environment variable BELUGA_TEST_NOT_SET is not set",
		"${file:/does/not/exist}":    "reading ${file:…}: open /does/not/exist: no such file or directory",
		"${BELUGA}":                  "${BELUGA} is neither ${env:NAME} nor ${file:PATH}; write $${ for a plain ${",
		"a${env:B":                   "${env:B is neither ${env:NAME} nor ${file:PATH}; write $${ for a plain ${",
	} {
		_, err := expand(text)
		require.EqualError(t, err, want, text)
	}
}

func TestSizesAndDurations(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "1048576": 1 << 20, "512MiB": 512 << 20, "1.5 GiB": 3 << 29, "64mb": 64e6, "7B": 7} {
		var s Size
		require.NoError(t, s.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, s, text)
		var back Size
		require.NoError(t, back.UnmarshalText([]byte(s.String())), s.String())
		assert.Equal(t, s, back)
	}
	for _, text := range []string{"", "MiB", "-1", "1PiB", "12 potatoes", "9e30", "0x10", "99999999999TiB"} {
		var s Size
		assert.Error(t, s.UnmarshalText([]byte(text)), text)
	}
	for text, want := range map[string]time.Duration{"10s": 10 * time.Second, "7d": 168 * time.Hour, "0.5d": 12 * time.Hour, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond} {
		var d, back Duration
		require.NoError(t, d.UnmarshalText([]byte(text)), text)
		assert.Equal(t, Duration(want), d, text)
		require.NoError(t, back.UnmarshalText([]byte(d.String())), d.String())
		assert.Equal(t, d, back)
	}
	for _, text := range []string{"", "10", "s", "d", "ten seconds", "9999999d"} {
		var d Duration
		assert.Error(t, d.UnmarshalText([]byte(text)), text)
	}
}
