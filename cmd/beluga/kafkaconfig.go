package main

import (
	"net"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/pipeline/routing"
)

// KafkaConfig says whether and how events travel through Kafka.
type KafkaConfig struct {
	Brokers            []string `yaml:"brokers" list:"comma" short:"true" help:"go through Kafka: host:port of one or more brokers, or \"embedded\" for a broker inside this process"`
	Log                string   `yaml:"log" help:"name of the log: its control topic is beluga-control.<log> (default: the pipeline's name). Sinks with names and tables of their own can read one log"`
	TopicPrefix        string   `yaml:"topic-prefix" help:"topics are called <prefix>.<database>.<table> (default: the log's name)"`
	Partitions         int      `yaml:"partitions" help:"partitions of a topic that is made"`
	Replication        int      `yaml:"replication" help:"replicas of a topic that is made (default: as the broker is set up)"`
	Retention          Duration `yaml:"retention" help:"how long a topic that is made keeps its events"`
	MessageKeyColumns  []string `yaml:"message-key-columns" list:"semicolon" also:"message.key.columns" help:"columns that the keys of some tables' records are made of: PATTERN:COLUMN,COLUMN, a regular expression over the whole of database.table; several with semicolons between. In topics of several partitions, columns of the primary key only. Without Kafka it has no effect"`
	Compression        string   `yaml:"compression" enum:"none,gzip,snappy,lz4,zstd" help:"compression of the events"`
	Format             string   `yaml:"format" enum:"json,json-schema" help:"form of keys and events: JSON, or JSON with its schema beside it, as Kafka Connect's converter writes it with schemas.enable"`
	TombstonesOnDelete bool     `yaml:"tombstones-on-delete" also:"tombstones.on.delete" help:"a record without a value follows each deletion, for copies of the topics that are compacted (true unless it is said)"`

	DecimalHandlingMode        string `yaml:"decimal-handling-mode" enum:"precise,string,double" also:"decimal.handling.mode" help:"DECIMAL columns in the events: base64 of the unscaled value, text, or a double, which is refused above 15 digits"`
	BigintUnsignedHandlingMode string `yaml:"bigint-unsigned-handling-mode" enum:"long,precise" also:"bigint.unsigned.handling.mode" help:"BIGINT UNSIGNED columns in the events: a number that is negative from 2^63 on, or as precise decimals"`
	BinaryHandlingMode         string `yaml:"binary-handling-mode" enum:"bytes,base64,base64-url-safe,hex" also:"binary.handling.mode" help:"BINARY, VARBINARY and BLOB columns in the events: bytes, which JSON has as base64, or strings"`
	TimePrecisionMode          string `yaml:"time-precision-mode" enum:"adaptive_time_microseconds,connect,isostring,microseconds,nanoseconds" also:"time.precision.mode" help:"DATE, TIME and DATETIME columns in the events: Debezium's modes; connect has milliseconds only, and nanoseconds lacks most years, so columns that hold more are refused"`

	TopicRegex           string `yaml:"topic-regex" also:"topic.regex" help:"topics to be renamed: a regular expression of Java's over the whole of a table's topic, as of Debezium's ByLogicalTableRouter. A table keeps the topic that it came into the log with"`
	TopicReplacement     string `yaml:"topic-replacement" also:"topic.replacement" help:"what the topics are called then, with $1 and ${name} for groups; tables whose topics come to one name share it"`
	KeyEnforceUniqueness bool   `yaml:"key-enforce-uniqueness" also:"key.enforce.uniqueness" help:"the keys in renamed topics get a field that tells the tables apart (true unless it is said)"`
	KeyFieldName         string `yaml:"key-field-name" also:"key.field.name" help:"name of that field"`
	KeyFieldRegex        string `yaml:"key-field-regex" also:"key.field.regex" help:"its value is made from the topic before, which this has to match as a whole (default: its value is that topic)"`
	KeyFieldReplacement  string `yaml:"key-field-replacement" also:"key.field.replacement" help:"what the field's value is then"`

	TLS  KafkaTLSConfig  `yaml:"tls"`
	SASL KafkaSASLConfig `yaml:"sasl"`
}

// KafkaTLSConfig says whether connections to the brokers are encrypted.
type KafkaTLSConfig struct {
	Enabled    bool   `yaml:"enabled" help:"encrypt the connections to the brokers, and check their certificates"`
	CA         string `yaml:"ca" help:"file of the authorities that sign the brokers' certificates, PEM (default: the system's)"`
	Cert       string `yaml:"cert" help:"file of our certificate, PEM, for brokers that ask for one; read again for each connection"`
	Key        string `yaml:"key" help:"file of its private key, PEM"`
	ServerName string `yaml:"server-name" help:"name that the brokers' certificates must have (default: the host that is connected to)"`
}

