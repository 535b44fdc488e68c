package recordbatch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/recordbatch"
)

var codecs = []recordbatch.Codec{recordbatch.None, recordbatch.Gzip, recordbatch.Snappy, recordbatch.LZ4, recordbatch.Zstd}

type testRecord struct {
	time       int64
	key, value []byte
	headers    []recordbatch.Header
}

func randomRecords(r *rand.Rand) (list []testRecord) {
	data := func() []byte {
		if r.IntN(5) == 0 {
			return nil
		}
		return bytes.Repeat([]byte{byte('a' + r.IntN(26))}, r.IntN(300))
	}
	for range 1 + r.IntN(200) {
		rec := testRecord{time: 1_700_000_000_000 + r.Int64N(1000) - 500, key: data(), value: data()}
		for i := range r.IntN(3) {
			rec.headers = append(rec.headers, recordbatch.Header{Key: fmt.Sprint("h", i), Value: []byte{byte(i)}})
		}
		list = append(list, rec)
	}
	return list
}

func seal(t testing.TB, b *recordbatch.Builder, list []testRecord, c recordbatch.Codec) []byte {
	b.Reset()
	for _, r := range list {
		b.Append(r.time, r.key, r.value, r.headers)
	}
	set, err := new(recordbatch.Sealer).Seal(b, c, recordbatch.Producer{ID: 7, Epoch: 1, Sequence: 40})
	require.NoError(t, err)
	require.EqualValues(t, len(set)-4, binary.BigEndian.Uint32(set))
	return set
}

