package anthropic

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// schema returns the requested schema as the API takes it; nil if there is none.
func (e *encoder) schema() []byte {
	f := e.Req.ResponseFormat
	if f == nil || f.Kind != chat.FormatSchema || len(f.Schema) == 0 {
		return nil
	}
	v, err := jsonx.Parse(f.Schema, jsonx.Lenient)
	if err != nil || v.Kind() != jsonx.Object {
		e.Refuse("response_format", "the schema is no JSON schema")
		return nil
	}
	body := e.Out
	e.Out = make([]byte, 0, len(f.Schema)+64)
	e.narrow(v, "response_format")
	body, e.Out = e.Out, body
	return body
}

// narrow writes a schema with what the API can enforce. Objects must have no
// other members than they name, and limits of numbers, lengths and counts are refused
// (https://platform.claude.com/docs/en/build-with-claude/structured-outputs): those are told to
// the model in the description instead, as Anthropic's own SDKs do it.
func (e *encoder) narrow(v jsonx.Value, param string) {
	if v.Kind() != jsonx.Object {
		e.Out = jsonx.AppendCompact(e.Out, v.Raw()) // true, false
		return
	}
	e.Raw("{")
	var told []string
	for m := v.First(); m.Exists(); m = m.Next() {
		switch key := string(m.Key()); {
		case key == "description", key == "additionalProperties", key == "$schema":
		case unenforced(key, m), key == "oneOf" && v.Get("anyOf").Exists():
			told = append(told, key+" "+string(jsonx.AppendCompact(nil, m.Raw())))
			e.Warn("%s does not enforce %s in a schema: it is told to the model", e.Provider(), key)
		case key == "properties" || key == "$defs" || key == "definitions":
			e.Key(key)
			e.narrowEach(m, param, true)
		case key == "anyOf" || key == "allOf" || key == "oneOf":
			if key == "oneOf" {
				key = "anyOf"
			}
			e.Key(key)
			e.narrowEach(m, param, false)
		case key == "items":
			e.Key(key)
			e.narrow(m, param)
		default:
			e.Key(key)
			e.Out = jsonx.AppendCompact(e.Out, m.Raw())
		}
	}
	description := v.Get("description").Str()
	if len(told) > 0 {
		description = strings.TrimSpace(description + " (" + strings.Join(told, ", ") + ")")
	}
	if description != "" {
		e.Key("description")
		e.Str(description)
	}
	if others := v.Get("additionalProperties"); isObject(v) {
		if others.Kind() == jsonx.Object && others.Len() > 0 {
			e.Refuse(param, "%s takes no schema whose objects have members that it does not name (additionalProperties)", e.Provider())
		}
		e.Key("additionalProperties")
		e.Raw("false")
	}
	e.Raw("}")
}

// narrowEach writes the schemas of an array, or of an object's members.
func (e *encoder) narrowEach(v jsonx.Value, param string, named bool) {
	brackets := "[]"
	if named {
		brackets = "{}"
	}
	e.Raw(brackets[:1])
	for m := v.First(); m.Exists(); m = m.Next() {
		if named {
			e.Key(string(m.Key()))
		} else {
			e.Comma()
		}
		e.narrow(m, param)
	}
	e.Raw(brackets[1:])
}

// isObject reports whether the schema describes objects.
func isObject(v jsonx.Value) bool {
	kind := v.Get("type")
	for t := kind.First(); t.Exists(); t = t.Next() {
		if t.Is("object") {
			return true
		}
	}
	return kind.Is("object") || v.Get("properties").Exists()
}

// unenforced reports whether the API refuses the keyword.
func unenforced(key string, v jsonx.Value) bool {
	switch key {
	case "minItems":
		n, _ := v.Int64()
		return n > 1
	case "format":
		return !slices.Contains([]string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}, v.Str())
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems",
		"minProperties", "maxProperties", "patternProperties", "propertyNames", "contains", "minContains", "maxContains",
		"dependentRequired", "dependentSchemas", "if", "then", "else", "not":
		return true
	}
	return false
}
