package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/beluga-cdc/beluga/internal/sysbench"
)

// measurement is a bench that is under way. The load is put on the server once
// for each stage, and then every transport catches up with it.
type measurement struct {
	*bench
	config *Config
	tables *sysbench.Tables
	io     streams
	dir    string // of the lakes
	name   string // of the pipelines: topics of an earlier bench must not be met again
}

// figures are what one run cost.
type figures struct {
	rows    int64
	wall    time.Duration
	cpu     time.Duration
	peak    int64 // bytes of resident memory
	written int64 // bytes that the lake has grown by
}

func (m *measurement) run(ctx context.Context) (err error) {
	if m.dir = m.bench.dir; m.dir == "" {
		if m.dir, err = os.MkdirTemp("", "beluga-bench-"); err != nil {
			return fmt.Errorf("making a folder for the lakes: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(m.dir)) }()
	}
	if m.profile != "" {
		if err := os.MkdirAll(m.profile, 0o755); err != nil {
			return fmt.Errorf("making the folder for the profiles: %w", err)
		}
	}
	m.name = "bench-" + time.Now().UTC().Format("20060102-150405")
	term := newTerminal(m.io.err)
	w := tabwriter.NewWriter(m.io.out, 0, 0, 3, ' ', tabwriter.AlignRight)
	if _, err := fmt.Fprint(w, "\t\tstage\ttransport\trows\tseconds\trows/s\tCPU µs/row\tpeak memory\twritten\t\n"); err != nil {
		return err
	}
	for _, stage := range []struct {
		name, load string
		rows       int
		put        func(context.Context, *sysbench.Tables, func(int)) error
	}{
		{"load", "prepare", m.bench.rows * m.bench.tables, m.prepare},
		{"inserts", "insert", m.inserts, m.insert},
		{"mixed", "write", m.transactions * sysbench.RowsPerTransaction, m.write},
	} {
		err := timed(ctx, stage.load, m.io, term, func(report func(int)) error { return stage.put(ctx, m.tables, report) })
		if err != nil {
			return err
		}
		for _, transport := range m.transports {
			f, err := m.catchUp(ctx, stage.name, transport)
			if err != nil {
				return fmt.Errorf("%s through %s: %w", stage.name, transport, err)
			}
			f.rows = int64(stage.rows)
			f.row(w, stage.name, transport)
			if _, err := fmt.Fprintf(m.io.err, "%s through %s: %s\n", stage.name, transport, f); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

func (f figures) rowsPerSecond() string { return grouped(int64(float64(f.rows) / f.wall.Seconds())) }

func (f figures) cpuPerRow() string {
	return fmt.Sprintf("%.2f", float64(f.cpu.Microseconds())/float64(f.rows))
}

// row adds a row to the table of the end. A tabwriter keeps the first error for
// Flush.
func (f figures) row(w io.Writer, stage, transport string) {
	_, _ = fmt.Fprintf(w, "\t\t%s\t%s\t%s\t%.1f\t%s\t%s\t%s\t%s\t\n", stage, transport, grouped(f.rows), f.wall.Seconds(),
		f.rowsPerSecond(), f.cpuPerRow(), roundSize(f.peak), roundSize(f.written))
}

func (f figures) String() string {
	return fmt.Sprintf("%s rows in %.1f s, %s rows/s, %s µs of CPU a row, %s at its peak", grouped(f.rows), f.wall.Seconds(), f.rowsPerSecond(),
		f.cpuPerRow(), roundSize(f.peak))
}

// urlVariable hands the server's address to the measured process: on a command
// line everybody could read the password.
const urlVariable = "BELUGA_BENCH_FROM"

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// catchUp runs beluga as a process of its own until the lake has all that the
// server has.
func (m *measurement) catchUp(ctx context.Context, stage, transport string) (f figures, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, fmt.Errorf("finding this program: %w", err)
	}
	way := notInNames.ReplaceAllString(transport, "-")
	lake := filepath.Join(m.dir, way)
	args := []string{"run", "--once", "--from", "${env:" + urlVariable + "}", "--to", lake, "--name", m.name + "-" + way,
		"--tables", regexp.QuoteMeta(m.tables.Database) + `\.sbtest[0-9]+`, "--log-level", "warn"}
	if transport != "direct" {
		args = append(args, "--kafka", transport)
	}
	if m.profile != "" {
		args = append(args, "--cpuprofile", filepath.Join(m.profile, stage+"-"+way+".pprof"))
	}
	args = append(args, m.settings.args("from")...)
	before, err := folderSize(lake)
	if err != nil {
		return f, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), urlVariable+"="+m.config.From)
	cmd.Stdout, cmd.Stderr = m.io.err, m.io.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return f, fmt.Errorf("beluga run --once: %w", err)
	}
	f.wall = time.Since(start)
	f.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	f.peak = peakMemory(cmd.ProcessState)
	after, err := folderSize(lake)
	f.written = after - before
	return f, err
}

// args gives back the flags that were set, for another process.
func (s *settings) args(except ...string) (args []string) {
	if s.file != "" {
		args = append(args, "--config", s.file)
	}
	for path, v := range s.flags {
		skip := false
		for _, e := range except {
			skip = skip || e == path
		}
		for _, text := range v.texts {
			if !skip {
				args = append(args, "--"+strings.ReplaceAll(path, ".", "-")+"="+text)
			}
		}
	}
	return args
}

// folderSize adds up the files under a folder; 0 where there is none. The
// names without a catalog are further links to files that count once.
func folderSize(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !e.Type().IsRegular() || filepath.Ext(e.Name()) != ".parquet" && filepath.Ext(e.Name()) != ".puffin":
			return nil
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measuring %s: %w", dir, err)
	}
	return n, nil
}
