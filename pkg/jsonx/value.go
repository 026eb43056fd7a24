package jsonx

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is one value of a Doc, or Missing (the zero value). Every method may be
// called on every value; it returns a zero result if the kind does not fit.
type Value struct {
	d   *Doc
	i   int32
	end int32 // index after the last sibling
}

func (v Value) node() *node { return &v.d.nodes[v.i] }

// Kind returns the kind of the value.
func (v Value) Kind() Kind {
	if v.d == nil {
		return Missing
	}
	return v.node().kind
}

// Exists reports whether the value is there.
func (v Value) Exists() bool { return v.d != nil }

// Given reports whether the value is there and not null.
func (v Value) Given() bool { return v.d != nil && v.node().kind != Null }

// Len returns the number of children.
func (v Value) Len() int {
	if v.d == nil {
		return 0
	}
	return int(v.node().n)
}

// First returns the first child of an array or an object.
func (v Value) First() Value {
	if v.d == nil || v.node().n == 0 {
		return Value{}
	}
	return Value{d: v.d, i: v.i + 1, end: v.node().next}
}

// Next returns the sibling that follows.
func (v Value) Next() Value {
	if v.d == nil || v.node().next >= v.end {
		return Value{}
	}
	return Value{d: v.d, i: v.node().next, end: v.end}
}

// Get returns the object's member of that name, the last if there are several.
func (v Value) Get(name string) Value {
	var found Value
	if v.Kind() != Object {
		return found
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if string(m.Key()) == name {
			found = m
		}
	}
	return found
}

// Key returns the member's name. It is only valid as long as the text is.
func (v Value) Key() []byte {
	if v.d == nil {
		return nil
	}
	n := v.node()
	raw := v.d.src[n.keyStart:n.keyEnd]
	if n.flags&(keyEscaped|keyWide) == 0 {
		return raw
	}
	return []byte(unescape(raw, n.flags>>2))
}

// Raw returns the value's text. It is only valid as long as the document's is.
func (v Value) Raw() []byte {
	if v.d == nil {
		return nil
	}
	n := v.node()
	if n.kind == String {
		return v.d.src[n.start-1 : n.end+1]
	}
	return v.d.src[n.start:n.end]
}

// Clone returns a copy of Raw without white space; nil if the value is not Given.
func (v Value) Clone() json.RawMessage {
	if !v.Given() {
		return nil
	}
	return AppendCompact(make([]byte, 0, len(v.Raw())), v.Raw())
}

// Str returns the content of a string; empty for other kinds.
func (v Value) Str() string {
	if v.Kind() != String {
		return ""
	}
	n := v.node()
	return unescape(v.d.src[n.start:n.end], n.flags)
}

// Empty reports whether the value is no string, or an empty one.
func (v Value) Empty() bool {
	return v.Kind() != String || v.node().start == v.node().end
}

// Is reports whether the value is that string, without allocating.
func (v Value) Is(s string) bool {
	if v.Kind() != String {
		return false
	}
	n := v.node()
	if n.flags&escaped == 0 {
		return string(v.d.src[n.start:n.end]) == s
	}
	return v.Str() == s
}

// Bool returns a boolean's value, and whether it is one.
func (v Value) Bool() (value, ok bool) {
	if v.Kind() != Bool {
		return false, false
	}
	return v.d.src[v.node().start] == 't', true
}

// Int64 returns a whole number's value, and whether it is one within range. 100.0 and 1e2 are whole.
func (v Value) Int64() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	raw := v.Raw()
	if i, ok := smallInt(raw); ok {
		return i, true
	}
	if i, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return i, true
	}
	// Beyond 2^53 a fraction may have been rounded away: such a number must be written out.
	f, ok := v.Float64()
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 || !bytes.ContainsAny(raw, ".eE") {
		return 0, false
	}
	return int64(f), true
}

func smallInt(raw []byte) (int64, bool) {
	if len(raw) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// Float64 returns a number's value, and whether it is one within range.
func (v Value) Float64() (float64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.Raw()), 64)
	return f, err == nil
}

// Path names the value from the root: "messages[2].content"; empty for the root.
// It walks the document: it is meant for errors.
func (v Value) Path() string {
	if v.d == nil {
		return ""
	}
	var path strings.Builder
	at := v.d.Root()
	for at.i != v.i {
		position := 0
		child := at.First()
		for child.node().next <= v.i {
			child = child.Next()
			position++
		}
		if at.Kind() == Array {
			path.WriteString("[" + strconv.Itoa(position) + "]")
		} else {
			s := segment(string(child.Key()))
			if path.Len() > 0 && s[0] != '[' {
				path.WriteByte('.')
			}
			path.WriteString(s)
		}
		at = child
	}
	return path.String()
}

// Member returns the path of the object's member of that name, which need not exist.
func (v Value) Member(name string) string { return join(v.Path(), segment(name)) }

// join joins a path and a segment.
func join(head, tail string) string {
	if head == "" || tail == "" || tail[0] == '[' {
		return head + tail
	}
	return head + "." + tail
}

// segment returns a member's name as it stands in a path: quoted in brackets unless it looks like a name, and cut if it
// is very long.
func segment(key string) string {
	plain := key != "" && len(key) <= 64
	for i := 0; plain && i < len(key); i++ {
		c := key[i]
		plain = c == '_' || c == '-' || c == '$' || c|0x20 >= 'a' && c|0x20 <= 'z' || i > 0 && c >= '0' && c <= '9'
	}
	if plain {
		return key
	}
	if len(key) > 64 {
		key = strings.ToValidUTF8(key[:61], "") + "..."
	}
	return "[" + strconv.Quote(key) + "]"
}

// unescape reads the inside of a string that the parser found well-formed. Halves of
// surrogate pairs and, in Lenient mode, invalid UTF-8 become U+FFFD.
func unescape(raw []byte, flags uint8) string {
	if flags&escaped == 0 {
		if flags&wide != 0 && !utf8.Valid(raw) {
			return string(bytes.ToValidUTF8(raw, []byte("\uFFFD")))
		}
		return string(raw)
	}
	var b strings.Builder
	b.Grow(len(raw))
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			b.Write(raw)
			break
		}
		b.Write(raw[:i])
		raw = unescapeOne(&b, raw[i+1:])
	}
	if flags&wide != 0 && !utf8.ValidString(b.String()) {
		return strings.ToValidUTF8(b.String(), "\uFFFD")
	}
	return b.String()
}

// unescapeOne writes what the escape at the start of raw (behind its backslash)
// stands for, and returns the rest.
func unescapeOne(b *strings.Builder, raw []byte) []byte {
	switch c := raw[0]; c {
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		r, _ := hex4(raw[1:])
		raw = raw[5:]
		if utf16.IsSurrogate(r) {
			var low rune
			if len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
				low, _ = hex4(raw[2:])
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				raw = raw[6:]
			}
		}
		b.WriteRune(r)
		return raw
	default: // quote, backslash, slash
		b.WriteByte(c)
	}
	return raw[1:]
}
