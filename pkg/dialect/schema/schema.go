// Package schema makes JSON schemas such as providers take them, and keeps their meaning. Callers' schemas come from
// libraries of every draft and from protocols that ask for less than a provider does: MCP takes {"type":"object"} for no
// arguments, which OpenAI refuses.
package schema

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Root is what a provider takes as the outermost schema.
type Root uint8

// The forms.
const (
	// AnyValue: the schema may be of any type. It is that of an answer.
	AnyValue Root = iota
	// Object: it must be of the type object. It is that of a function's parameters.
	Object
	// PlainObject: as Object, and it must have none of anyOf, oneOf, allOf, not and enum.
	PlainObject
)

// Normalized is a schema as providers take it.
type Normalized struct {
	JSON []byte
	// Told says that keywords of the root are no longer enforced: the description tells them to the model.
	Told bool
}

// Normalize returns the schema with what providers insist on: an object has properties, an array has items, a schema
// is an object rather than true or false, keywords have the form of draft 2020-12. What changes nothing in
// the meaning is left out: $schema, null in place of a keyword's value. It returns ok false if the text is no schema.
func Normalize(text []byte, root Root) (n Normalized, ok bool) {
	v, err := jsonx.Parse(text, jsonx.Lenient)
	if err != nil || v.Kind() != jsonx.Object && (v.Kind() != jsonx.Bool || root != AnyValue) {
		return Normalized{}, false
	}
	w := writer{out: make([]byte, 0, len(text)+64), document: v}
	if root == AnyValue {
		w.schema(v)
	} else {
		w.root(v, root)
	}
	return Normalized{JSON: w.out, Told: w.told}, true
}

// A writer writes a schema.
type writer struct {
	out      []byte
	document jsonx.Value // in which references are resolved
	told     bool
}

func (w *writer) key(name string) { w.out = jsonx.AppendKey(w.out, name) }

func (w *writer) member(m jsonx.Value) {
	w.key(string(m.Key()))
	w.out = jsonx.AppendCompact(w.out, m.Raw())
}

// schema writes one schema.
func (w *writer) schema(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		if no, isBool := v.Bool(); isBool && !no {
			w.out = append(w.out, `{"not":{}}`...)
		} else {
			w.out = append(w.out, "{}"...)
		}
		return
	}
	w.out = append(w.out, '{')
	w.members(v, func(string) bool { return false })
	w.out = append(w.out, '}')
}

// members writes the members of a schema, but for those that skip names, into the open object.
func (w *writer) members(v jsonx.Value, skip func(name string) bool) {
	for m := v.First(); m.Exists(); m = m.Next() {
		if name := string(m.Key()); !skip(name) && (m.Given() || name == "const" || name == "default") {
			w.keyword(v, name, m)
		}
	}
	if names := requiredOf(v).list; v.Get("required").Kind() != jsonx.Array && len(names) > 0 && !skip("required") {
		w.key("required")
		w.out = jsonx.AppendStrings(w.out, names)
	}
	if is(v, "object") && v.Get("properties").Kind() != jsonx.Object && !skip("properties") {
		w.key("properties")
		w.out = append(w.out, "{}"...)
	}
	if is(v, "array") && !v.Get("items").Given() {
		w.key("items")
		w.out = append(w.out, "{}"...)
	}
}

// keyword writes a member of the schema v.
func (w *writer) keyword(v jsonx.Value, name string, m jsonx.Value) {
	switch name {
	case "$schema", "nullable":
	case "required":
		if names := requiredOf(v).list; m.Kind() == jsonx.Array && len(names) > 0 {
			w.key(name)
			w.out = jsonx.AppendStrings(w.out, names)
		}
	case "properties":
		if m.Kind() == jsonx.Object {
			w.key(name)
			w.named(m, true)
		}
	case "patternProperties", "$defs", "definitions", "dependentSchemas":
		if m.Kind() == jsonx.Object {
			w.key(name)
			w.named(m, false)
		}
	case "items":
		w.items(v, m)
	case "prefixItems", "anyOf", "oneOf", "allOf":
		if m.Kind() == jsonx.Array && m.Len() > 0 {
			w.key(name)
			w.list(m)
		}
	case "additionalProperties", "unevaluatedProperties", "unevaluatedItems":
		w.key(name)
		if m.Kind() == jsonx.Bool {
			w.out = append(w.out, m.Raw()...)
		} else {
			w.schema(m)
		}
	case "additionalItems": // of draft 7, beside a list of items
		if v.Get("items").Kind() != jsonx.Array {
			return
		}
	case "not", "if", "then", "else", "contains", "propertyNames":
		w.key(name)
		w.schema(m)
	case "type":
		w.kind(v, m)
	case "enum":
		if m.Kind() == jsonx.Array && m.Len() > 0 {
			w.member(m)
		}
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		w.bound(v, name, m)
	default:
		w.member(m)
	}
}

