package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/segmentio/kafka-go"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/connection"
	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
)

// ErrSuperseded says that another source has taken over the log, so this one
// must stop: two were started, or an old one came back to life.
var ErrSuperseded = protocol.ErrSuperseded

// ErrLost is the class of errors that say: the log no longer holds what is to be
// read next. Nothing is skipped; an operator has to decide.
var ErrLost = errors.New("the log does not hold what is to be read next")

// LostError says what of the log is gone.
type LostError struct {
	Topic     string
	Partition int
	Cause     error
	Remedy    string
}

// Error tells cause and remedy.
func (e *LostError) Error() string {
	return fmt.Sprintf("topic %s, partition %d: %v; remedy: %s", e.Topic, e.Partition, e.Cause, e.Remedy)
}

// Is makes a LostError one of the class ErrLost.
func (e *LostError) Is(target error) bool { return target == ErrLost }

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Cause }

// SelectionError says that the log holds transactions, perhaps half of them, that
// were sent under another selection of tables. Their rows are numbered over all
// captured tables, so under this one what is there could not be told from what
// is missing.
type SelectionError struct {
	Was, Is string // selections
	Pending int    // transactions
}

// Error tells cause and remedy.
func (e *SelectionError) Error() string {
	return fmt.Sprintf("the selection of tables has changed from `%s` to `%s`, and what the log holds of the former is not covered by a checkpoint yet (transactions: %d); "+
		"remedy: run once more with `%s` until it has caught up and stop it, then change the selection", e.Was, e.Is, e.Pending, e.Was)
}

const remedyReload = "load the tables again into a new log (another topic prefix and pipeline name, or the topics deleted), or restore the topic; raise the retention if it was too short"

// isTransient tells whether the same request may succeed when it is sent again.
// The outcome of the failed one may be unknown: whoever asks sends the same bytes
// again, and readers drop what arrived twice.
func isTransient(err error) bool {
	var code kafka.Error
	if errors.As(err, &code) {
		switch code {
		case kafka.OffsetOutOfRange, kafka.MessageSizeTooLarge:
			return false
		case kafka.BrokerNotAvailable, kafka.ReplicaNotAvailable, kafka.GroupLoadInProgress, kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup:
			return true
		}
		return code.Temporary() || code.Timeout()
	}
	var refused *connection.Error
	if errors.As(err, &refused) {
		return refused.Passing
	}
	var netError net.Error
	return errors.As(err, &netError) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded) || isUnknownLayout(err)
}

// isProducerLost tells whether the broker does not know our producer's numbers
// any more, as after it lost its state. The log's own numbers make it safe to go
// on as a new producer.
func isProducerLost(err error) bool {
	return errors.Is(err, kafka.OutOfOrderSequenceNumber) || errors.Is(err, kafka.UnknownProducerId) ||
		errors.Is(err, kafka.InvalidProducerEpoch) || errors.Is(err, kafka.DuplicateSequenceNumber) || errors.Is(err, kafka.InvalidProducerIDMapping)
}
