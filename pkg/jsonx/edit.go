package jsonx

import "slices"

// An Edit changes members of an object and keeps every other byte of the text, white space and the
// order of members included. Names are compared without their escapes: "mod\u0065l" is model. If
// members share a name, Set and Drop change all of them, and one is left.
type Edit struct {
	src        []byte
	start, end int // of what Append writes
	open       int // behind the opening brace
	spans      []span
}

// A span is a member: its text, and where it stands in the source. One that was added
// stands nowhere: its start is -1.
type span struct {
	key              []byte
	lead, start      int // of the white space before it, of its name
	keyEnd           int // behind the closing quote
	value, end, tail int // its value, and the end of the white space behind it
	name, text       []byte
	dropped          bool
}

// NewEdit returns an Edit of the object, which must not change until Append. Of another value
// nothing can be changed.
func NewEdit(object Value) *Edit {
	e := &Edit{}
	if object.Kind() != Object {
		e.src, e.end = object.Raw(), len(object.Raw())
		return e
	}
	d, n := object.d, object.node()
	e.src, e.start, e.end, e.open = d.src, int(n.start), int(n.end), int(n.start)+1
	if object.i == 0 {
		e.start, e.end = 0, len(d.src) // white space around the outermost value stays, too
	}
	e.spans = make([]span, 0, n.n+2)
	lead := e.open
	p := parser{Doc: d}
	for m := object.First(); m.Exists(); m = m.Next() {
		mn := m.node()
		s := span{key: m.Key(), lead: lead, start: int(mn.keyStart) - 1, keyEnd: int(mn.keyEnd) + 1, value: int(mn.start), end: int(mn.end)}
		if mn.kind == String {
			s.value, s.end = s.value-1, s.end+1
		}
		s.tail = p.space(s.end)
		lead = s.tail + 1
		e.spans = append(e.spans, s)
	}
	return e
}

// Set sets the member's value, which must be JSON. It adds a missing member at the end.
func (e *Edit) Set(name string, value []byte) {
	at := e.last(name)
	if at < 0 {
		e.spans = append(e.spans, span{key: []byte(name), start: -1, text: value})
		return
	}
	e.drop(name, at)
	e.spans[at].text = value
}

// Drop removes the member.
func (e *Edit) Drop(name string) { e.drop(name, -1) }

// SetAt sets the value of the object's member with the index i, which must be JSON.
func (e *Edit) SetAt(i int, value []byte) { e.spans[i].text = value }

// DropAt removes the object's member with the index i.
func (e *Edit) DropAt(i int) { e.spans[i].dropped = true }

// RenameAt renames the object's member with the index i. It removes other members of the new name.
func (e *Edit) RenameAt(i int, to string) {
	if s := &e.spans[i]; !s.dropped && string(s.key) != to {
		e.drop(to, i)
		s.key, s.name = []byte(to), AppendString(nil, to)
	}
}

// last returns the index of the last member with the name; -1 if there is none.
func (e *Edit) last(name string) int {
	for i := len(e.spans) - 1; i >= 0; i-- {
		if string(e.spans[i].key) == name && !e.spans[i].dropped {
			return i
		}
	}
	return -1
}

// drop removes the members with the name except the one with the index.
func (e *Edit) drop(name string, but int) {
	for i := range e.spans {
		if i != but && string(e.spans[i].key) == name {
			e.spans[i].dropped = true
		}
	}
}

// Changed reports whether Append appends something else than the source.
func (e *Edit) Changed() bool {
	return slices.ContainsFunc(e.spans, func(s span) bool { return s.dropped || s.start < 0 || s.name != nil || s.text != nil })
}

// Append appends the object with its changes and, if it is the outermost value, the
// white space around it.
func (e *Edit) Append(dst []byte) []byte {
	if !e.Changed() {
		return append(dst, e.src[e.start:e.end]...)
	}
	dst = append(dst, e.src[e.start:e.open]...)
	n := 0
	var tail []byte // white space that is held back: what is added goes before it
	for i := range e.spans {
		s := &e.spans[i]
		if s.dropped {
			continue
		}
		if s.start >= 0 {
			dst = append(dst, tail...)
			tail = e.src[s.end:s.tail]
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = e.appendSpan(dst, s)
	}
	dst = append(dst, tail...)
	return append(dst, e.src[e.closing():e.end]...)
}

func (e *Edit) appendSpan(dst []byte, s *span) []byte {
	if s.start < 0 {
		name := s.name
		if name == nil {
			name = AppendString(nil, string(s.key))
		}
		dst = append(dst, name...)
		dst = append(dst, ':')
		return append(dst, s.text...)
	}
	dst = append(dst, e.src[s.lead:s.start]...)
	if s.name != nil {
		dst = append(dst, s.name...)
	} else {
		dst = append(dst, e.src[s.start:s.keyEnd]...)
	}
	dst = append(dst, e.src[s.keyEnd:s.value]...)
	if s.text != nil {
		return append(dst, s.text...)
	}
	return append(dst, e.src[s.value:s.end]...)
}

// closing returns the index of the closing brace.
func (e *Edit) closing() int {
	for i := len(e.spans) - 1; i >= 0; i-- {
		if e.spans[i].start >= 0 {
			return e.spans[i].tail
		}
	}
	p := parser{Doc: &Doc{src: e.src}}
	return p.space(e.open)
}
