package gemini

import (
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// appendJSONSchema turns a Schema (OpenAPI's subset, types in capitals, numbers perhaps as
// strings) into a JSON schema. A keyword that Schema does not have stays as it is.
func appendJSONSchema(out []byte, v jsonx.Value) []byte {
	if v.Kind() != jsonx.Object {
		return jsonx.AppendCompact(out, v.Raw())
	}
	nullable := false
	for m := v.First(); m.Exists(); m = m.Next() {
		nullable = nullable || camel(m) == "nullable" && isTrue(m)
	}
	out = append(out, '{')
	begin := func(name string) {
		if out[len(out)-1] != '{' {
			out = append(out, ',')
		}
		out = append(jsonx.AppendString(out, name), ':')
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if !m.Given() {
			continue
		}
		switch name := camel(m); name {
		case "nullable", "propertyOrdering":
		case "type":
			if m.Is("TYPE_UNSPECIFIED") {
				continue
			}
			begin(name)
			out = appendType(out, m, nullable)
		case "format":
			if !m.Is("enum") { // Google's mark of a string with an enum
				begin(name)
				out = jsonx.AppendCompact(out, m.Raw())
			}
		case "example":
			begin("examples")
			out = append(jsonx.AppendCompact(append(out, '['), m.Raw()), ']')
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			begin(name)
			out = appendNumber(out, m)
		case "items":
			begin(name)
			out = appendJSONSchema(out, m)
		case "enum":
			begin(name)
			out = jsonx.AppendCompact(out, m.Raw())
			if nullable && m.Len() > 0 {
				out = append(out[:len(out)-1], ",null]"...)
			}
		case "anyOf":
			begin(name)
			out = append(out, '[')
			for c := m.First(); c.Exists(); c = c.Next() {
				out = appendJSONSchema(element(out), c)
			}
			if nullable && !v.Get("type").Given() {
				out = append(element(out), `{"type":"null"}`...)
			}
			out = append(out, ']')
		case "properties":
			begin(name)
			out = append(out, '{')
			for p := m.First(); p.Exists(); p = p.Next() {
				begin(string(p.Key()))
				out = appendJSONSchema(out, p)
			}
			out = append(out, '}')
		default:
			begin(name)
			out = jsonx.AppendCompact(out, m.Raw())
		}
	}
	return append(out, '}')
}

// appendType writes a type in small letters, and null beside it if it may be.
func appendType(out []byte, v jsonx.Value, nullable bool) []byte {
	if v.Kind() != jsonx.String {
		return jsonx.AppendCompact(out, v.Raw())
	}
	t := strings.ToLower(v.Str())
	if !nullable || t == "null" {
		return jsonx.AppendString(out, t)
	}
	out = append(jsonx.AppendString(append(out, '['), t), ',')
	return append(out, `"null"]`...)
}

// appendNumber writes an int64, which proto JSON writes as a string.
func appendNumber(out []byte, v jsonx.Value) []byte {
	if n, err := strconv.ParseInt(v.Str(), 10, 64); err == nil {
		return jsonx.AppendInt(out, n)
	}
	return jsonx.AppendCompact(out, v.Raw())
}
