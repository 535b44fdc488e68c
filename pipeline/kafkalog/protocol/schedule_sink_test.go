package protocol_test

import (
	"fmt"
	"maps"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
)

func (w *world) newSink() *sink {
	k := &sink{base: w.lake.commits, state: w.lake.state, version: w.lake.version, aligner: protocol.NewAligner(), ops: map[int]int{}, cuts: map[int64]map[int]bool{}}
	for t := range tables {
		passed := map[int]int64{}
		for p := range partitions {
			if tableOf(p) == t {
				passed[p] = k.state[p].Cut
			}
		}
		k.aligner.AddTable(t, passed)
	}
	return k
}

// stepSink takes one record; false when the sink has to start again.
func (w *world) stepSink(k *sink) bool {
	for {
		step, ok, err := k.aligner.Next()
		switch {
		case err != nil:
			w.fail("alignment: %v", err)
			return false
		case !ok:
			w.readOne(k, w.r.IntN(partitions))
			return true
		case step.Version != 0:
			k.version[step.Table] = step.Version
		case !w.commit(k, step.Cut):
			return false
		}
	}
}

func (w *world) readOne(k *sink, p int) {
	st := &k.state[p]
	if !k.aligner.Running(p) || st.Offset >= int64(len(w.log[p])) {
		return
	}
	e := w.log[p][st.Offset]
	w.bend(st, &e.Record)
	v, err := protocol.Fold(st, st.Offset, &e.Record)
	if err != nil {
		w.fail("partition %d: %v", p, err)
	}
	if v != protocol.Accepted {
		return
	}
	switch e.Kind {
	case protocol.Row:
		if e.Version != k.version[tableOf(p)] {
			w.fail("a row of version %d is delivered under version %d", e.Version, k.version[tableOf(p)])
		}
		k.ops[e.key] = e.val
		k.rows = append(k.rows, e)
	case protocol.Cut:
		st.Cut = e.Cut
		k.cuts[e.Cut] = e.passed
		k.aligner.AtCut(p, e.Cut, e.Tables)
	case protocol.DDL:
		if e.Version > st.Schema {
			st.Schema = e.Version
			k.aligner.AtVersion(p, e.Version, e.Reset)
		}
	}
}

// commit compares and swaps. A sink that loses starts again from the lake.
func (w *world) commit(k *sink, cut int64) bool {
	if k.base != w.lake.commits {
		return false
	}
	w.lake.commits++
	k.base = w.lake.commits
	w.lake.state, w.lake.version = k.state, k.version
	for key, val := range k.ops {
		if val < 0 {
			delete(w.lake.rows, key)
		} else {
			w.lake.rows[key] = val
		}
	}
	for _, e := range k.rows {
		id := fmt.Sprint(e.Txn.GTID.N, e.at)
		if w.lake.applied[id]++; w.lake.applied[id] > 1 {
			w.fail("row %s was applied twice", id)
		}
	}
	k.ops, k.rows = map[int]int{}, nil
	if want := w.content(k.cuts[cut]); !maps.Equal(want, w.lake.rows) {
		w.fail("cut %d holds %v and not %v", cut, w.lake.rows, want)
	}
	return true
}
