package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/source/signal"
)

// signalOptions are those that say which lake, and whose run of it.
var signalOptions = []string{"name", "to", "catalog", "storage", "log"}

func signalCommand(out streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signal TYPE",
		Short: "Tell a run something: load tables again, stop, pause or resume that",
		Long: `Leave a signal in the lake. The run that writes the lake takes it within seconds;
if none is at work, the next one does. The types and their data are Debezium's:

  execute-snapshot  {"data-collections": ["shop\\.orders"], "type": "incremental"}
                    also "type": "blocking", and "additional-conditions":
                    [{"data-collection": "shop\\.orders", "filter": "year > 2024"}]
  stop-snapshot     {"data-collections": ["shop\\.orders"]}; without data: all
  pause-snapshot    no data
  resume-snapshot   no data
  log               {"message": "this far: {}"}`,
		Example: `  beluga signal execute-snapshot --to ./lake --data '{"data-collections": ["shop\\.orders"]}'
  beluga signal pause-snapshot --to ./lake`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return usageError{fmt.Errorf("%d arguments instead of one", len(args)), "beluga signal takes the type of the signal: " + strings.Join(signal.Types, ", ")}
		},
	}
	settings := addConfigFlags(cmd, []string{"to"}, signalOptions...)
	id := cmd.Flags().String("id", "", "name of the signal, in logs and notifications (default: random)")
	data := cmd.Flags().String("data", "", "what the signal is about, as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		return postSignal(cmd, &c, out, pipeline.Signal{ID: *id, Type: args[0], Data: *data})
	}
	return cmd
}

func snapshotCommand(out streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshot TABLE...",
		Short: "Load tables again, while all others go on",
		Long: `Ask the run that writes the lake to load tables again, or to load them for the
first time if it follows them only now. The other tables go on undisturbed. Readers
of the tables see what they saw until the load is complete. If no run is at work,
the next one takes the request.

TABLE is a regular expression over the whole of database.table.`,
		Example: `  beluga snapshot --to ./lake 'shop\.orders'
  beluga snapshot --to ./lake 'shop\.orders' --where 'year > 2024'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return usageError{fmt.Errorf("no table is named"), `name the tables: beluga snapshot --to ./lake 'shop\.orders'`}
		},
	}
	settings := addConfigFlags(cmd, []string{"to"}, signalOptions...)
	where := cmd.Flags().String("where", "", "load only the rows that meet this condition in SQL; the others stay as they are")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		data, err := snapshotData(args, *where)
		if err != nil {
			return err
		}
		return postSignal(cmd, &c, out, pipeline.Signal{Type: signal.ExecuteSnapshot, Data: data})
	}
	return cmd
}

// snapshotData is the data of a signal that loads tables.
func snapshotData(tables []string, where string) (string, error) {
	for _, t := range tables {
		if _, err := regexp.Compile(t); err != nil {
			return "", usageError{fmt.Errorf("%q is no regular expression: %w", t, err), `it is over the whole of database.table, such as 'shop\.orders'`}
		}
	}
	data := map[string]any{"data-collections": tables}
	if where != "" {
		var conditions []map[string]string
		for _, t := range tables {
			conditions = append(conditions, map[string]string{"data-collection": t, "filter": where})
		}
		data["additional-conditions"] = conditions
	}
	text, err := json.Marshal(data)
	return string(text), err
}

// postSignal leaves a signal in the lake, unless it makes no sense.
func postSignal(cmd *cobra.Command, c *Config, out streams, s pipeline.Signal) error {
	if _, err := signal.Parse(s); err != nil {
		return usageError{fmt.Errorf("signal %s: %w", s.Type, err), "beluga signal --help shows what each type takes"}
	}
	if s.ID == "" {
		s.ID = uuid.NewString()
	}
	if err := sink.PostSignal(cmd.Context(), sinkConfig(c, false), s); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out.out, "signal %s waits for the run of pipeline %s\n", s.ID, c.Name)
	return err
}
