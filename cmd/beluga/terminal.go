package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// terminal is a terminal whose last line is rewritten in place. What else is
// written to it scrolls by above that line.
type terminal struct {
	mu   sync.Mutex
	file *os.File
	line string
}

// newTerminal returns w as a terminal, or nil where it is none.
func newTerminal(w io.Writer) *terminal {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &terminal{file: f}
}

const clearLine = "\r\x1b[2K"

// Write writes log lines.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line != "" {
		p = append(append([]byte(clearLine), p...), t.line...)
	}
	n, err := t.file.Write(p)
	return min(n, len(p)), err
}

// setLine replaces the last line; "" removes it.
func (t *terminal) setLine(line string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	// A line that wraps could not be taken back. Some terminals do not know their
	// width, and say 0.
	if width, _, err := term.GetSize(int(t.file.Fd())); err == nil && width > 0 {
		if r := []rune(line); len(r) >= width {
			line = string(r[:width-1])
		}
	}
	if line == t.line {
		return nil
	}
	t.line = line
	_, err := io.WriteString(t.file, clearLine+line)
	return err
}

// redraw keeps the last line up to date until ctx ends, then removes it.
func redraw(ctx context.Context, t *terminal, line func() string) error {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return t.setLine("")
		case <-tick.C:
			if err := t.setLine(line()); err != nil {
				return err
			}
		}
	}
}

// newLogger returns the logger that the configuration asks for. On a terminal
// its lines go above the status line.
func newLogger(c *Config, w io.Writer, t *terminal) *slog.Logger {
	if t != nil {
		w = t
	}
	o := &slog.HandlerOptions{Level: c.logLevel()}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// grouped writes a number with a comma between thousands.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return sign + strings.Join(append([]string{s}, parts...), ",")
}

// count writes how many of a thing there are: "1 row", "2,000 rows".
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return grouped(n) + " " + thing + "s"
}

// roundSize writes bytes for people: three digits and a unit.
func roundSize(n int64) string {
	f, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f < 1000 {
			break
		}
		f, unit = f/1024, u
	}
	if unit == "B" || f >= 100 {
		return fmt.Sprintf("%.0f %s", f, unit)
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}
