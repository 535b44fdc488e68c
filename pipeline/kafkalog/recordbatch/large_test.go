package recordbatch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatIsWrittenIsNotTooLargeToBeRead: zeros of any length shrink to what a
// broker takes, and a reader would refuse to inflate them for ever. So such a batch
// travels plain, where the broker's own limit judges it.
func TestWhatIsWrittenIsNotTooLargeToBeRead(t *testing.T) {
	value := make([]byte, maxRecords)
	var b Builder
	b.Append(1, nil, value, nil)
	for _, codec := range []Codec{Gzip, Snappy, LZ4, Zstd} {
		set, err := new(Sealer).Seal(&b, codec, NoProducer)
		require.NoError(t, err)
		batch, _, ok, err := Cut(set[setPrefix:])
		require.NoError(t, err)
		require.True(t, ok)
		var r Reader
		require.NoError(t, r.Open(batch), codec)
		var rec Record
		ok, err = r.Next(&rec)
		require.NoError(t, err)
		require.True(t, ok)
		require.Len(t, rec.Value, len(value))
	}
}
