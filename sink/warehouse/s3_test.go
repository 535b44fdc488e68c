package warehouse

import (
	"bytes"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

func TestMain(m *testing.M) { servers.Main(m) }

// What is written to S3 is there once it is closed, not before, and is read from any place.
func TestObjects(t *testing.T) {
	server := servers.S3(t)
	opened, err := openS3(t.Context(), nil, server.Properties())
	require.NoError(t, err)
	files := opened.(s3FS)
	in := server.Location(t)
	content := make([]byte, 3*blockSize+blockSize/2)
	rnd := rand.NewChaCha8([32]byte{})
	_, _ = rnd.Read(content)

	w, err := files.CreateFile(in + "/t/data/a")
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	_, err = files.Open(in + "/t/data/a")
	require.ErrorIs(t, err, fs.ErrNotExist)
	size, err := w.Size()
	require.NoError(t, err)
	require.EqualValues(t, len(content), size)
	require.NoError(t, w.Close())
	r, err := files.Open(in + "/t/data/a")
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	part := make([]byte, 2*blockSize)
	n, err := r.ReadAt(part, blockSize-10)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content[blockSize-10:3*blockSize-10], part[:n]))
	n, err = r.ReadAt(part, size-5)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, content[size-5:], part[:n])

	given, err := files.CreateFile(in + "/t/data/given-up")
	require.NoError(t, err)
	require.NoError(t, given.Abort())
	require.NoError(t, files.WriteFile(in+"/t2/b", []byte("b")))
	require.NoError(t, files.Remove(in+"/t/data/given-up"), "it is not there, which is what was asked for")
	require.NoError(t, files.RemoveAll(in+"/t"))
	_, err = files.Open(in + "/t/data/a")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = files.Open(in + "/t2/b")
	require.NoError(t, err, "a folder whose name only begins alike")
}
