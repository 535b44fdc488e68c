package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/beluga-cdc/beluga/pipeline/routing"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/sink/naming"
	"github.com/beluga-cdc/beluga/source"
	"github.com/beluga-cdc/beluga/source/snapshot"
	"github.com/beluga-cdc/beluga/source/value"
)

// Config is everything that the user can choose. The same struct is the
// configuration file, the flags and their help: options.go reads its tags, so
// that the three cannot drift apart.
//
// Tags: yaml is the name in the file, help the text of --help. short marks the
// field of a section that a plain value in the section's place means, so that
// "kafka: host:9092" is "kafka.brokers: host:9092". also are other paths that mean
// the same option, such as Debezium's. list says how the text of a
// flag is split, enum which words are allowed, secret that a value never
// appears in a message.
type Config struct {
	Name           string   `yaml:"name" help:"name of this pipeline; the lake remembers it, and no other pipeline may write the same tables"`
	From           string   `yaml:"from" secret:"true" help:"MySQL or MariaDB server, mysql://user:password@host:port/database; without a database: all but the system's; without a password: the environment's BELUGA_PASSWORD; options: ?tls=MODE&ca=FILE&cert=FILE&key=FILE&password-file=FILE"`
	To             string   `yaml:"to" help:"the lake: a folder, made if it is not there; or s3://bucket/folder, with catalog.uri"`
	Keyless        string   `yaml:"keyless" enum:"exact,append,refuse" help:"tables with neither a primary key nor a unique one without NULL: replicate them by whole rows, replicate them as long as rows are only added, or refuse them"`
	Readers        []string `yaml:"readers" list:"comma" help:"engines that will read the lake; they decide how deletes are written (none given: readable by all)"`
	OnDrop         string   `yaml:"on-drop" enum:"keep,drop" help:"tables that are dropped in the source: keep what the lake has of them, or drop them there too, with their files"`
	OnIncompatible string   `yaml:"on-incompatible" enum:"stop,reload,new-column" help:"columns that are altered to a type that does not hold what they held, and the like: stop the run, load the table again beside the others, or let the column begin anew and keep what it held as column_before (where rows could not be told apart then: load the table again)"`
	OnDefault      string   `yaml:"on-default" enum:"initial-default,rewrite,null" help:"what old rows show in a column that is added with a default: the default, as Iceberg's initial default if all the named readers take it and else written into the rows; the default, always written; or NULL, which verify will tell of"`
	Once           bool     `yaml:"once" help:"load what is new up to now, then exit"`

	Tables    TablesConfig    `yaml:"tables"`
	Columns   ColumnsConfig   `yaml:"columns"`
	Names     NamesConfig     `yaml:"names"`
	Kafka     KafkaConfig     `yaml:"kafka"`
	Commit    CommitConfig    `yaml:"commit"`
	Memory    MemoryConfig    `yaml:"memory"`
	Snapshot  SnapshotConfig  `yaml:"snapshot"`
	Types     TypesConfig     `yaml:"types"`
	Heartbeat HeartbeatConfig `yaml:"heartbeat"`
	GTID      GTIDConfig      `yaml:"gtid"`
	Signal    SignalConfig    `yaml:"signal"`
	Notify    NotifyConfig    `yaml:"notify"`
	HTTP      HTTPConfig      `yaml:"http"`
	Shutdown  ShutdownConfig  `yaml:"shutdown"`
	Log       LogConfig       `yaml:"log"`
	Catalog   CatalogConfig   `yaml:"catalog"`
	Storage   StorageConfig   `yaml:"storage"`
}

// The words of keyless.
const (
	keylessExact  = "exact"
	keylessAppend = "append"
	keylessRefuse = "refuse"
)

// TablesConfig says which tables are replicated.
type TablesConfig struct {
	Include []string `yaml:"include" list:"regexp" short:"true" help:"tables to replicate: regular expressions over the whole of database.table; none: every table"`
	Exclude []string `yaml:"exclude" list:"regexp" help:"tables of these to leave out: regular expressions over the whole of database.table"`
}

