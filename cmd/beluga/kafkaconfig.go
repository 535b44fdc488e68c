package main

import (
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
)

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
