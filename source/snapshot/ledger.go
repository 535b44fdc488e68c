package snapshot

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/go-mysql-org/go-mysql/mysql"

	"github.com/beluga-cdc/beluga/schema"
)

// ledger keeps which ranges of a table's key are still to be read.
type ledger struct {
	progress schema.Progress // but for its Rest
	begun    bool            // by an earlier snapshot

	mu   sync.Mutex
	rest []*Chunk // without overlap; what is being read is among them
}

// split takes a planned chunk out of the range that begins with it.
func (l *ledger) split(from *Chunk, c Chunk) *Chunk {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.rest, from)
	if c.upper == nil || equalBounds(c.upper, from.upper) {
		*from = c
		return from
	}
	from.lower = c.upper
	l.rest = slices.Insert(l.rest, i, &c)
	return &c
}

// done notes that a chunk was sent, and returns how far the load is by that.
func (l *ledger) done(c *Chunk) (schema.Progress, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = slices.DeleteFunc(l.rest, func(r *Chunk) bool { return r == c })
	p := l.progress
	for _, r := range l.rest {
		one, err := r.encode()
		if err != nil {
			return p, err
		}
		p.Rest = append(p.Rest, one)
	}
	return p, nil
}

func equalBounds(a, b []any) bool { return len(a) == len(b) && equalKey(a, b) }

// encode writes the chunk's bounds in a form that outlives the process.
func (c *Chunk) encode() (r schema.Range, err error) {
	if r.Lower, err = encodeBound(c.lower); err == nil {
		r.Upper, err = encodeBound(c.upper)
	}
	return r, err
}

// decode is the inverse of encode.
func (c *Chunk) decode(r schema.Range) (err error) {
	if c.lower, err = decodeBound(r.Lower); err == nil {
		c.upper, err = decodeBound(r.Upper)
	}
	return err
}

// encodeBound writes each value as a letter for its type, and its text. Bytes
// need not be UTF-8, as JSON would have it.
func encodeBound(values []any) (string, error) {
	if values == nil {
		return "", nil
	}
	texts := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case int64:
			texts[i] = "i" + strconv.FormatInt(v, 10)
		case uint64:
			texts[i] = "u" + strconv.FormatUint(v, 10)
		case string:
			texts[i] = "s" + base64.StdEncoding.EncodeToString([]byte(v))
		case mysql.TypedBytes:
			letter := "b"
			if v.Type == mysql.MYSQL_TYPE_NEWDECIMAL {
				letter = "d"
			}
			texts[i] = letter + base64.StdEncoding.EncodeToString(v.Bytes)
		default:
			return "", fmt.Errorf("a bound of type %T", v)
		}
	}
	b, err := json.Marshal(texts)
	return string(b), err
}

func decodeBound(text string) ([]any, error) {
	if text == "" {
		return nil, nil
	}
	var texts []string
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, fmt.Errorf("decoding the bound %s: %w", text, err)
	}
	values := make([]any, len(texts))
	for i, t := range texts {
		var err error
		if values[i], err = decodeValue(t); err != nil {
			return nil, fmt.Errorf("decoding the bound %s: %w", text, err)
		}
	}
	return values, nil
}

func decodeValue(text string) (any, error) {
	if text == "" {
		return nil, errors.New("a value is empty")
	}
	letter, rest := text[0], text[1:]
	switch letter {
	case 'i':
		return strconv.ParseInt(rest, 10, 64)
	case 'u':
		return strconv.ParseUint(rest, 10, 64)
	}
	b, err := base64.StdEncoding.DecodeString(rest)
	switch letter {
	case 's':
		return string(b), err
	case 'd':
		return mysql.TypedBytes{Type: mysql.MYSQL_TYPE_NEWDECIMAL, Bytes: b}, err
	case 'b':
		return mysql.TypedBytes{Type: mysql.MYSQL_TYPE_BLOB, Bytes: b}, err
	}
	return nil, fmt.Errorf("a value of type %c was written by another version of Beluga", letter)
}
