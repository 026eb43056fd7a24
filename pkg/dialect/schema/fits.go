package schema

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Fits reports whether providers take the schema as it is. It is false where Normalize adds what they insist on, but
// not where it only tidies.
func Fits(v jsonx.Value, root Root) bool {
	if root != AnyValue {
		if !v.Get("type").Is("object") || v.Get("properties").Kind() != jsonx.Object {
			return false
		}
		if root == PlainObject && slices.ContainsFunc(combinators(), func(name string) bool { return v.Get(name).Given() }) {
			return false
		}
	}
	return fits(v)
}

func fits(v jsonx.Value) bool {
	if v.Kind() != jsonx.Object {
		return false
	}
	if is(v, "object") && v.Get("properties").Kind() != jsonx.Object || is(v, "array") && v.Get("items").Kind() != jsonx.Object {
		return false
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "anyOf", "oneOf", "allOf", "prefixItems":
			for e := m.First(); e.Exists(); e = e.Next() {
				if !fits(e) {
					return false
				}
			}
		case "items", "not", "if", "then", "else", "contains":
			if !fits(m) {
				return false
			}
		case "additionalProperties":
			if m.Kind() != jsonx.Bool && !fits(m) {
				return false
			}
		case "required":
			if m.Kind() != jsonx.Array {
				return false
			}
		}
	}
	return true
}