// ColumnsConfig says which columns are replicated, and in which form.
type ColumnsConfig struct {
	Include       []string `yaml:"include" list:"regexp" help:"columns to replicate: regular expressions over the whole of database.table.column; none: every column"`
	Exclude       []string `yaml:"exclude" list:"regexp" help:"columns of these to leave out: regular expressions over the whole of database.table.column"`
	Mask          []string `yaml:"mask" list:"regexp" help:"columns whose text, and NULL, becomes so many asterisks: LENGTH:PATTERN"`
	Truncate      []string `yaml:"truncate" list:"regexp" help:"columns of whose text or bytes only so many characters or bytes are kept: LENGTH:PATTERN"`
	Hash          []string `yaml:"hash" list:"regexp" help:"columns whose text becomes the hash of columns.hash-salt and the text"`
	HashAlgorithm string   `yaml:"hash-algorithm" enum:"sha-1,sha-256,sha-512" help:"algorithm of columns.hash"`
	HashSalt      string   `yaml:"hash-salt" secret:"true" help:"what is hashed before each text; keep it secret"`
}

const defaultRetention = Duration(7 * 24 * time.Hour)

// Embedded is the word that stands for a broker inside the process.
const Embedded = "embedded"

// CommitConfig says when a batch is committed. What is reached first counts.
type CommitConfig struct {
	Interval Duration `yaml:"interval" help:"commit at least this often while there are changes"`
	Rows     int      `yaml:"rows" help:"commit after this many row changes"`
	Bytes    Size     `yaml:"bytes" help:"commit after this many bytes of row changes (default: a quarter of memory.limit)"`
}

// MemoryConfig bounds the memory of the process.
type MemoryConfig struct {
	Limit Size `yaml:"limit" help:"memory that the process tries to stay under"`
}

// TypesConfig chooses where a MySQL type has several Iceberg types. A choice
// belongs to a column from when it comes into the lake.
type TypesConfig struct {
	Time     string `yaml:"time" enum:"time,long,string" help:"TIME columns that come new into the lake: time, which stops at what is outside a day; microseconds; or MySQL's text"`
	TinyInt1 string `yaml:"tinyint1" enum:"int,boolean" help:"TINYINT(1) columns that come new into the lake"`
	ZeroDate string `yaml:"zero-date" enum:"null,epoch,stop" help:"what stands for zero and partial dates in columns that come new into the lake: NULL, 1970-01-01, or nothing, as the run stops there"`
}

// policy is the choice as the source knows it: the usual forms have no name.
func (t *TypesConfig) policy() value.Policy {
	form := func(word, usual string) schema.Form {
		if word == usual {
			return ""
		}
		return schema.Form(word)
	}
	return value.Policy{Time: form(t.Time, "time"), TinyInt1: form(t.TinyInt1, "int"), ZeroDate: form(t.ZeroDate, "null")}
}

// HeartbeatConfig keeps the position of a quiet server moving.
type HeartbeatConfig struct {
	ActionQuery string   `yaml:"action-query" also:"heartbeat.action.query" help:"SQL statement that is run on the server at intervals while the binlog is followed, such as a REPLACE into a table that nothing else uses: what it writes moves the position of a server on which little happens. A failure is logged and tried again"`
	Interval    Duration `yaml:"interval" help:"how often heartbeat.action-query is run"`
}

const defaultHeartbeat = Duration(10 * time.Second)

// validate finds an interval that would be ignored.
func (h *HeartbeatConfig) validate(bad func(path, format string, args ...any)) {
	positive(bad, "heartbeat.interval", h.Interval)
	if h.ActionQuery == "" && h.Interval > 0 && h.Interval != defaultHeartbeat {
		bad("heartbeat.interval", "%s, but there is no heartbeat.action-query to be run", h.Interval)
	}
}

