package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// response reads the result of a function.
func (d *decoder) response(v jsonx.Value) *chat.ToolResult {
	r := new(chat.ToolResult)
	var media []chat.Part
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "id":
			r.CallID = d.Str(m)
		case "name":
			r.Name = d.Str(m)
		case "response":
			d.output(m, r)
		case "parts":
			d.each(m, func(p jsonx.Value) {
				if read := d.part(p); read.kind == "inlineData" {
					media = append(media, d.inline(read.data))
				} else {
					d.Add(p, "expected inlineData")
				}
			})
		case "scheduling", "willContinue":
		default:
			d.unknown(m, "id", "name", "response", "parts")
		}
	})
	if len(r.Parts) == 0 {
		r.Parts = append(r.Parts, chat.Part{Kind: chat.Text})
	}
	r.Parts = append(r.Parts, media...)
	d.pair(v, r)
	return r
}

// output reads the object of a response. A single member output or error holds the function's result; any other
// object is the result itself.
func (d *decoder) output(v jsonx.Value, r *chat.ToolResult) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	result := v
	if only := v.First(); v.Len() == 1 && (string(only.Key()) == "output" || string(only.Key()) == "error") {
		r.IsError = string(only.Key()) == "error"
		result = only
	}
	text := result.Str()
	if result.Kind() != jsonx.String {
		text = string(jsonx.AppendCompact(nil, result.Raw()))
	}
	r.Parts = append(r.Parts, chat.Part{Kind: chat.Text, Text: text})
}

// A result that answers no call has no id. pair finds the call that the result belongs to: the call with its id, or else the first call of its name without
// a result, calls of the last turn first.
func (d *decoder) pair(v jsonx.Value, r *chat.ToolResult) {
	i, ok := d.answeredBy(r)
	switch {
	case ok:
		d.calls[i].answered = true
		r.CallID, r.Name = d.calls[i].id, d.calls[i].name
	case r.Name == "":
		d.AddMember(v, "name", "required")
	}
}
