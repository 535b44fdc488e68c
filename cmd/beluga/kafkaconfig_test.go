package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKafkaConnection: what would be ignored, or could not work, is refused.
func TestKafkaConnection(t *testing.T) {
	tls := KafkaTLSConfig{Enabled: true}
	own, embedded := []string{"a:1"}, []string{Embedded}
	for _, c := range []struct {
		kafka KafkaConfig
		want  []string
	}{
		{KafkaConfig{Brokers: own, TLS: tls}, nil},
		{KafkaConfig{Brokers: own, SASL: KafkaSASLConfig{Mechanism: "plain", Username: "u", Password: "p"}}, nil},
		{KafkaConfig{Brokers: own, TLS: tls, SASL: KafkaSASLConfig{Mechanism: "aws-msk-iam"}}, nil},
		{KafkaConfig{Brokers: own, TLS: KafkaTLSConfig{CA: "f"}}, []string{"kafka.tls: has no effect without kafka.tls.enabled"}},
		{KafkaConfig{Brokers: own, TLS: KafkaTLSConfig{Enabled: true, Cert: "f"}}, []string{"kafka.tls: cert and key belong together: our certificate and its private key"}},
		{KafkaConfig{Brokers: embedded, TLS: tls, SASL: KafkaSASLConfig{Mechanism: "plain"}},
			[]string{"kafka.tls: has no effect without brokers of your own (kafka.brokers)", "kafka.sasl: has no effect without brokers of your own (kafka.brokers)"}},
		{KafkaConfig{TLS: tls}, []string{"kafka.tls: has no effect without brokers of your own (kafka.brokers)"}},
		{KafkaConfig{Brokers: own, SASL: KafkaSASLConfig{Username: "u"}}, []string{"kafka.sasl: has no effect without kafka.sasl.mechanism"}},
		{KafkaConfig{Brokers: own, SASL: KafkaSASLConfig{Mechanism: "scram-sha-256", Username: "u"}}, []string{"kafka.sasl: scram-sha-256 needs username and password"}},
		{KafkaConfig{Brokers: own, SASL: KafkaSASLConfig{Mechanism: "aws-msk-iam"}}, []string{"kafka.sasl: aws-msk-iam needs kafka.tls.enabled: MSK takes no other connections"}},
		{KafkaConfig{Brokers: own, TLS: tls, SASL: KafkaSASLConfig{Mechanism: "aws-msk-iam", Username: "u"}}, []string{"kafka.sasl: aws-msk-iam takes its credentials from the AWS SDK, and no username and password"}},
	} {
		var got []string
		bad := func(path, format string, args ...any) { got = append(got, path+": "+fmt.Sprintf(format, args...)) }
		c.kafka.TLS.validate(bad, c.kafka.Brokers)
		c.kafka.SASL.validate(bad, &c.kafka)
		require.Equal(t, c.want, got, "%+v", c.kafka)
	}
}
