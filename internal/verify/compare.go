package verify

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/beluga-cdc/beluga/schema"
)

// comparison is the comparison of one table over all rounds.
type comparison struct {
	v      *Verifier
	result Result
	// all: every row has to be looked at; else only those of pending.
	all     bool
	pending map[schema.Key]sighting
	// crowded counts the rounds that found more differences than are followed,
	// faults those that found result.Fault.
	crowded, faults int
}

// pair is what both sides have under one key.
type pair struct{ source, lake rowSet }

// sighting is a pair, and in how many rounds in a row it was seen.
type sighting struct {
	pair
	times int
}

// enough is in how many rounds in a row a difference must be seen while both
// sides move. Two prove it of a row whose values never come back. A flag that is
// switched all the time may show the same wrong pair again by chance, one time in
// four each round.
const enough = 5

// round is a pair of states.
type round struct {
	source, lake State
	same         bool // both at the same position
	last         bool // the lake stands still: there is no use in another round
}

// settles tells whether what was seen so often is so for good.
func (r *round) settles(times int) bool { return r.same || r.last || times >= enough }

// bytesPerRow is what a row takes while it is compared: an entry of a map for
// each side.
const bytesPerRow = 160

func (c *comparison) settled() bool { return !c.all && len(c.pending) == 0 }

// compare looks at the table in a pair of states.
func (c *comparison) compare(ctx context.Context, r *round) error {
	p, fault := newProjection(r.source.Table(c.result.Table), r.lake.Table(c.result.Table))
	if fault != c.result.Fault {
		c.result.Fault, c.faults = fault, 0
	}
	if fault != "" {
		// A new table or column may be on its way as a row may.
		c.faults++
		c.pending, c.all = nil, !r.settles(c.faults)
		return nil
	}
	if !c.all {
		found, err := c.compareKeys(ctx, r, p)
		if err != nil {
			return err
		}
		return c.decide(ctx, r, p, found)
	}
	found, more, err := c.compareAll(ctx, r, p)
	if err != nil {
		return err
	}
	if more {
		c.crowded++
		if !r.settles(c.crowded) {
			return nil // mostly a lake that is behind: look at all rows again
		}
		c.result.More = true
		r = &round{source: r.source, lake: r.lake, last: true}
	}
	c.all = false
	return c.decide(ctx, r, p, found)
}

// decide parts what differs in this round into what differs for good, which
// goes to the result, and what has to be looked at again.
func (c *comparison) decide(ctx context.Context, r *round, p *projection, found map[schema.Key]pair) error {
	before := c.pending
	c.pending = map[schema.Key]sighting{}
	show := map[schema.Key]*Row{}
	for k, now := range found {
		s := sighting{now, 1}
		if then, ok := before[k]; ok && then.pair == now {
			s.times += then.times
		}
		if !r.settles(s.times) {
			c.pending[k] = s
			continue
		}
		switch {
		case now.lake.rows == 0:
			c.result.Missing++
		case now.source.rows == 0:
			c.result.Extra++
		default:
			c.result.Different++
		}
		if len(c.result.Shown)+len(show) < c.v.Options.Show {
			show[k] = &Row{SourceRows: now.source.rows, LakeRows: now.lake.rows}
		}
	}
	if len(show) == 0 {
		return nil
	}
	if err := c.fetch(ctx, r, p, show); err != nil {
		return err
	}
	c.result.Shown = append(c.result.Shown, sortedRows(show)...)
	return nil
}

// compareAll finds all keys whose rows differ; more: it gave up after
// Options.Most of them.
func (c *comparison) compareAll(ctx context.Context, r *round, p *projection) (found map[schema.Key]pair, more bool, err error) {
	source, lake := newDigest(), newDigest()
	if err := c.each(ctx, r, p, source.add, lake.add); err != nil {
		return nil, false, err
	}
	c.result.SourceRows, c.result.LakeRows = source.rows, lake.rows
	found = map[schema.Key]pair{}
	for _, buckets := range passes(source, lake, max(1, c.v.Options.Memory/bytesPerRow)) {
		err := c.collect(ctx, r, p, found, func(k schema.Key) bool { return buckets[bucketOf(k)] })
		if err != nil {
			return nil, false, err
		}
		if len(found) > c.v.Options.Most {
			return found, true, nil
		}
	}
	return found, false, nil
}

