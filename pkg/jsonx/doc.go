// Package jsonx reads and writes JSON on the hot path. A Doc indexes a text in one
// pass, after which values are found without parsing again; errors and values know
// their path ("messages[2].content"). Decode reads a small body into a struct,
// strictly. The Append functions write into a caller's buffer without allocating.
package jsonx

import (
	"fmt"
	"math"
)

// Mode is how strict Parse is where RFC 8259 leaves the choice.
type Mode uint8

// The modes. Both refuse what is not JSON.
const (
	// Strict is for callers' bodies: duplicate members and invalid UTF-8 are errors.
	Strict Mode = iota
	// Lenient is for providers' answers: the last of duplicate members is as good as the
	// first, and invalid UTF-8 reads as U+FFFD.
	Lenient
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 128

// MaxSize limits the text that Parse takes, in bytes.
const MaxSize = math.MaxInt32

// A SyntaxError says why and where a text is not JSON, or not acceptable.
type SyntaxError struct {
	Offset int    // of the byte at which it was noticed
	Path   string // of the value that was being read; empty at the top
	Msg    string

	wellFormed bool // it is JSON, but a member is there twice, or there are too many values
}

func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s (at byte %d)", e.Msg, e.Offset)
	}
	return fmt.Sprintf("%s: %s (at byte %d)", e.Path, e.Msg, e.Offset)
}

// Kind is the kind of a value.
type Kind uint8

// The kinds. Missing is the kind of a Value that was looked for and is not there.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String names the kind with its article, for messages: "a string".
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "a string"
	case Array:
		return "an array"
	case Object:
		return "an object"
	}
	return "nothing"
}

const (
	escaped    = 1 << iota // the string has backslashes
	wide                   // the string has bytes outside ASCII
	keyEscaped             // the same of the member's name
	keyWide
)

// A node is one value. Nodes stand in the order of the text, so that a container's
// first child follows it, and next skips its whole subtree.
type node struct {
	kind             Kind
	flags            uint8
	start, end       int32 // of the text; of strings without the quotes
	keyStart, keyEnd int32 // without the quotes; both 0 if it is no member
	next             int32
	n                int32 // children
}

// MaxValues is how many values a text of a caller's may have, which is parsed in the mode Strict: a value of two bytes
// costs an index entry of 32. Answers of providers may have more: vectors are millions of numbers.
const MaxValues = 1 << 19

// A Doc is a parsed text. The zero value is ready; Parse may be called again and
// again, and reuses memory. It is not safe for concurrent use while parsing.
type Doc struct {
	src   []byte
	nodes []node
	mode  Mode
}

// Parse indexes the text, which must stay unchanged as long as values of it are in
// use. White space may surround it; anything else after it is an error. The error is a
// *SyntaxError. After an error the document is empty.
func (d *Doc) Parse(src []byte, mode Mode) error {
	d.src, d.nodes, d.mode = src, d.nodes[:0], mode
	if len(src) > MaxSize {
		d.src = nil
		return &SyntaxError{Msg: "the text is too long"}
	}
	p := parser{Doc: d}
	i, err := p.document()
	if err != nil {
		err.Offset = i
		d.src, d.nodes = nil, d.nodes[:0]
		return err
	}
	return nil
}

// Release forgets the text but keeps the memory of the index for the next Parse,
// unless it grew beyond limit nodes (of 32 bytes).
func (d *Doc) Release(limit int) {
	d.src = nil
	if cap(d.nodes) > limit {
		d.nodes = nil
	}
	d.nodes = d.nodes[:0]
}

// Root returns the outermost value.
func (d *Doc) Root() Value {
	if len(d.nodes) == 0 {
		return Value{}
	}
	return Value{d: d, end: int32(len(d.nodes))}
}

// Parse parses the text as Doc.Parse does, into a new document.
func Parse(src []byte, mode Mode) (Value, error) {
	d := new(Doc)
	if err := d.Parse(src, mode); err != nil {
		return Value{}, err
	}
	return d.Root(), nil
}
