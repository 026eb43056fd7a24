package body

import (
	"encoding/json"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// CustomForm is where a free-text tool of OpenAI has its members.
type CustomForm uint8

// The forms.
const (
	CustomFlat   CustomForm = iota // Responses: beside the type
	CustomNested                   // Chat Completions: in an object of their own, and so its grammar
)

// TypeOf returns the type of a tool: "function", or the type in its Raw.
func TypeOf(t *chat.Tool) string {
	if len(t.Raw) == 0 {
		return "function"
	}
	root, err := jsonx.Parse(t.Raw, jsonx.Lenient)
	if err != nil {
		return ""
	}
	return root.Get("type").Str()
}

// Named returns the tool with the name; nil if there is none.
func Named(tools []chat.Tool, name string) *chat.Tool {
	for i := range tools {
		if tools[i].Name == name {
			return &tools[i]
		}
	}
	return nil
}

// AppendCustom appends a tool of type custom, which raw holds in either form.
func AppendCustom(out []byte, raw json.RawMessage, form CustomForm) []byte {
	root, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return out
	}
	tool, has := root, CustomFlat
	if nested := root.Get("custom"); nested.Kind() == jsonx.Object {
		tool, has = nested, CustomNested
	}
	if has == form {
		return jsonx.AppendCompact(out, raw)
	}
	out = append(out, `{"type":"custom",`...)
	if form == CustomNested {
		out = append(out, `"custom":{`...)
	}
	out = AppendMember(out, `"name":`, tool.Get("name").Str())
	if d := tool.Get("description"); !d.Empty() {
		out = AppendMember(out, `,"description":`, d.Str())
	}
	out = appendCustomFormat(out, tool.Get("format"), form)
	if form == CustomNested {
		out = append(out, '}')
	}
	return append(out, '}')
}

// appendCustomFormat appends the format of a call's text: {"type":"text"}, or a grammar.
func appendCustomFormat(out []byte, format jsonx.Value, form CustomForm) []byte {
	if format.Kind() != jsonx.Object {
		return out
	}
	if !format.Get("type").Is("grammar") {
		return jsonx.AppendCompact(append(out, `,"format":`...), format.Raw())
	}
	grammar := format
	if nested := format.Get("grammar"); nested.Kind() == jsonx.Object {
		grammar = nested
	}
	out = append(out, `,"format":{"type":"grammar",`...)
	if form == CustomNested {
		out = append(out, `"grammar":{`...)
	}
	out = AppendMember(out, `"syntax":`, grammar.Get("syntax").Str())
	out = AppendMember(out, `,"definition":`, grammar.Get("definition").Str())
	if form == CustomNested {
		out = append(out, '}')
	}
	return append(out, '}')
}
