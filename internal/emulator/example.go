package emulator

import (
	"encoding/json"
	"strings"
)

// example returns a JSON value that fits a schema's types, enums and required members.
func example(schema json.RawMessage) json.RawMessage {
	b, err := json.Marshal(exampleOf(schema, 0))
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

func exampleOf(schema json.RawMessage, depth int) any {
	var s struct {
		Type       any                        `json:"type"`
		Enum       []any                      `json:"enum"`
		Const      any                        `json:"const"`
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
		AnyOf      []json.RawMessage          `json:"anyOf"`
		Minimum    *float64                   `json:"minimum"`
	}
	if json.Unmarshal(schema, &s) != nil || depth > 16 {
		return nil
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AnyOf) > 0:
		return exampleOf(s.AnyOf[0], depth+1)
	}
	kind, _ := s.Type.(string)
	if list, ok := s.Type.([]any); ok && len(list) > 0 {
		kind, _ = list[0].(string)
	}
	switch strings.ToLower(kind) { // Google writes types in capitals
	case "string":
		return "Zürich 🌍"
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 7
	case "boolean":
		return true
	case "null":
		return nil
	case "array":
		if len(s.Items) == 0 {
			return []any{}
		}
		return []any{exampleOf(s.Items, depth+1)}
	}
	out := object{}
	for name, p := range s.Properties {
		out[name] = exampleOf(p, depth+1)
	}
	return out
}
