package keyindex

import "github.com/beluga-cdc/beluga/schema"

// Index maps the keys of one table to where their rows are. It is not safe for
// concurrent use.
type Index struct{ n int }

// New returns an empty index with room for capacity keys. exact: the keys are
// single integers (schema.Keyer.Exact).
func New(exact bool, capacity int) *Index { return &Index{} }

// Location packs a file's number and a row's position in it.
func Location(file, row uint32) uint64 { return uint64(file)<<32 | uint64(row) }

// Split is the inverse of Location.
func Split(loc uint64) (file, row uint32) { return uint32(loc >> 32), uint32(loc) }

// Put sets the location of a key and returns the one that it had.
func (x *Index) Put(k schema.Key, loc uint64) (old uint64, had bool) { return 0, false }

// PutRun sets the locations of integer keys that are new to the index, to
// first, first+1, and so on.
func (x *Index) PutRun(keys []int64, first uint64) {}

// Get returns the location of a key.
func (x *Index) Get(k schema.Key) (loc uint64, ok bool) { return 0, false }

// Delete removes a key and returns the location that it had.
func (x *Index) Delete(k schema.Key) (old uint64, had bool) { return 0, false }

// Len returns the number of keys.
func (x *Index) Len() int { return x.n }

// Bytes returns the memory that the index holds.
func (x *Index) Bytes() int { return 0 }

// Range calls fn for every key, in no order, until it returns false. fn must
// not change the index.
func (x *Index) Range(fn func(k schema.Key, loc uint64) bool) {}
