package e2e

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/internal/servers"
)

// TestChunkTime loads two tables of a condition that takes time for each row: the
// chunks become smaller until they are the smallest, by number and by position in
// the key, and without the option they stay as they were.
func TestChunkTime(t *testing.T) {
	server := servers.MySQL(t)
	const database, rows, most, least = "e2e_chunk_time", 10_000, 2_000, 1_000
	server.Exec(t, `DROP DATABASE IF EXISTS `+database+`; CREATE DATABASE `+database+`; USE `+database+`; SET cte_max_recursion_depth = 10000;
		CREATE TABLE numbers (id INT PRIMARY KEY, v INT); CREATE TABLE names (id VARCHAR(9) PRIMARY KEY, v INT);
		INSERT INTO numbers WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i, i FROM n;
		INSERT INTO names SELECT CONCAT('k', id * 7919 % 99991), id FROM numbers; ANALYZE TABLE numbers, names`)
	// The chunks' sizes, of each table in the order of their being read.
	load := func(chunkTime, condition string) map[string][]int {
		said := runs(t, "run", "--once", "--from", server.URL(database), "--to", t.TempDir()+"/lake", "--log-level", "debug", "--snapshot-max-threads", "1",
			"--snapshot-chunk-rows", strconv.Itoa(most), "--snapshot-chunk-time", chunkTime, "--snapshot-filter", database+`\..* where `+condition)
		sizes := map[string][]int{}
		for _, m := range regexp.MustCompile(`chunk read.* table=`+database+`\.(\w+) rows_planned=(\d+)`).FindAllStringSubmatch(said, -1) {
			n, err := strconv.Atoi(m[2])
			require.NoError(t, err)
			sizes[m[1]] = append(sizes[m[1]], n)
		}
		require.Contains(t, said, "rows="+strconv.Itoa(2*rows))
		return sizes
	}
	for table, sizes := range load("5ms", "SLEEP(0.00001) = 0") { // which a thousand of these exceed
		require.Equal(t, most, sizes[0], table)
		require.Equal(t, least, sizes[len(sizes)-1], table)
		require.Greater(t, len(sizes), rows/most+1, table)
		require.IsDecreasing(t, distinct(sizes), table)
	}
	for table, sizes := range load("0", "TRUE") {
		require.Equal(t, []int{most}, distinct(sizes), table)
	}
}

// distinct drops repetitions that stand side by side.
func distinct(list []int) (out []int) {
	for _, n := range list {
		if len(out) == 0 || out[len(out)-1] != n {
			out = append(out, n)
		}
	}
	return out
}