// kind writes the type. Null is another type in JSON schema, and a keyword in OpenAPI's.
func (w *writer) kind(v, m jsonx.Value) {
	if m.Is("any") {
		return
	}
	w.key("type")
	if nullable, _ := v.Get("nullable").Bool(); nullable && m.Kind() == jsonx.String && !m.Is("null") {
		w.out = jsonx.AppendStrings(w.out, []string{m.Str(), "null"})
		return
	}
	w.out = jsonx.AppendCompact(w.out, m.Raw())
}

// bound writes a bound. That of draft 4 is exclusive by a boolean beside it.
func (w *writer) bound(v jsonx.Value, name string, m jsonx.Value) {
	if m.Kind() == jsonx.Bool {
		return // exclusiveMinimum, exclusiveMaximum: written with the number
	}
	if exclusive, ok := strings.CutPrefix(name, "m"); ok {
		other := "exclusiveM" + exclusive
		if yes, _ := v.Get(other).Bool(); yes {
			name = other
		}
	}
	w.key(name)
	w.out = jsonx.AppendCompact(w.out, m.Raw())
}

// items writes the schema of an array's elements. Those of a list, which drafts before 2020-12 have, become one of them
// for every element, as not all providers know prefixItems.
func (w *writer) items(v, m jsonx.Value) {
	if m.Kind() != jsonx.Array {
		w.key("items")
		w.schema(m)
		return
	}
	w.key("items")
	w.out = append(w.out, '{')
	if m.Len() > 0 {
		w.key("anyOf")
		w.list(m)
	}
	w.out = append(w.out, '}')
	if more, isBool := v.Get("additionalItems").Bool(); isBool && !more && !v.Get("maxItems").Given() {
		w.key("maxItems")
		w.out = jsonx.AppendInt(w.out, int64(m.Len()))
	}
}

// named writes an object of schemas. A property that is false cannot be there.
func (w *writer) named(v jsonx.Value, properties bool) {
	w.out = append(w.out, '{')
	for m := v.First(); m.Exists(); m = m.Next() {
		if may, isBool := m.Bool(); properties && isBool && !may {
			continue
		}
		w.key(string(m.Key()))
		w.schema(m)
	}
	w.out = append(w.out, '}')
}

func (w *writer) list(v jsonx.Value) {
	w.out = append(w.out, '[')
	for e := v.First(); e.Exists(); e = e.Next() {
		w.out = jsonx.AppendComma(w.out)
		w.schema(e)
	}
	w.out = append(w.out, ']')
}

// requiredOf returns the names of the properties that must be there: those of the list, and those that say so
// themselves, as in draft 3.
func requiredOf(v jsonx.Value) nameList {
	var names nameList
	list := v.Get("required")
	for e := list.First(); e.Exists() && list.Kind() == jsonx.Array; e = e.Next() {
		names.add(e.Str())
	}
	for p := v.Get("properties").First(); p.Exists(); p = p.Next() {
		if must, _ := p.Get("required").Bool(); must {
			names.add(string(p.Key()))
		}
	}
	return names
}

// is reports whether the type is one of the schema's types.
func is(v jsonx.Value, kind string) bool {
	t := v.Get("type")
	if t.Kind() != jsonx.Array {
		return t.Is(kind)
	}
	for e := t.First(); e.Exists(); e = e.Next() {
		if e.Is(kind) {
			return true
		}
	}
	return false
}
