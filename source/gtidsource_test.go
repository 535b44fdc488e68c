package source

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beluga-cdc/beluga/schema"
)

// TestGTIDSourcesAsk holds what a connection says it has: of servers that are left
// out no more than the server has, and at least what it has purged.
func TestGTIDSourcesAsk(t *testing.T) {
	const own, left = "aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"
	set := func(text string) schema.GTIDSet {
		s, err := schema.ParseGTIDSet(text)
		require.NoError(t, err)
		return s
	}
	for name, g := range map[string]GTIDSources{"includes": {Includes: []string{own}}, "excludes": {Excludes: []string{"B+-.*"}}} {
		s, err := newGTIDSources(g)
		require.NoError(t, err)
		asked, passed := s.ask(set(own+":1-9,"+left+":4-8"), set(own+":1-2,"+left+":4-5"), set(own+":1-20,"+left+":1-3:7:9:tag:1"))
		require.Equal(t, own+":1-20,"+left+":4-5:7", asked.String(), name)
		require.Equal(t, left+":4-5", passed.String(), name)
		require.Equal(t, own+":1", s.counted(set(own+":1,"+left+":1:tag:1")).String(), name)
	}
	var none gtidSources
	require.Equal(t, left+":1", none.counted(set(left+":1")).String())
	require.ErrorContains(t, GTIDSources{Includes: []string{"("}}.Check(), "--gtid-source-includes")
	require.ErrorContains(t, GTIDSources{KeepRows: true}.Check(), "--gtid-source-filter-rows is off")
}
