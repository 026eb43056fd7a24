package gemini

import (
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// appendJSONSchema converts a Schema (a subset of OpenAPI's, types in upper case, numbers perhaps as
// strings) to a JSON schema. A keyword that Schema does not have is copied.
func appendJSONSchema(out []byte, v jsonx.Value) []byte {
	if v.Kind() != jsonx.Object {
		return jsonx.AppendCompact(out, v.Raw())
	}
	s := schemaReader{typed: v.Get("type").Given()}
	for m := v.First(); m.Exists(); m = m.Next() {
		s.nullable = s.nullable || camel(m) == "nullable" && isTrue(m)
	}
	out = append(out, '{')
	for m := v.First(); m.Exists(); m = m.Next() {
		if m.Given() {
			out = s.keyword(out, camel(m), m)
		}
	}
	return append(out, '}')
}

// A schemaReader converts the keywords of one schema.
type schemaReader struct{ typed, nullable bool }

func (s *schemaReader) keyword(out []byte, name string, m jsonx.Value) []byte {
	switch name {
	case "nullable", "propertyOrdering":
		return out
	case "type":
		if m.Is("TYPE_UNSPECIFIED") {
			return out
		}
		return s.kind(jsonx.AppendKey(out, name), m)
	case "format":
		if m.Is("enum") { // Google's format of a string with an enum
			return out
		}
	case "example":
		out = append(jsonx.AppendKey(out, "examples"), '[')
		return append(jsonx.AppendCompact(out, m.Raw()), ']')
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
		return appendNumber(jsonx.AppendKey(out, name), m)
	case "items":
		return appendJSONSchema(jsonx.AppendKey(out, name), m)
	case "enum":
		out = jsonx.AppendCompact(jsonx.AppendKey(out, name), m.Raw())
		if s.nullable && m.Len() > 0 {
			out = append(out[:len(out)-1], ",null]"...)
		}
		return out
	case "anyOf":
		return s.anyOf(jsonx.AppendKey(out, name), m)
	case "properties":
		out = append(jsonx.AppendKey(out, name), '{')
		for p := m.First(); p.Exists(); p = p.Next() {
			out = appendJSONSchema(jsonx.AppendKey(out, string(p.Key())), p)
		}
		return append(out, '}')
	}
	return jsonx.AppendCompact(jsonx.AppendKey(out, name), m.Raw())
}

// kind writes a type in lower case, together with null if the schema is nullable.
func (s *schemaReader) kind(out []byte, v jsonx.Value) []byte {
	if v.Kind() != jsonx.String {
		return jsonx.AppendCompact(out, v.Raw())
	}
	t := strings.ToLower(v.Str())
	if !s.nullable || t == "null" {
		return jsonx.AppendString(out, t)
	}
	out = append(jsonx.AppendString(append(out, '['), t), ',')
	return append(out, `"null"]`...)
}

func (s *schemaReader) anyOf(out []byte, v jsonx.Value) []byte {
	out = append(out, '[')
	for c := v.First(); c.Exists(); c = c.Next() {
		out = appendJSONSchema(jsonx.AppendComma(out), c)
	}
	if s.nullable && !s.typed {
		out = append(jsonx.AppendComma(out), `{"type":"null"}`...)
	}
	return append(out, ']')
}

// appendNumber writes a number that proto JSON may have written as a string.
func appendNumber(out []byte, v jsonx.Value) []byte {
	if n, err := strconv.ParseInt(v.Str(), 10, 64); err == nil {
		return jsonx.AppendInt(out, n)
	}
	return jsonx.AppendCompact(out, v.Raw())
}
