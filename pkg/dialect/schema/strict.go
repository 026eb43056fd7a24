package schema

import (
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Strict reports whether OpenAI takes the schema as a strict one: each object names all its members and requires them.
func Strict(text []byte) bool {
	v, err := jsonx.Parse(text, jsonx.Lenient)
	return err == nil && v.Kind() == jsonx.Object && strict(v)
}

func strict(v jsonx.Value) bool {
	if is(v, "object") {
		if others, isBool := v.Get("additionalProperties").Bool(); !isBool || others {
			return false
		}
		required := requiredOf(v)
		for p := v.Get("properties").First(); p.Exists(); p = p.Next() {
			if !required.has[string(p.Key())] {
				return false
			}
		}
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "properties", "$defs", "definitions", "anyOf":
			for e := m.First(); e.Exists(); e = e.Next() {
				if !strict(e) {
					return false
				}
			}
		case "items":
			if !strict(m) {
				return false
			}
		}
	}
	return true
}
