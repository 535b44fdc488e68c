package connection

import "encoding/binary"

// Answer reads what a broker has answered from its begin to its end.
type Answer struct {
	b     []byte
	short bool
}

// NewAnswer returns the reader of a message behind its length. What is taken lies in b.
func NewAnswer(b []byte) *Answer { return &Answer{b: b} }

// Short tells whether more was asked for than there is.
func (a *Answer) Short() bool { return a.short }

// Take returns the next n bytes; nil where there are fewer.
func (a *Answer) Take(n int) []byte {
	if n < 0 || n > len(a.b) {
		a.short, a.b = true, nil
		return nil
	}
	t := a.b[:n:n]
	a.b = a.b[n:]
	return t
}

// Int16 returns the next number of two bytes; 0 where there is none.
func (a *Answer) Int16() int16 {
	if t := a.Take(2); t != nil {
		return int16(binary.BigEndian.Uint16(t))
	}
	return 0
}

// Int32 returns the next number of four bytes; 0 where there is none.
func (a *Answer) Int32() int32 {
	if t := a.Take(4); t != nil {
		return int32(binary.BigEndian.Uint32(t))
	}
	return 0
}
