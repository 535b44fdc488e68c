package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written as 512MiB, 2GiB, 64MB or 1048576.
type Size int64

var sizeUnits = []struct {
	name   string
	factor float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	end := strings.LastIndexAny(text, "0123456789.") + 1
	n, err := strconv.ParseFloat(text[:end], 64)
	unit := strings.TrimSpace(text[end:])
	for _, u := range sizeUnits {
		if err == nil && n >= 0 && n*u.factor < math.MaxInt64 && strings.EqualFold(unit, u.name) {
			*s = Size(n * u.factor)
			return nil
		}
	}
	return fmt.Errorf("%q is no size; write it as 512MiB or 2GiB", text)
}

// String writes the size with the largest binary unit that divides it.
func (s Size) String() string {
	if s == 0 {
		return "0"
	}
	for i := 3; i >= 0; i-- {
		if f := Size(sizeUnits[i].factor); s%f == 0 {
			return fmt.Sprintf("%d%s", s/f, sizeUnits[i].name)
		}
	}
	return fmt.Sprintf("%dB", int64(s))
}

// Duration is a time.Duration that may also be given in days.
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && math.Abs(n) < 100_000 {
			*d = Duration(n * 24 * float64(time.Hour))
			return nil
		}
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no duration; write it as 500ms, 10s, 5m or 7d", text)
	}
	*d = Duration(v)
	return nil
}

func (d Duration) std() time.Duration { return time.Duration(d) }

// String writes the duration as UnmarshalText reads it.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d > 0 && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// splitList cuts the text of a list option. Commas part regular expressions
// too, except those inside brackets, as in a{1,2}.
func splitList(kind, text string) []string {
	if kind == "whole" {
		return []string{strings.TrimSpace(text)}
	}
	if kind == "semicolon" {
		var parts []string
		for part := range strings.SplitSeq(text, ";") {
			parts = append(parts, strings.TrimSpace(part))
		}
		return parts
	}
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case kind == "regexp" && c == '\\':
			i++
		case kind == "regexp" && (c == '{' || c == '[' || c == '('):
			depth++
		case kind == "regexp" && (c == '}' || c == ']' || c == ')'):
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(text[from:i]))
			from = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[from:]))
}
