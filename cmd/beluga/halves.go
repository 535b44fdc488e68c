package main

import (
	"github.com/spf13/cobra"
)

// sourceCommand is the one half of beluga run through Kafka.
func sourceCommand(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "source",
		Short: "Write the database into topics of Kafka, for sinks and other consumers",
		Long: `Load all tables into topics of Kafka, then follow the binlog: the half of beluga run
that reads the server. Its position is in the log, and it goes on there. Of several sources
of one log the one that started last writes it; the others find out, and end.

Signals come by --http and by --signal-data-collection: there is no lake here to leave
them in.`,
		Example: `  beluga source --from mysql://root@localhost/shop --kafka localhost:9092 --name shop
  beluga sink --to ./lake --kafka localhost:9092 --name shop`,
		Args: noArgs,
	}
	settings := addConfigFlags(cmd, []string{"from", "kafka.brokers"}, "name", "from", "once", "tables", "columns", "keyless", "on-incompatible", "kafka", "types", "memory", "snapshot", "heartbeat", "gtid", "signal", "notify", "http", "shutdown", "log")
	return runsParts(cmd, settings, io, parts{source: true})
}

// sinkCommand is the other half.
func sinkCommand(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sink",
		Short: "Write a log in Kafka into Iceberg tables",
		Long: `Read the topics that beluga source writes, and keep Iceberg tables equal to them: the half
of beluga run that writes the lake. It goes on where the lake stands.

One log may have several sinks, each with a --name of its own and the --tables that are its:
--kafka-log names the log then. Each publishes its own cuts of its tables.

--once ends where the log ends when it starts.`,
		Example: `  beluga sink --to ./lake --kafka localhost:9092 --name shop
  beluga sink --to ./lake --kafka localhost:9092 --kafka-log shop --name orders --tables 'shop\.orders.*'`,
		Args: noArgs,
	}
	settings := addConfigFlags(cmd, []string{"to", "kafka.brokers"}, "name", "to", "catalog", "storage", "once", "tables", "names", "readers", "keyless", "on-drop", "on-default", "kafka.brokers", "kafka.log", "kafka.tls", "kafka.sasl", "commit", "memory", "http", "shutdown", "log")
	return runsParts(cmd, settings, io, parts{sink: true})
}

func runsParts(cmd *cobra.Command, settings *settings, io streams, which parts) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		if !which.source {
			c.From = "" // of a file that both halves use
		}
		return runPipeline(cmd.Context(), &c, io, which)
	}
	return cmd
}