func read(set []byte) (list []testRecord, err error) {
	var r recordbatch.Reader
	for {
		b, rest, ok, err := recordbatch.Cut(set)
		if err != nil || !ok {
			return list, err
		}
		set = rest
		if err := r.Open(b); err != nil {
			return list, err
		}
		var rec recordbatch.Record
		for {
			ok, err := r.Next(&rec)
			if err != nil {
				return list, err
			}
			if !ok {
				break
			}
			one := testRecord{time: rec.Timestamp, key: bytes.Clone(rec.Key), value: bytes.Clone(rec.Value)}
			for i := range 3 {
				name := fmt.Sprint("h", i)
				if v, ok := rec.Header(name); ok {
					one.headers = append(one.headers, recordbatch.Header{Key: name, Value: bytes.Clone(v)})
				}
			}
			list = append(list, one)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var b recordbatch.Builder
	for i := range 100 {
		want := randomRecords(r)
		got, err := read(seal(t, &b, want, codecs[i%len(codecs)])[4:])
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestOtherParsersReadOurBatches(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	var b recordbatch.Builder
	for _, c := range codecs {
		want := randomRecords(r)
		var set protocol.RecordSet
		_, err := set.ReadFrom(bytes.NewReader(seal(t, &b, want, c)))
		require.NoError(t, err)
		for _, w := range want {
			rec, err := set.Records.ReadRecord()
			require.NoError(t, err)
			key, err := protocol.ReadAll(rec.Key)
			require.NoError(t, err)
			value, err := protocol.ReadAll(rec.Value)
			require.NoError(t, err)
			require.Equal(t, string(w.key), string(key))
			require.Equal(t, string(w.value), string(value))
			require.Equal(t, w.time, rec.Time.UnixMilli())
			require.Len(t, rec.Headers, len(w.headers))
		}
		_, err = set.Records.ReadRecord()
		require.True(t, errors.Is(err, io.EOF))
	}
}

func TestReadsForeignBatches(t *testing.T) {
	for _, c := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		set := protocol.RecordSet{Version: 2, Attributes: protocol.Attributes(c), Records: protocol.NewRecordReader(
			protocol.Record{Time: time.UnixMilli(5), Key: protocol.NewBytes([]byte("k")), Value: protocol.NewBytes(bytes.Repeat([]byte("v"), 100_000))},
			protocol.Record{Time: time.UnixMilli(6), Headers: []protocol.Header{{Key: "h0", Value: []byte("x")}}})}
		var w bytes.Buffer
		_, err := set.WriteTo(&w)
		require.NoError(t, err)
		got, err := read(w.Bytes()[4:])
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Equal(t, "k", string(got[0].key))
		require.Len(t, got[0].value, 100_000)
		require.Nil(t, got[1].key)
		require.Equal(t, "x", string(got[1].headers[0].Value))
	}
}

func TestChangedBatchIsAnError(t *testing.T) {
	var b recordbatch.Builder
	set := seal(t, &b, randomRecords(rand.New(rand.NewPCG(3, 1))), recordbatch.Snappy)[4:]
	for i := 21; i < len(set); i++ { // from the first byte that the sum covers
		set[i] ^= 1
		_, err := read(set)
		require.Error(t, err, "byte %d", i)
		set[i] ^= 1
	}
}

func TestStamp(t *testing.T) {
	var b recordbatch.Builder
	list := randomRecords(rand.New(rand.NewPCG(4, 1)))
	set := seal(t, &b, list, recordbatch.None)
	recordbatch.Stamp(set, recordbatch.Producer{ID: 9, Epoch: 3, Sequence: 1})
	batch, _, ok, err := recordbatch.Cut(set[4:])
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, recordbatch.Producer{ID: 9, Epoch: 3, Sequence: 1}, batch.Producer)
	got, err := read(set[4:])
	require.NoError(t, err)
	require.Equal(t, list, got)
}

// TestCutShort: a broker cuts an answer off at its size, within a batch.
func TestCutShort(t *testing.T) {
	var b recordbatch.Builder
	set := seal(t, &b, randomRecords(rand.New(rand.NewPCG(5, 1))), recordbatch.LZ4)[4:]
	for n := range set {
		_, _, ok, err := recordbatch.Cut(set[:n])
		require.NoError(t, err)
		require.False(t, ok)
	}
}

func FuzzReader(f *testing.F) {
	// Small ones: what is new to the fuzzer it shrinks byte by byte, each time by
	// running it, and does nothing else meanwhile.
	list := []testRecord{{time: 5, key: []byte("k"), value: bytes.Repeat([]byte("v"), 100)}, {time: 6, headers: []recordbatch.Header{{Key: "h", Value: []byte{1}}}}}
	var b recordbatch.Builder
	for _, c := range codecs {
		set := bytes.Clone(seal(f, &b, list, c)[4:])
		require.EqualValues(f, c, set[22], "the records have to be worth compressing")
		f.Add(set)
	}
	f.Fuzz(func(_ *testing.T, set []byte) {
		// The sum would stop nearly everything: give it the right one.
		if b, _, ok, err := recordbatch.Cut(set); err == nil && ok {
			fixed := append([]byte{0, 0, 0, 0}, set...)
			recordbatch.Stamp(fixed[:4+int(binary.BigEndian.Uint32(set[8:]))+12], b.Producer)
			_, _ = read(fixed[4:])
		}
		_, _ = read(set)
	})
}

func BenchmarkBuildAndRead(b *testing.B) {
	value := make([]byte, 700)
	r := rand.New(rand.NewPCG(7, 1))
	for i := range value {
		value[i] = byte('0' + r.IntN(10))
	}
	header := []recordbatch.Header{{Key: "b", Value: make([]byte, 35)}}
	for _, c := range codecs {
		b.Run(c.String(), func(b *testing.B) {
			w := recordbatch.Builder{Expect: 1 << 20}
			var sealer recordbatch.Sealer
			var rd recordbatch.Reader
			b.SetBytes(int64(len(value)))
			for n := 0; n < b.N; {
				w.Reset()
				for w.Size() < 1<<20 {
					w.Append(1, value[:10], value, header)
					n++
				}
				set, err := sealer.Seal(&w, c, recordbatch.NoProducer)
				if err != nil {
					b.Fatal(err)
				}
				batch, _, _, _ := recordbatch.Cut(set[4:])
				if err := rd.Open(batch); err != nil {
					b.Fatal(err)
				}
				var rec recordbatch.Record
				for ok := true; ok; {
					if ok, err = rd.Next(&rec); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
