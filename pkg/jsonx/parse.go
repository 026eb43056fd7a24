package jsonx

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// A parser walks the text by recursive descent. Its methods return the index after
// what they read or, with an error, the index of the offending byte; on the way out
// each level puts its segment before the error's path.
type parser struct {
	*Doc
	depth int
}

func (p *parser) document() (int, *SyntaxError) {
	i := p.space(0)
	if i == len(p.src) {
		return i, &SyntaxError{Msg: "the text is empty"}
	}
	i, err := p.value(i)
	if err != nil {
		return i, err
	}
	if i = p.space(i); i < len(p.src) {
		return i, &SyntaxError{Msg: "expected the end, got " + p.show(i)}
	}
	return i, nil
}

func (p *parser) space(i int) int {
	for i < len(p.src) {
		switch p.src[i] {
		case ' ', '\n', '\r', '\t':
			i++
		default:
			return i
		}
	}
	return i
}

// show names the byte at i for a message.
func (p *parser) show(i int) string {
	switch {
	case i >= len(p.src):
		return "the end of the text"
	case p.src[i] < 0x20 || p.src[i] >= 0x7f:
		return fmt.Sprintf("the byte 0x%02x", p.src[i])
	}
	return fmt.Sprintf("%q", p.src[i])
}

func (p *parser) add(kind Kind, flags uint8, start, end int) int {
	p.nodes = append(p.nodes, node{kind: kind, flags: flags, start: int32(start), end: int32(end), next: int32(len(p.nodes) + 1)})
	return len(p.nodes) - 1
}

func (p *parser) value(i int) (int, *SyntaxError) {
	if p.mode == Strict && len(p.nodes) >= MaxValues {
		return i, &SyntaxError{Msg: fmt.Sprintf("the text has more than %d values", MaxValues), wellFormed: true}
	}
	if i >= len(p.src) {
		return i, &SyntaxError{Msg: "expected a value, got the end of the text"}
	}
	switch c := p.src[i]; c {
	case '"':
		end, flags, err := p.str(i + 1)
		if err != nil {
			return end, err
		}
		p.add(String, flags, i+1, end)
		return end + 1, nil
	case '{':
		return p.container(i, Object)
	case '[':
		return p.container(i, Array)
	case 't':
		return p.literal(i, "true", Bool)
	case 'f':
		return p.literal(i, "false", Bool)
	case 'n':
		return p.literal(i, "null", Null)
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return p.number(i)
		}
		return i, &SyntaxError{Msg: "expected a value, got " + p.show(i)}
	}
}

func (p *parser) literal(i int, word string, kind Kind) (int, *SyntaxError) {
	end := i + len(word)
	if end > len(p.src) || string(p.src[i:end]) != word {
		return i, &SyntaxError{Msg: "expected a value, got " + p.show(i)}
	}
	p.add(kind, 0, i, end)
	return end, nil
}

func (p *parser) digits(i int) int {
	for i < len(p.src) && p.src[i] >= '0' && p.src[i] <= '9' {
		i++
	}
	return i
}

func (p *parser) number(start int) (int, *SyntaxError) {
	i := start
	if p.src[i] == '-' {
		i++
	}
	first := i
	if i = p.digits(i); i == first {
		return i, &SyntaxError{Msg: "expected a digit, got " + p.show(i)}
	}
	if p.src[first] == '0' && i > first+1 {
		return first, &SyntaxError{Msg: "a number must not begin with a zero"}
	}
	if i < len(p.src) && p.src[i] == '.' {
		first = i + 1
		if i = p.digits(first); i == first {
			return i, &SyntaxError{Msg: "expected a digit, got " + p.show(i)}
		}
	}
	if i < len(p.src) && p.src[i]|0x20 == 'e' {
		if i++; i < len(p.src) && (p.src[i] == '+' || p.src[i] == '-') {
			i++
		}
		first = i
		if i = p.digits(first); i == first {
			return i, &SyntaxError{Msg: "expected a digit, got " + p.show(i)}
		}
	}
	p.add(Number, 0, start, i)
	return i, nil
}

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special has the high bit of each byte that a string cannot simply contain: quotes,
// backslashes and control characters. Only the lowest such bit is to be trusted.
func special(w uint64) uint64 {
	quote := w ^ lows*'"'
	slash := w ^ lows*'\\'
	return ((quote-lows)&^quote | (slash-lows)&^slash | (w-lows*0x20)&^w) & highs
}