// compareKeys finds which of the keys of pending still differ.
func (c *comparison) compareKeys(ctx context.Context, r *round, p *projection) (map[schema.Key]pair, error) {
	found := map[schema.Key]pair{}
	err := c.collect(ctx, r, p, found, func(k schema.Key) bool { _, ok := c.pending[k]; return ok })
	return found, err
}

// collect reads the rows of the wanted keys on both sides and puts those that
// differ into found.
func (c *comparison) collect(ctx context.Context, r *round, p *projection, found map[schema.Key]pair, wanted func(schema.Key) bool) error {
	source, lake := map[schema.Key]rowSet{}, map[schema.Key]rowSet{}
	into := func(m map[schema.Key]rowSet) func(key, row schema.Key) {
		return func(key, row schema.Key) {
			if wanted(key) {
				s := m[key]
				s.add(row)
				m[key] = s
			}
		}
	}
	if err := c.each(ctx, r, p, into(source), into(lake)); err != nil {
		return err
	}
	for k, s := range source {
		if both := (pair{s, lake[k]}); both.source != both.lake {
			found[k] = both
		}
	}
	for k, l := range lake {
		if _, ok := source[k]; !ok {
			found[k] = pair{lake: l}
		}
	}
	return nil
}

// each reads both sides at the same time and passes the hashes of every row's
// key and of the whole row to the side's function.
func (c *comparison) each(ctx context.Context, r *round, p *projection, source, lake func(key, row schema.Key)) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, side := range []struct {
		state   State
		columns []int
		fn      func(key, row schema.Key)
		name    string
	}{{r.source, nil, source, "source"}, {r.lake, p.lake, lake, "lake"}} {
		g.Go(func() error {
			keyer, rower := p.keyers()
			var image []schema.Vec
			err := side.state.Read(ctx, c.result.Table, func(b *schema.Block) error {
				image = project(image, b.New, side.columns)
				for i := range b.Rows() {
					side.fn(keyer.Key(image, i), rower.Key(image, i))
				}
				c.v.Rows.Add(int64(b.Rows()))
				return ctx.Err()
			})
			if err != nil {
				return fmt.Errorf("reading the %s: %w", side.name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// projection brings the lake's columns into the source's order.
type projection struct {
	table *schema.Table // the source's
	lake  []int         // by the source's ordinal, the lake's
}

// newProjection returns how the lake's shape maps to the source's, or why it
// does not.
func newProjection(source, lake *schema.Table) (*projection, string) {
	switch {
	case source == nil && lake == nil:
		return nil, "neither side has the table"
	case source == nil:
		return nil, "the source does not have the table"
	case lake == nil:
		return nil, "the lake does not have the table"
	}
	d := schema.DiffTables(lake, source)
	d.Moved = false
	if !d.IsEmpty() {
		return nil, "from the lake's table to the source's: " + d.Describe(lake, source)
	}
	p := &projection{table: source}
	for _, col := range source.Columns {
		p.lake = append(p.lake, lake.Column(col.Name))
	}
	return p, ""
}

// keyers returns the keyers of one reader. Rows of a table without a key are
// their own key.
func (p *projection) keyers() (key, row *schema.Keyer) {
	return schema.NewKeyer(p.table), schema.NewRowKeyer(p.table)
}

// project returns the vectors in the order of columns, reusing image; all as
// they are where columns is nil.
func project(image, vecs []schema.Vec, columns []int) []schema.Vec {
	if columns == nil {
		return vecs
	}
	image = image[:0]
	for _, j := range columns {
		image = append(image, vecs[j])
	}
	return image
}