// GTIDConfig chooses transactions by the server that committed them first.
type GTIDConfig struct {
	SourceIncludes   []string `yaml:"source-includes" list:"regexp" also:"gtid.source.includes" help:"replicate only transactions that were first committed on servers whose UUID is of these regular expressions; the rows of others are passed over, and the position does not ask for them after a failover; their DDL is followed. MySQL with GTIDs only. What a load reads is not told apart"`
	SourceExcludes   []string `yaml:"source-excludes" list:"regexp" also:"gtid.source.excludes" help:"the opposite of gtid.source-includes, which must not stand beside it"`
	SourceFilterRows bool     `yaml:"source-filter-rows" also:"gtid.source.filter.dml.events" help:"false: only positions are compared without the servers that are left out, and their rows are replicated too (true unless it is said)"`
}

func (g *GTIDConfig) sources() source.GTIDSources {
	return source.GTIDSources{Includes: g.SourceIncludes, Excludes: g.SourceExcludes, KeepRows: !g.SourceFilterRows}
}

// ShutdownConfig says how the process stops.
type ShutdownConfig struct {
	Timeout Duration `yaml:"timeout" help:"after SIGTERM or SIGINT: how long committing what has been read may take"`
}

// The words of on-drop.
const (
	onDropKeep = "keep"
	onDropDrop = "drop"
)

// The words of on-incompatible.
const (
	onIncompatibleStop   = "stop"
	onIncompatibleReload = "reload"
	onIncompatibleColumn = "new-column"
)

// The words of on-default.
const (
	onDefaultInitial = "initial-default"
	onDefaultRewrite = "rewrite"
	onDefaultNull    = "null"
)

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  string `yaml:"level" enum:"debug,info,warn,error" help:"least severe message that is logged"`
	Format string `yaml:"format" enum:"text,json" help:"form of a log line"`
}

// defaultConfig returns every default.
func defaultConfig() Config {
	return Config{
		Name:           "beluga",
		Keyless:        keylessExact,
		OnDrop:         onDropKeep,
		OnIncompatible: onIncompatibleStop,
		OnDefault:      onDefaultInitial,
		Columns:        ColumnsConfig{HashAlgorithm: "sha-256"},
		Names:          NamesConfig{Case: naming.Keep},
		Kafka: KafkaConfig{
			Partitions:  1,
			Retention:   defaultRetention,
			Compression: "snappy",
			Format:      formatJSON,

			KeyEnforceUniqueness: true, KeyFieldName: routing.DefaultKeyField,

			TombstonesOnDelete: true,

			DecimalHandlingMode: "precise", BigintUnsignedHandlingMode: "long", BinaryHandlingMode: "bytes", TimePrecisionMode: "adaptive_time_microseconds",
		},
		Commit:    CommitConfig{Interval: Duration(10 * time.Second), Rows: 1_000_000},
		Memory:    MemoryConfig{Limit: 512 << 20},
		Snapshot:  SnapshotConfig{Mode: string(source.Initial), Locking: string(snapshot.Auto), MaxThreads: 2, ChunkRows: 100_000, ChunkTime: Duration(2 * time.Second), CheckpointInterval: Duration(30 * time.Second)},
		Types:     TypesConfig{Time: "time", TinyInt1: "int", ZeroDate: "null"},
		Heartbeat: HeartbeatConfig{Interval: defaultHeartbeat},
		GTID:      GTIDConfig{SourceFilterRows: true},
		Shutdown:  ShutdownConfig{Timeout: Duration(30 * time.Second)},
		Log:       LogConfig{Level: "info", Format: "text"},
	}
}

// commitBytes is commit.bytes with its default: while one batch is written the
// next one is filled, so that two of them and what encoding takes must fit.
func (c *Config) commitBytes() int { return int(cmp.Or(c.Commit.Bytes, c.Memory.Limit/4)) }

// topicPrefix is kafka.topic-prefix with its default.
func (c *Config) topicPrefix() string { return cmp.Or(c.Kafka.TopicPrefix, c.logName()) }

// logName is kafka.log with its default.
func (c *Config) logName() string { return cmp.Or(c.Kafka.Log, c.Name) }

// logLevel is log.level for slog.
func (c *Config) logLevel() (l slog.Level) {
	if err := l.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return slog.LevelInfo // cannot be: the words were checked when the option was set
	}
	return l
}

