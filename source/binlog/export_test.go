package binlog

import (
	"context"
	"syscall"
	"time"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// ProcessorTime returns the processor time that this process used.
func ProcessorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ListFiles returns the files of a server's binlog up to one.
func ListFiles(ctx context.Context, cfg Config, last string) ([]string, error) {
	r := newRun(cfg, pipeline.Resume{Position: schema.Position{File: last}}, nil)
	return r.listFiles(ctx)
}