// str reads a string from behind its opening quote to its closing quote, whose
// index it returns.
func (p *parser) str(start int) (int, uint8, *SyntaxError) {
	var flags uint8
	var high uint64
	src, i := p.src, start
	for {
		for i+8 <= len(src) {
			w := binary.LittleEndian.Uint64(src[i:])
			if m := special(w); m != 0 {
				n := bits.TrailingZeros64(m) >> 3
				high |= w & (1<<(8*n) - 1)
				i += n
				break
			}
			high |= w
			i += 8
		}
		for ; i < len(src); i++ {
			c := src[i]
			if c == '"' || c == '\\' || c < 0x20 {
				break
			}
			high |= uint64(c)
		}
		if i >= len(src) {
			return i, 0, &SyntaxError{Msg: "expected a closing quote, got the end of the text"}
		}
		switch c := src[i]; {
		case c == '"':
			if high&highs != 0 {
				flags |= wide
				if p.mode == Strict && !utf8.Valid(src[start:i]) {
					return start, 0, &SyntaxError{Msg: "the text is not valid UTF-8"}
				}
			}
			return i, flags, nil
		case c == '\\':
			flags |= escaped
			n, err := p.escape(i)
			if err != nil {
				return n, 0, err
			}
			i = n
		case c < 0x20:
			return i, 0, &SyntaxError{Msg: fmt.Sprintf("a string holds the control character 0x%02x unescaped", c)}
		}
	}
}

func (p *parser) escape(i int) (int, *SyntaxError) {
	if i+1 < len(p.src) {
		switch p.src[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			return i + 2, nil
		case 'u':
			if _, ok := hex4(p.src[i+2:]); ok {
				return i + 6, nil
			}
		}
	}
	return i, &SyntaxError{Msg: "a string holds a backslash that escapes nothing"}
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (p *parser) container(i int, kind Kind) (int, *SyntaxError) {
	if p.depth++; p.depth > MaxDepth {
		return i, &SyntaxError{Msg: fmt.Sprintf("nested deeper than %d levels", MaxDepth)}
	}
	self := p.add(kind, 0, i, i)
	closing, read := byte(']'), p.element
	if kind == Object {
		closing, read = '}', p.member
	}
	n := int32(0)
	i = p.space(i + 1)
	if i < len(p.src) && p.src[i] == closing {
		i++
	} else {
		for more := true; more; n++ {
			var err *SyntaxError
			if i, err = read(i, n); err != nil {
				return i, err
			}
			i = p.space(i)
			switch {
			case i < len(p.src) && p.src[i] == ',':
				i = p.space(i + 1)
			case i < len(p.src) && p.src[i] == closing:
				i, more = i+1, false
			default:
				return i, &SyntaxError{Msg: fmt.Sprintf("expected a comma or %q, got %s", closing, p.show(i))}
			}
		}
	}
	p.depth--
	p.nodes[self].end, p.nodes[self].next, p.nodes[self].n = int32(i), int32(len(p.nodes)), n
	if kind == Object && p.mode == Strict && n > 1 {
		return i, p.unique(self)
	}
	return i, nil
}

func (p *parser) element(i int, n int32) (int, *SyntaxError) {
	i, err := p.value(i)
	if err != nil {
		err.Path = join(fmt.Sprintf("[%d]", n), err.Path)
	}
	return i, err
}

func (p *parser) member(i int, _ int32) (int, *SyntaxError) {
	if i >= len(p.src) || p.src[i] != '"' {
		return i, &SyntaxError{Msg: "expected a member's name in quotes, got " + p.show(i)}
	}
	keyStart := i + 1
	keyEnd, flags, err := p.str(keyStart)
	if err != nil {
		return keyEnd, err
	}
	if i = p.space(keyEnd + 1); i >= len(p.src) || p.src[i] != ':' {
		return i, &SyntaxError{Msg: "expected a colon after a member's name, got " + p.show(i)}
	}
	self := len(p.nodes)
	i, err = p.value(p.space(i + 1))
	if err != nil {
		err.Path = join(segment(unescape(p.src[keyStart:keyEnd], flags)), err.Path)
		return i, err
	}
	m := &p.nodes[self]
	m.keyStart, m.keyEnd = int32(keyStart), int32(keyEnd)
	m.flags |= flags << 2
	return i, nil
}

// unique refuses an object with two members of one name. Pairs are compared in
// objects of usual size; a large one, which may be an attack, gets a set.
func (p *parser) unique(self int) *SyntaxError {
	object := Value{d: p.Doc, i: int32(self)}
	if p.nodes[self].n > 16 {
		seen := make(map[string]struct{}, p.nodes[self].n)
		for m := object.First(); m.Exists(); m = m.Next() {
			if _, twice := seen[string(m.Key())]; twice {
				return duplicate(m)
			}
			seen[string(m.Key())] = struct{}{}
		}
		return nil
	}
	for m := object.First(); m.Exists(); m = m.Next() {
		key := m.Key()
		for o := object.First(); o.i < m.i; o = o.Next() {
			if string(o.Key()) == string(key) {
				return duplicate(m)
			}
		}
	}
	return nil
}

func duplicate(m Value) *SyntaxError {
	return &SyntaxError{Path: segment(string(m.Key())), Msg: "the member is there twice", wellFormed: true}
}