// fault is one thing that is wrong with the configuration.
type fault struct {
	where string // "beluga.yml:3", or "" on the command line
	path  string // of the option
	text  string
}

func (f fault) String() string {
	s := f.text
	if f.path != "" {
		s = f.path + ": " + s
	}
	if f.where != "" {
		s = f.where + ": " + s
	}
	return s
}

// configError is all that is wrong, in one message.
type configError []fault

func (e configError) Error() string {
	if len(e) == 1 {
		return "configuration: " + e[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "configuration: %d faults", len(e))
	for _, f := range e {
		b.WriteString("\n  ")
		b.WriteString(f.String())
	}
	return b.String()
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// minMemory is what the process needs to do anything at all.
const minMemory = 128 << 20

// validate checks what the shape of single values cannot say. needs are the
// options that the command cannot do without.
func (c *Config) validate(needs []string) (faults []fault) {
	bad := func(path, format string, args ...any) {
		faults = append(faults, fault{path: path, text: fmt.Sprintf(format, args...)})
	}
	if slices.Contains(needs, "from") && c.From == "" {
		bad("from", "missing; say where MySQL is: --from mysql://user@host/database")
	} else if c.From != "" {
		if _, err := source.ParseURL(c.From); err != nil {
			bad("from", "%s", strings.TrimLeft(strings.TrimPrefix(err.Error(), "--from"), ": "))
		}
	}
	if slices.Contains(needs, "kafka.brokers") && (len(c.Kafka.Brokers) == 0 || c.Kafka.embedded()) {
		bad("kafka.brokers", "missing; say where Kafka is: --kafka host:9092 (the broker inside a process is for beluga run alone)")
	}
	if c.Kafka.Log != "" && !namePattern.MatchString(c.Kafka.Log) {
		bad("kafka.log", "%q may have letters, digits, _ and -, at most 64", c.Kafka.Log)
	}
	c.validateLake(slices.Contains(needs, "to"), bad)
	if !namePattern.MatchString(c.Name) {
		bad("name", "%q may have letters, digits, _ and -, at most 64", c.Name)
	}
	for _, t := range c.Tables.Include {
		if _, err := regexp.Compile(t); err != nil {
			bad("tables", "%q is no regular expression: %v", t, err)
		}
	}
	for _, t := range c.Tables.Exclude {
		if _, err := regexp.Compile(t); err != nil {
			bad("tables.exclude", "%q is no regular expression: %v", t, err)
		}
	}
	if err := c.Columns.rules().Check(); err != nil {
		option, text, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--columns-"), " ")
		bad("columns."+option, "%s", text)
	}
	if _, err := naming.New(c.Names.rules()); err != nil {
		option, text, _ := strings.Cut(err.Error(), " ")
		bad("names."+option, "%s", text)
	}
	c.Kafka.validate(bad)
	positive(bad, "commit.interval", c.Commit.Interval)
	positive(bad, "commit.rows", c.Commit.Rows)
	if c.Memory.Limit < minMemory {
		bad("memory.limit", "%s is too little, %s is the least", c.Memory.Limit, Size(minMemory))
	} else if c.Commit.Bytes > c.Memory.Limit/2 {
		bad("commit.bytes", "%s is more than half of memory.limit (%s): one batch is written while the next is filled", c.Commit.Bytes, c.Memory.Limit)
	}
	c.Snapshot.validate(bad)
	c.Heartbeat.validate(bad)
	if err := c.GTID.sources().Check(); err != nil {
		option, text, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--gtid-"), " ")
		bad("gtid."+option, "%s", text)
	}
	c.Signal.validate(bad)
	c.Notify.validate(bad, len(c.Kafka.Brokers) > 0)
	c.HTTP.validate(bad)
	positive(bad, "shutdown.timeout", c.Shutdown.Timeout)
	return faults
}

func positive[T int | Duration](bad func(path, format string, args ...any), path string, v T) {
	if v <= 0 {
		bad(path, "%v must be more than zero", v)
	}
}
