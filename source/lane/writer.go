package lane

import (
	"context"
	"slices"
	"strings"

	"github.com/beluga-cdc/beluga/pipeline"
	"github.com/beluga-cdc/beluga/schema"
)

// Writer returns the writer that the stream has to send to: what it sends passes by
// the lanes on its way to out.
func (l *Lanes) Writer(out pipeline.Writer) pipeline.Writer { return &writer{Writer: out, lanes: l} }

type writer struct {
	pipeline.Writer
	lanes *Lanes
}

// Send implements pipeline.Writer.
func (w *writer) Send(ctx context.Context, e schema.Event) error {
	switch e := e.(type) {
	case *schema.Block:
		if t := w.lanes.find(e.Table.ID); t != nil {
			return t.pass(ctx, w.Writer, e, w.lanes.cfg.Held)
		}
	case schema.SchemaChange:
		return w.lanes.change(ctx, w.Writer, e)
	case schema.Commit:
		return w.lanes.commit(ctx, w.Writer, e)
	}
	return w.Writer.Send(ctx, e)
}

func (l *Lanes) find(id schema.TableID) *table {
	if l.open.Load() == 0 {
		return nil
	}
	return l.findAny(id)
}

func (l *Lanes) findAny(id schema.TableID) *table {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lanes[id]
}

// pass takes a block of the stream.
func (t *table) pass(ctx context.Context, out pipeline.Writer, b *schema.Block, most int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.whole || t.removed {
		t.note(b)
		return out.Send(ctx, b)
	}
	for t.holding && t.heldBytes > most && !t.idleLocked() {
		// The others wait too: there is one stream.
		t.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-t.let:
		}
		t.mu.Lock()
		if ctx.Err() != nil {
			b.Release()
			return context.Cause(ctx)
		}
	}
	switch {
	case t.idleLocked(): // it has to be read anew anyway
		b.Release()
		return nil
	case t.holding:
		t.held, t.heldBytes = append(t.held, b), t.heldBytes+b.Size()
		return nil
	}
	return t.sendUnseen(ctx, out, b)
}

// sendUnseen sends the changes of a block that the snapshot does not show.
func (t *table) sendUnseen(ctx context.Context, out pipeline.Writer, b *schema.Block) error {
	all := true
	for i := range b.Origins {
		all = all && !t.seen.Covers(&b.Origins[i])
	}
	if all {
		return out.Send(ctx, b)
	}
	defer b.Release()
	for i := range b.Origins {
		end := b.Rows()
		if i+1 < len(b.Origins) {
			end = b.Origins[i+1].Row
		}
		if t.seen.Covers(&b.Origins[i]) || end == b.Origins[i].Row {
			continue
		}
		if err := out.Send(ctx, b.Copy(b.Table, b.Origins[i].Row, end)); err != nil {
			return err
		}
	}
	return nil
}

// change takes a change of shape: one that begins a lane, or meets one.
func (l *Lanes) change(ctx context.Context, out pipeline.Writer, c schema.SchemaChange) error {
	l.mu.Lock()
	was, wished := l.lanes[c.Table.ID], l.due[c.Table.ID]
	l.mu.Unlock()
	switch {
	case was != nil && (c.Lane || c.Reset):
		was.remove()
	case was != nil:
		return was.reshape(ctx, out, c)
	}
	if err := out.Send(ctx, c); err != nil {
		return err
	}
	if t := l.begun(c, wished); t != nil {
		l.tell(t, Started, nil)
		l.signal()
	}
	return nil
}

// begun enters the lane that a change has begun, once that was sent: not before, as
// rows that somebody reads of it must follow. nil: it begins none.
func (l *Lanes) begun(c schema.SchemaChange, wished wish) (t *table) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := c.Table.ID
	if c.Lane || c.Reset {
		if l.due[id] == wished { // nobody has asked again meanwhile
			delete(l.due, id)
		}
		delete(l.again, id)
		delete(l.lanes, id) // of a table that is empty by now, and needs none
	}
	if c.Lane {
		t = l.newTable(c, wished)
		l.lanes[id] = t
	}
	l.open.Store(int64(len(l.lanes)))
	return t
}

// reshape takes a change that the table's lane lives through. Of a table that is read
// as a whole the rows that wait, or are being read, have the old shape: it begins anew.
func (t *table) reshape(ctx context.Context, out pipeline.Writer, c schema.SchemaChange) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	t.shape, t.keyer = c.Table, schema.NewKeyer(c.Table)
	if t.whole && t.holding {
		for _, b := range t.held {
			b.Release()
		}
		t.held, t.heldBytes = nil, 0
		c = schema.SchemaChange{Table: c.Table, Reset: true, Lane: true, Request: t.wish.request, History: t.history}
	}
	return out.Send(ctx, c)
}

// commit sends a Commit with what is in lanes at it. A lane of which all rows are sent
// ends with the first Commit that holds what they may show.
func (l *Lanes) commit(ctx context.Context, out pipeline.Writer, c schema.Commit) error {
	var ended []*table
	l.mu.Lock()
	for id, t := range l.lanes {
		p, done := t.progress(c.Position)
		if done {
			ended = append(ended, t)
			delete(l.lanes, id)
			continue
		}
		c.Loading = append(c.Loading, p)
	}
	l.at = c.Position
	l.open.Store(int64(len(l.lanes)))
	l.mu.Unlock()
	slices.SortFunc(c.Loading, func(a, b schema.Progress) int { return strings.Compare(a.Table.ID.String(), b.Table.ID.String()) })
	if err := out.Send(ctx, c); err != nil {
		return err
	}
	for _, t := range ended {
		t.remove()
		l.tell(t, Completed, nil)
	}
	return nil
}
