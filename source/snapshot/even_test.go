package snapshot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
	"github.com/beluga-cdc/beluga/schema"
	"github.com/beluga-cdc/beluga/source/snapshot"
)

// TestChunksAreEven holds what finding bounds costs, and that no chunk has more
// rows than it may, whatever the distribution of the key: each entry of the index is
// looked at once at most, and none where numbers can be counted off instead. Where
// the index is walked, only the last chunk has fewer rows.
func TestChunksAreEven(t *testing.T) {
	server := servers.MySQL(t)
	const rows, most = 5000, 300
	for _, c := range []struct {
		name, key, value string
		walked           bool
	}{
		{"dense integers", "id BIGINT PRIMARY KEY", "i", false},
		{"integers with holes", "id BIGINT PRIMARY KEY", "i * 3", false},
		{"integers with large holes", "id INT UNSIGNED PRIMARY KEY", "i * 1000", true},
		{"integers, most of them at one end", "id BIGINT PRIMARY KEY", "IF(i < 4900, i, i * i)", true},
		{"integers, most of them together", "id BIGINT PRIMARY KEY", "IF(i < 4995, i, 5000 + (i - 4995) * 2500)", false},
		{"UUID as text", "id CHAR(36) PRIMARY KEY", "UUID()", true},
		{"UUID as bytes", "id BINARY(16) PRIMARY KEY", "RANDOM_BYTES(16)", true},
		{"text, case ignored", "id VARCHAR(60) PRIMARY KEY", "CONCAT(IF(i % 2, 'User', 'user'), i * 7919 % 4999, '-', i)", true},
		{"a common prefix", "id VARCHAR(60) COLLATE utf8mb4_bin PRIMARY KEY", "CONCAT(REPEAT('x', 40), i)", true},
		{"several columns", "a INT, b VARCHAR(20), c DATE, PRIMARY KEY (a, b, c)", "i % 7, CONCAT('x', i), '2020-01-01'", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			name, db := database(t, server)
			server.Exec(t, "USE "+name+"; SET cte_max_recursion_depth = 5000; CREATE TABLE t ("+c.key+", v INT)"+
				"; INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT "+c.value+", i FROM n; ANALYZE TABLE t")
			cfg := config(t, server, name)
			cfg.ChunkRows = most
			_, opening := executed(t, db, func() { open(t, cfg).Close() })
			var chunks []snapshot.Chunk
			_, examined := executed(t, db, func() {
				s := open(t, cfg)
				defer s.Close()
				for chunk, err := range s.Chunks(t.Context(), s.Tables[0]) {
					require.NoError(t, err)
					chunks = append(chunks, chunk)
				}
			})
			if c.walked {
				require.LessOrEqual(t, examined-opening, rows+len(chunks))
			} else {
				require.Equal(t, opening, examined)
			}
			s := open(t, cfg)
			total := 0
			for i, chunk := range chunks {
				n := 0
				require.NoError(t, s.Read(t.Context(), 0, chunk, func(b *schema.Block) error {
					n += b.Rows()
					b.Release()
					return nil
				}))
				require.LessOrEqual(t, n, most)
				if c.walked && i < len(chunks)-1 {
					require.Equal(t, most, n)
				}
				total += n
			}
			require.Equal(t, rows, total)
		})
	}
}
