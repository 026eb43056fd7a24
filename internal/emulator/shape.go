package emulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// shape describes the values that a JSON value may have, to any depth. The zero value accepts all.
type shape struct {
	kind     kind
	members  fields   // of an object; nil: any
	every    *shape   // of each of an object's members, whatever its name
	items    *shape   // of an array
	words    []string // that a string may be; nil: any
	choose   func(tag string) *shape
	or       *shape // the alternative, if the kind does not fit
	nullable bool
}

// fields are an object's members. A name that ends in "!" is required.
type fields map[string]*shape

type kind uint8

const (
	anyKind kind = iota
	stringKind
	numberKind
	integerKind
	boolKind
	arrayKind
	objectKind
)

func (k kind) String() string {
	return [...]string{"anything", "string", "number", "integer", "boolean", "array", "object"}[k]
}

func anyValue() *shape  { return &shape{} }
func aString() *shape   { return &shape{kind: stringKind} }
func aNumber() *shape   { return &shape{kind: numberKind} }
func anInteger() *shape { return &shape{kind: integerKind} }
func aBool() *shape     { return &shape{kind: boolKind} }
func anObject() *shape  { return &shape{kind: objectKind} }

func oneOf(words ...string) *shape   { return &shape{kind: stringKind, words: words} }
func listOf(items *shape) *shape     { return &shape{kind: arrayKind, items: items} }
func objectOf(members fields) *shape { return &shape{kind: objectKind, members: members} }
func stringOr(other *shape) *shape   { return &shape{kind: stringKind, or: other} }
func orNull(s *shape) *shape         { c := *s; c.nullable = true; return &c }
func byType(m map[string]*shape) *shape {
	return &shape{kind: objectKind, choose: func(tag string) *shape { return m[tag] }}
}

// wrong is a kind of violation.
type wrong uint8

const (
	wrongUnknown wrong = iota // an unknown member
	wrongMissing
	wrongKind
	wrongWord
)

// violation is a part of a value that does not fit its shape.
type violation struct {
	wrong wrong
	path  path
	want  string
	got   any
}

// path leads to a part of a value: names, indexes, and the tags of tagged objects on the way.
type path []any

type tag string

// dots writes a path as pydantic does: messages.0.content.1.text.
func (p path) dots() string {
	var parts []string
	for _, e := range p {
		parts = append(parts, fmt.Sprint(e))
	}
	return strings.Join(parts, ".")
}

// brackets writes a path as messages[0].content[1]; each name through spell.
func (p path) brackets(spell func(string) string) string {
	var b strings.Builder
	for _, e := range p {
		switch e := e.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(e) + "]")
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(spell(e))
		}
	}
	return b.String()
}

// reader checks values against shapes. With proto it reads as Google does: snake_case names stand for camelCase ones,
// numbers may be strings, and enum values may be lower case. It then rewrites the value as the shape spells it.
type reader struct {
	proto bool
	found []violation
}

func (r *reader) read(s *shape, v any, at path) {
	at = slices.Clip(at)
	if s.kind == anyKind || v == nil && (s.nullable || r.proto) {
		return
	}
	if !r.fits(s.kind, v) {
		if s.or != nil {
			r.read(s.or, v, at)
			return
		}
		r.add(wrongKind, at, s.kind.String(), v)
		return
	}
	switch v := v.(type) {
	case string:
		if s.words != nil && !slices.Contains(s.words, v) &&
			!(r.proto && slices.Contains(s.words, strings.ToUpper(v))) {
			r.add(wrongWord, at, strings.Join(s.words, ", "), v)
		}
	case []any:
		for i, item := range v {
			if s.items != nil {
				r.read(s.items, item, append(at, i))
			}
		}
	case map[string]any:
		r.object(s, v, at)
	}
}

func (r *reader) object(s *shape, v map[string]any, at path) {
	if s.choose != nil {
		name, _ := v["type"].(string)
		chosen := s.choose(name)
		if chosen == nil {
			if _, ok := v["type"]; !ok {
				r.add(wrongMissing, append(at, "type"), "", nil)
			} else {
				r.add(wrongWord, append(at, "type"), "", v["type"])
			}
			return
		}
		r.object(chosen, v, append(at, tag(name)))
		return
	}
	if s.every != nil {
		for _, name := range keys(v) {
			r.read(s.every, v[name], append(at, name))
		}
	}
	if s.members == nil {
		return
	}
	if r.proto {
		r.respell(s.members, v)
	}
	for _, name := range keys(s.members) {
		bare, must := strings.CutSuffix(name, "!")
		if _, have := v[bare]; must && !have {
			r.add(wrongMissing, append(at, bare), "", nil)
		}
	}
	for _, name := range keys(v) {
		if m := s.members.of(name); m != nil {
			r.read(m, v[name], append(at, name))
		} else {
			r.add(wrongUnknown, append(at, name), "", v[name])
		}
	}
}

// respell rewrites an object's names and numbers as the shape spells them.
func (r *reader) respell(f fields, v map[string]any) {
	for _, name := range keys(v) {
		if c := camel(name); c != name && f.of(c) != nil {
			v[c] = v[name]
			delete(v, name)
			name = c
		}
		m := f.of(name)
		if text, ok := v[name].(string); ok && m != nil && (m.kind == numberKind || m.kind == integerKind) &&
			r.fits(m.kind, text) {
			v[name] = json.Number(text)
		}
	}
}

func (f fields) of(name string) *shape {
	if s := f[name]; s != nil {
		return s
	}
	return f[name+"!"]
}

func (r *reader) add(w wrong, at path, want string, got any) {
	r.found = append(r.found, violation{w, slices.Clone(at), want, got})
}

func (r *reader) fits(k kind, v any) bool {
	switch v := v.(type) {
	case string:
		if r.proto && (k == numberKind || k == integerKind) {
			_, err := strconv.ParseFloat(v, 64)
			return err == nil
		}
		return k == stringKind
	case json.Number:
		_, err := strconv.ParseInt(v.String(), 10, 64)
		return k == numberKind || k == integerKind && err == nil
	case bool:
		return k == boolKind
	case []any:
		return k == arrayKind
	case map[string]any:
		return k == objectKind
	}
	return false
}

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// camel turns snake_case into camelCase.
func camel(s string) string {
	parts := strings.Split(s, "_")
	for i, p := range parts {
		if i > 0 && p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// snake turns camelCase into snake_case.
func snake(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
