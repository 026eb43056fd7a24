package gemini

import (
	"slices"

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
			d.unknown(m, slices.Values([]string{"id", "name", "response", "parts"}))
		}
	})
	if len(r.Parts) == 0 {
		r.Parts = append(r.Parts, chat.Part{Kind: chat.Text})
	}
	r.Parts = append(r.Parts, media...)
	d.answer(v, r)
	return r
}

// output reads the object of a response. Its members output and error are Google's words for
// what the function returned; any other object is itself what it returned.
func (d *decoder) output(v jsonx.Value, r *chat.ToolResult) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	said := v
	if only := v.First(); v.Len() == 1 && (string(only.Key()) == "output" || string(only.Key()) == "error") {
		r.IsError = string(only.Key()) == "error"
		said = only
	}
	text := said.Str()
	if said.Kind() != jsonx.String {
		text = string(jsonx.AppendCompact(nil, said.Raw()))
	}
	r.Parts = append(r.Parts, chat.Part{Kind: chat.Text, Text: text})
}

// answer finds the call that the result belongs to: by its id, or else the first of its name that
// has no answer, the last turn's before all others.
func (d *decoder) answer(v jsonx.Value, r *chat.ToolResult) {
	open := func(c call) bool {
		if r.CallID != "" {
			return c.id == r.CallID
		}
		return !c.answered && c.name == r.Name
	}
	i := slices.IndexFunc(d.calls[d.turn:], open)
	if i >= 0 {
		i += d.turn
	} else {
		i = slices.IndexFunc(d.calls, open)
	}
	switch {
	case i >= 0:
		d.calls[i].answered = true
		r.CallID, r.Name = d.calls[i].id, d.calls[i].name
	case r.Name == "":
		d.AddMember(v, "name", "required")
	case r.CallID == "":
		d.Add(v, "there is no functionCall of this name before it that has no answer yet")
	}
}