// KafkaSASLConfig says how we log in to the brokers.
type KafkaSASLConfig struct {
	Mechanism string `yaml:"mechanism" enum:"plain,scram-sha-256,scram-sha-512,aws-msk-iam" help:"log in to the brokers; aws-msk-iam takes the credentials and the region that the AWS SDK finds (environment, profile, role)"`
	Username  string `yaml:"username" help:"user to log in as"`
	Password  string `yaml:"password" secret:"true" help:"the user's password; ${file:PATH} and ${env:NAME} keep it out of sight"`
}

func (k *KafkaConfig) router() (routing.Router, error) {
	return routing.New(routing.Options{Regex: k.TopicRegex, Replacement: k.TopicReplacement, Plain: !k.KeyEnforceUniqueness,
		KeyField: k.KeyFieldName, KeyRegex: k.KeyFieldRegex, KeyReplacement: k.KeyFieldReplacement})
}

func (k *KafkaConfig) connection() connection.Config {
	t, s := k.TLS, k.SASL
	return connection.Config{
		TLS:  connection.TLS{Enabled: t.Enabled, CAFile: t.CA, CertFile: t.Cert, KeyFile: t.Key, ServerName: t.ServerName},
		SASL: connection.SASL{Mechanism: s.Mechanism, Username: s.Username, Password: s.Password},
	}
}

func (t *KafkaTLSConfig) validate(bad func(path, format string, args ...any), brokers []string) {
	switch given := *t != (KafkaTLSConfig{}); {
	case given && !t.Enabled:
		bad("kafka.tls", "has no effect without kafka.tls.enabled")
	case given && (len(brokers) == 0 || brokers[0] == Embedded):
		bad("kafka.tls", "has no effect without brokers of your own (kafka.brokers)")
	case (t.Cert == "") != (t.Key == ""):
		bad("kafka.tls", "cert and key belong together: our certificate and its private key")
	}
}

func (s *KafkaSASLConfig) validate(bad func(path, format string, args ...any), k *KafkaConfig) {
	switch {
	case *s == (KafkaSASLConfig{}):
	case s.Mechanism == "":
		bad("kafka.sasl", "has no effect without kafka.sasl.mechanism")
	case len(k.Brokers) == 0 || k.embedded():
		bad("kafka.sasl", "has no effect without brokers of your own (kafka.brokers)")
	case s.Mechanism == connection.MSKIAM && (s.Username != "" || s.Password != ""):
		bad("kafka.sasl", "aws-msk-iam takes its credentials from the AWS SDK, and no username and password")
	case s.Mechanism == connection.MSKIAM && !k.TLS.Enabled:
		bad("kafka.sasl", "aws-msk-iam needs kafka.tls.enabled: MSK takes no other connections")
	case s.Mechanism != connection.MSKIAM && (s.Username == "" || s.Password == ""):
		bad("kafka.sasl", "%s needs username and password", s.Mechanism)
	}
}

// embedded tells whether the broker is to run inside this process.
func (k *KafkaConfig) embedded() bool { return slices.Contains(k.Brokers, Embedded) }

func (k *KafkaConfig) validate(bad func(path, format string, args ...any)) {
	for _, b := range k.Brokers {
		if b == Embedded {
			if len(k.Brokers) > 1 {
				bad("kafka.brokers", "%q stands alone: either the broker inside this process or others", Embedded)
			}
			continue
		}
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			bad("kafka.brokers", "%q is not host:port, nor the word %q", b, Embedded)
		}
	}
	if _, err := pipeline.ParseMessageKeys(k.MessageKeyColumns); err != nil {
		bad("kafka.message-key-columns", "%s", err)
	}
	positive(bad, "kafka.partitions", k.Partitions)
	if k.Replication < 0 {
		bad("kafka.replication", "%d must not be less than zero", k.Replication)
	}
	if k.embedded() && k.Replication > 1 {
		bad("kafka.replication", "%d, but the embedded broker is only one", k.Replication)
	}
	if k.embedded() && k.Retention != defaultRetention {
		bad("kafka.retention", "%s, but the embedded broker drops events as soon as the lake has them: leave the option out, or use a broker of your own", k.Retention)
	}
	positive(bad, "kafka.retention", k.Retention)
	if _, err := k.router(); err != nil {
		option, text, _ := strings.Cut(err.Error(), ": ")
		bad("kafka."+strings.ReplaceAll(option, ".", "-"), "%s", text)
	}
	k.TLS.validate(bad, k.Brokers)
	k.SASL.validate(bad, k)
}
