package schema

// Treatment is what is done to the values of a column before they leave the
// source. It is kept with the table's shape, so that rows of another treatment are
// not mixed with those that are there.
type Treatment struct {
	Kind   TreatmentKind `json:"kind"`
	Length int           `json:"length,omitempty"`  // of a mask, or what is left of a truncated value
	Hash   string        `json:"hash,omitempty"`    // algorithm
	SaltID string        `json:"salt_id,omitempty"` // tells one salt from another and does not give it away
	Salt   []byte        `json:"-"`
}

// TreatmentKind is the kind of a treatment.
type TreatmentKind string

// The treatments.
const (
	Mask     TreatmentKind = "mask"     // asterisks in place of the value, of NULL too
	Truncate TreatmentKind = "truncate" // the first characters, or bytes
	Hash     TreatmentKind = "hash"     // of salt and text, in hexadecimal digits
)

// Same tells whether two treatments make the same of every value.
func (t *Treatment) Same(o *Treatment) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.Kind == o.Kind && t.Length == o.Length && t.Hash == o.Hash && t.SaltID == o.SaltID
}

// Fits tells whether values of a type can be treated so.
func (t *Treatment) Fits(k Kind) bool {
	switch k {
	case Char, VarChar, Text, Enum, Set:
		return true
	case Binary, VarBinary, Blob:
		return t.Kind == Truncate
	}
	return false
}
