package protocol_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/beluga-cdc/beluga/pipeline/kafkalog/protocol"
)

func (w *world) newSink() *sink {
	k := &sink{base: w.lake.commits, state: w.lake.state, version: w.lake.version, aligner: protocol.NewAligner(), ops: map[int]int{}, forms: map[[2]int64]protocol.Record{}, again: w.lake.again, cuts: map[int64]entry{}}
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
			k.change(step.Table, step.Version)
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
		if k.aligner.Void(p, e.Version) {
			return
		}
		if e.Version != k.version[tableOf(p)] {
			w.fail("a row of version %d is delivered under version %d", e.Version, k.version[tableOf(p)])
		}
		k.ops[e.key] = e.val
		k.rows = append(k.rows, e)
	case protocol.Cut:
		st.Cut = e.Cut
		k.cuts[e.Cut] = e
		k.aligner.AtCut(p, e.Cut, e.Tables)
	case protocol.DDL:
		if e.Version > st.Schema {
			st.Schema = e.Version
			k.forms[[2]int64{int64(tableOf(p)), e.Version}] = e.Record
			k.aligner.AtVersion(p, e.Version, e.Reset)
		}
	}
}

// change takes a version that all partitions of its table have.
func (k *sink) change(table int, version int64) {
	k.version[table] = version
	switch form := k.forms[[2]int64{int64(table), version}]; {
	case form.Reset:
		k.void[table], k.again[table] = true, false
		maps.DeleteFunc(k.ops, func(key, _ int) bool { return tableOf(partitionOf(key)) == table })
		k.rows = slices.DeleteFunc(k.rows, func(e entry) bool { return tableOf(partitionOf(e.key)) == table })
	case form.Continued:
		k.again[table] = true
	}
}

// commit compares and swaps. A sink that loses starts again from the lake.
func (w *world) commit(k *sink, cut int64) bool {
	if k.base != w.lake.commits {
		return false
	}
	w.lake.commits++
	k.base = w.lake.commits
	w.lake.state, w.lake.version, w.lake.again = k.state, k.version, k.again
	for t, void := range k.void {
		if void {
			w.lake.applied[t] = map[string]int{}
			maps.DeleteFunc(w.lake.rows, func(key, _ int) bool { return tableOf(partitionOf(key)) == t })
		}
	}
	for key, val := range k.ops {
		if val < 0 {
			delete(w.lake.rows, key)
		} else {
			w.lake.rows[key] = val
		}
	}
	for _, e := range k.rows {
		t, id := tableOf(partitionOf(e.key)), fmt.Sprint(e.Txn.GTID.N, e.at, e.key)
		if w.lake.applied[t][id]++; w.lake.applied[t][id] > 1 && !k.again[t] && (t == 0 || e.at != -2) {
			w.fail("row %s was applied twice", id)
		}
	}
	k.ops, k.rows, k.void = map[int]int{}, nil, [tables]bool{}
	want, got := w.content(k.cuts[cut].passed), maps.Clone(w.lake.rows)
	for t := range k.cuts[cut].lanes {
		hidden := func(key, _ int) bool { return tableOf(partitionOf(key)) == t }
		maps.DeleteFunc(want, hidden)
		maps.DeleteFunc(got, hidden)
	}
	if !maps.Equal(want, got) {
		w.fail("cut %d holds %v and not %v", cut, got, want)
	}
	return true
}
