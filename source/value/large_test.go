package value_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/value"
)

// TestLargeValues: the protocol cuts what has 16 MiB or more into several
// packets, and ends a whole number of them with an empty one.
func TestLargeValues(t *testing.T) {
	const packet = 1<<24 - 1
	sizes := []int{packet - 64, packet - 1, packet, packet + 1, 2 * packet, 2*packet + 100, 60 << 20}
	s := newSource(t)
	s.exec(t, "DROP DATABASE IF EXISTS value_large")
	s.exec(t, "CREATE DATABASE value_large CHARACTER SET utf8mb4")
	t.Cleanup(func() { s.exec(t, "DROP DATABASE value_large") })
	from := s.position(t)
	s.exec(t, "CREATE TABLE value_large.t (id INT PRIMARY KEY, v LONGBLOB)")
	for i, n := range sizes {
		s.exec(t, fmt.Sprintf("INSERT INTO value_large.t VALUES (%d, CONCAT(REPEAT('%c', %d), x'00'))", i, 'a'+i, n-1))
	}
	sums := s.strings(t, "SELECT SHA2(v, 256) FROM value_large.t ORDER BY id")
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }

	blocks, err := s.blocks(t, "value_large", from)
	require.NoError(t, err)
	at := 0
	for _, b := range blocks[schema.TableID{Database: "value_large", Name: "t"}] {
		for i := range b.Rows() {
			require.Len(t, b.New[1].Bytes(i), sizes[at])
			require.Equal(t, sums[at], sum(b.New[1].Bytes(i)), "from the binlog")
			at++
		}
	}
	require.Len(t, sums, at)

	table := &schema.Table{Columns: []schema.Column{{Name: "v", Type: schema.Type{Kind: schema.Blob}}}}
	require.NoError(t, table.Prepare())
	m, err := value.New(table, 0, nil)
	require.NoError(t, err)
	stmt, err := s.conn.Prepare("SELECT v FROM value_large.t ORDER BY id")
	require.NoError(t, err)
	defer stmt.Close()
	var result mysql.Result
	at = 0
	require.NoError(t, stmt.ExecuteSelectStreaming(&result, func(row []mysql.FieldValue) error {
		var vec schema.Vec
		vec.Reset(schema.VecBytes)
		if err := m.FromStored(&vec, &row[0]); err != nil {
			return err
		}
		require.Equal(t, sums[at], sum(vec.Bytes(0)), "from SELECT")
		at++
		return nil
	}, nil))
	require.Len(t, sums, at)
}
