package value

// charset is how the bytes of a text column become UTF-8.
type charset uint8

const (
	utf8Text   charset = iota + 1 // already UTF-8: checked
	asciiText                     // checked too
	latin1Text                    // converted
)

var charsets = map[string]charset{"utf8mb4": utf8Text, "utf8mb3": utf8Text, "utf8": utf8Text, "ascii": asciiText, "latin1": latin1Text}
