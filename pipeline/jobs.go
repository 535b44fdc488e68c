package pipeline

import (
	"context"

	"github.com/beluga-cdc/beluga/schema"
)

// job is one call of the sink, exactly one field is set.
type job struct {
	define     *schema.SchemaChange
	write      *TableChanges
	checkpoint []schema.Progress
	commit     *schema.Commit
}

// jobs is the queue between the batcher and the sink, in order. One batch is built
// while the one before is written: more would only stand in memory. Rows of lanes do
// not count in that, as whoever reads them is held back already. If they did, the
// batcher would stand still with them whenever a commit is under way, and then cut at
// a Commit that had waited behind them: the others' lag would grow by a commit.
type jobs struct {
	queue chan job
	room  chan struct{}
}

const (
	jobsAhead       = 2  // one that is done, and one that waits
	laneBlocksAhead = 16 // a log does not bound them otherwise
)

func newJobs() *jobs {
	return &jobs{queue: make(chan job, jobsAhead+laneBlocksAhead), room: make(chan struct{}, jobsAhead)}
}

func (j *job) ofLane() bool { return j.write != nil && j.write.Lane }

// send waits for room.
func (q *jobs) send(ctx context.Context, j job) error {
	if !j.ofLane() {
		select {
		case q.room <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	select {
	case q.queue <- j:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// done makes room again.
func (q *jobs) done(j *job) {
	if !j.ofLane() {
		<-q.room
	}
}
