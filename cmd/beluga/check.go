package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/sink"
	"github.com/beluga-cdc/beluga/source"
)

func checkCommand(out streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look for everything that stands in the way of a run, and change nothing",
		Example: `  beluga check --from mysql://root@localhost/shop --to ./lake
  beluga check -c beluga.yml`,
		Args: noArgs,
	}
	settings := addConfigFlags(cmd, []string{"from", "to"}, "name", "from", "to", "catalog", "storage", "tables", "columns", "names", "keyless", "readers", "kafka", "types", "log", "snapshot.mode", "snapshot.locking", "snapshot.filter", "snapshot.pause", "heartbeat", "gtid", "signal", "snapshot.configuration-based")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := settings.load()
		if err != nil {
			return err
		}
		return check(cmd.Context(), &c, out)
	}
	return cmd
}

// check looks at each part, whatever was found in the ones before.
func check(ctx context.Context, c *Config, io streams) error {
	log := newLogger(c, io.err, nil)
	r := &checklist{out: io.out}
	src, err := newSource(c, log)
	if err != nil {
		return err
	}
	faults, err := src.Preflight(ctx)
	if err != nil {
		r.fault("server", err.Error())
	}
	r.serverFaults(faults)
	if err == nil && len(faults.Fatal()) == 0 {
		r.line("ok", "server", "can be replicated")
	}
	reached := err == nil && !slices.ContainsFunc(faults, func(f source.Fault) bool { return f.Subject == source.Connection })
	if !reached {
		src = nil
	}
	if src != nil {
		faults, err := namesFaults(ctx, c, src)
		if err != nil {
			r.fault("tables", err.Error())
		}
		for _, f := range faults {
			r.fault(f.subject, f.text)
		}
	}
	if text, err := checkLake(ctx, c, src, r); err != nil {
		r.fault("lake", err.Error())
	} else if text != "" {
		r.line("ok", "lake", text)
	}
	checkBrokers(ctx, c, r)
	if r.err != nil {
		return fmt.Errorf("writing the result: %w", r.err)
	}
	if r.faults > 0 {
		return fmt.Errorf("check: %d of the above must be repaired first", r.faults)
	}
	return nil
}

// checkLake opens the lake for reading, or, where there is none, finds out
// whether one could be made. src is nil where the server cannot be asked.
func checkLake(ctx context.Context, c *Config, src *source.MySQL, r *checklist) (string, error) {
	cfg := sinkConfig(c, true)
	names, err := c.Names.mapping()
	if err != nil {
		return "", err
	}
	cfg.Names = names // a run would write with them
	lake, err := sink.Open(ctx, cfg, newLogger(c, io.Discard, nil))
	if errors.Is(err, sink.ErrNoLake) {
		return "there is none yet; it will be made in " + c.To, checkFolder(c)
	}
	if err != nil {
		return "", err
	}
	resume, err := lake.Resume(ctx)
	if err != nil {
		return "", errors.Join(err, lake.Close())
	}
	before := r.faults
	if src != nil {
		err = checkTogether(ctx, src, lake, resume, r)
	}
	if err := errors.Join(err, checkFolder(c), lake.Close()); err != nil || r.faults > before {
		return "", err
	}
	if resume.Position.IsZero() {
		return fmt.Sprintf("nothing of pipeline %s yet", c.Name), nil
	}
	return fmt.Sprintf("%s of pipeline %s, at %s", count(int64(len(resume.Tables)), "table"), c.Name, resume.Position), nil
}

// checkTogether finds what stands between this server and this lake.
func checkTogether(ctx context.Context, src *source.MySQL, lake *sink.Lake, resume pipeline.Resume, r *checklist) error {
	faults, err := src.CheckResume(ctx, resume)
	r.serverFaults(faults)
	switch {
	case err == nil:
	case src.LoadsAfter(err):
		r.line("warning", "position", remedyApart(err.Error(), ""), "a run in this snapshot mode loads all tables anew")
	default:
		r.fault("position", err.Error())
	}
	return checkOwners(ctx, src, lake)
}

// checkOwners tells which of the server's tables have names that belong to
// somebody else in the lake.
func checkOwners(ctx context.Context, src *source.MySQL, lake *sink.Lake) error {
	ids, err := src.Captured(ctx)
	if err != nil {
		return fmt.Errorf("listing the server's tables: %w", err)
	}
	var errs []error
	for _, id := range ids {
		if err := lake.CheckOwner(id); err != nil {
			errs = append(errs, fmt.Errorf("table %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// checkBrokers finds out whether the brokers can be reached. One that answers is
// enough, for it knows the others.
func checkBrokers(ctx context.Context, c *Config, r *checklist) {
	if len(c.Kafka.Brokers) == 0 || c.Kafka.embedded() {
		return
	}
	dialer, err := connection.New(ctx, c.Kafka.connection())
	if err != nil {
		r.fault("kafka", err.Error())
		return
	}
	answers := 0
	var silent []string
	for _, b := range c.Kafka.Brokers {
		err := dialer.Probe(ctx, b)
		var refused *connection.Error
		if errors.As(err, &refused) {
			r.fault("kafka", refused.Error())
			return
		}
		if err != nil {
			silent = append(silent, fmt.Sprintf("%s does not answer: %v", b, err))
			continue
		}
		answers++
	}
	const remedy = "remedy: correct kafka.brokers, or start the broker"
	switch {
	case answers == 0:
		r.fault("kafka", strings.Join(silent, "\n"), remedy)
	case len(silent) > 0:
		r.line("warning", "kafka", strings.Join(silent, "\n"), remedy)
	default:
		r.line("ok", "kafka", "can be reached")
	}
}

// checkFolder is checkWritable, where the lake is a folder.
func checkFolder(c *Config) error {
	if c.remote() != nil {
		return nil
	}
	return checkWritable(c.To)
}

// checkWritable makes a file in the folder, or in the nearest one above it that
// is there, and removes it: permissions alone do not tell, on a file system that
// is full or mounted for reading.
func checkWritable(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("finding the absolute path of %s: %w", dir, err)
	}
	for {
		f, err := os.CreateTemp(dir, ".beluga-check-")
		if err == nil {
			return errors.Join(f.Close(), os.Remove(f.Name()))
		}
		_, missing := os.Stat(dir) // some folders that are there take no files, and say that they are not there
		if parent := filepath.Dir(dir); errors.Is(missing, os.ErrNotExist) && parent != dir {
			dir = parent
			continue
		}
		return fmt.Errorf("writing to %s: %w; give the user of this process the right to write there, or choose another folder", dir, err)
	}
}

// checklist prints what was found, and remembers how many faults there were.
type checklist struct {
	out    io.Writer
	faults int
	err    error
}

func (r *checklist) serverFaults(faults source.Faults) {
	for _, f := range faults.Fatal() {
		r.fault(f.Subject, f.Problem, "remedy: "+f.Remedy)
	}
	for _, f := range faults.Warnings() {
		r.line("warning", f.Subject, f.Problem, "remedy: "+f.Remedy)
	}
}

func (r *checklist) fault(subject string, lines ...string) {
	r.faults++
	r.line("FAULT", subject, remedyApart(strings.Join(lines, "\n"), ""))
}

func (r *checklist) line(kind, subject string, lines ...string) {
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\n         ")
	if _, err := fmt.Fprintf(r.out, "%-8s %s: %s\n", kind, subject, text); err != nil && r.err == nil {
		r.err = err
	}
}
