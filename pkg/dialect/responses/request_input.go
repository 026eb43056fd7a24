package responses

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// input reads the conversation: a string, or items.
func (d *decoder) input(v jsonx.Value) {
	if v.Kind() == jsonx.String {
		d.message(chat.User, []chat.Part{{Kind: chat.Text, Text: v.Str()}})
		return
	}
	if v.Kind() != jsonx.Array {
		d.Expected(v, "a string or an array of items")
		return
	}
	if v.Len() == 0 {
		d.Add(v, "must not be empty")
	}
	d.Array(v, d.item)
}

// message adds a message. All items of one turn of the model become one message.
func (d *decoder) message(role chat.Role, parts []chat.Part) {
	if n := len(d.req.Messages); role == chat.Assistant && n > 0 && d.req.Messages[n-1].Role == chat.Assistant {
		d.req.Messages[n-1].Parts = append(d.req.Messages[n-1].Parts, parts...)
		return
	}
	d.req.Messages = append(d.req.Messages, chat.Message{Role: role, Parts: parts})
}

func (d *decoder) item(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	kind := v.Get("type")
	if !kind.Given() && !v.Get("role").Given() {
		if v.Get("id").Given() {
			d.reference(v)
		} else {
			d.AddMember(v, "type", "required")
		}
		return
	}
	switch {
	case !kind.Given(), kind.Is("message"):
		d.messageItem(v)
	case kind.Is("function_call"):
		d.call(v, "arguments")
	case kind.Is("custom_tool_call"):
		d.call(v, "input")
	case kind.Is("function_call_output"), kind.Is("custom_tool_call_output"):
		d.result(v)
	case kind.Is("reasoning"):
		d.reasoningItem(v)
	case kind.Is("item_reference"):
		d.reference(v)
	case kind.Is("additional_tools"):
		d.moreTools(v)
	default:
		if t := ownToolBy(ofCall, kind.Str()); t != nil && callerRan(v) {
			d.ownCall(v, t)
		} else if t := ownToolBy(ofResult, kind.Str()); t != nil && callerRan(v) {
			d.ownResult(v, t)
		} else {
			d.other(v, kind)
		}
	}
}

// callerRan reports whether the caller ran the tool of a call or a result, rather than OpenAI, whose items name nothing
// by which they belong together.
func callerRan(v jsonx.Value) bool {
	environment := v.Get("environment").Get("type")
	return ownCallID(v) != "" && !v.Get("execution").Is("server") && (!environment.Given() || environment.Is("local"))
}

func (d *decoder) reference(v jsonx.Value) {
	d.Add(v, "expected an item, or a reference to one: {\"type\":\"item_reference\",\"id\":\"…\"}")
}

// other keeps an item that no other dialect has.
func (d *decoder) other(v, kind jsonx.Value) {
	if kind.Kind() != jsonx.String {
		d.Expected(kind, "a string")
		return
	}
	part := body.Unrendered(Name, kind.Str(), v)
	part.At = d.PathOf(v)
	switch sideOf(kind.Str()) {
	case modelSide:
		d.message(chat.Assistant, []chat.Part{part})
	case callerSide:
		d.message(chat.User, []chat.Part{part})
	default:
		d.foreign(kind, "unknown type of item "+body.Quote(d.Str(kind)))
		d.message(chat.User, []chat.Part{part})
	}
}

// foreign notes what only a provider of this dialect may know: it passes through to one.
func (d *decoder) foreign(v jsonx.Value, problem string) { body.NoteForeignAt(d.req, v, problem) }

// messageItem reads a message.
func (d *decoder) messageItem(v jsonx.Value) {
	if !d.Has(v, "role") || !d.Has(v, "content") {
		return
	}
	d.Others(v, "type", "role", "content", "id", "status", "phase")
	role := chat.Role(d.OneOf(v.Get("role"), "user", "assistant", "system", "developer"))
	if role == "" {
		role = chat.User // one that only OpenAI knows
	}
	parts := d.content(v.Get("content"), role)
	if role == chat.Assistant {
		phase := v.Get("phase").Str()
		for i := range parts {
			parts[i].Phase = phase
		}
	}
	d.message(role, parts)
}

// content reads a string or an array of parts.
func (d *decoder) content(v jsonx.Value, role chat.Role) []chat.Part {
	if v.Kind() == jsonx.String {
		return []chat.Part{{Kind: chat.Text, Text: v.Str()}}
	}
	if v.Kind() != jsonx.Array {
		d.Expected(v, "a string or an array of parts")
		return nil
	}
	parts := make([]chat.Part, 0, v.Len())
	d.Array(v, func(e jsonx.Value) {
		p := d.part(e, role)
		textual := p.Kind == 0 || p.Kind == chat.Text || p.Kind == chat.Refusal || p.Kind == chat.Unrendered
		if !textual && role != chat.User && role != chat.ToolRole {
			d.Unfit(e, "only text may be here")
		}
		parts = append(parts, p)
	})
	return parts
}

func (d *decoder) part(v jsonx.Value, role chat.Role) (p chat.Part) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return p
	}
	if !d.Has(v, "type") {
		return p
	}
	switch kind := v.Get("type"); {
	case kind.Is("input_text"), kind.Is("output_text"), kind.Is("text"):
		d.Others(v, "type", "text", "annotations", "logprobs", "prompt_cache_breakpoint")
		p.Kind = chat.Text
		p.Text = d.Text(v, "text")
	case kind.Is("refusal"):
		p.Kind = chat.Refusal
		if role != chat.Assistant {
			d.Unfit(kind, "only goes with the role assistant")
		}
		p.Text = d.Text(v, "refusal")
	case kind.Is("input_image"), kind.Is("computer_screenshot"):
		d.Others(v, "type", "image_url", "file_id", "detail", "prompt_cache_breakpoint")
		p.Kind, p.Media = chat.Image, d.image(v)
	case kind.Is("input_file"):
		d.Others(v, "type", "filename", "file_data", "file_url", "file_id", "prompt_cache_breakpoint")
		p.Kind, p.Media = chat.File, d.file(v)
	case kind.Is("input_audio"):
		d.Others(v, "type", "input_audio", "prompt_cache_breakpoint")
		p.Kind, p.Media = chat.Audio, d.audio(v)
	case kind.Kind() != jsonx.String:
		d.Expected(kind, "a string")
	default:
		d.foreign(kind, "unknown type of part "+body.Quote(kind.Str()))
		p = body.Unrendered(Name, kind.Str(), v)
	}
	if p.Media != nil || p.Kind == chat.Unrendered {
		p.At = d.PathOf(v)
	}
	if v.Get("prompt_cache_breakpoint").Given() {
		p.Cache = new(chat.CacheMark)
	}
	return p
}

func (d *decoder) image(v jsonx.Value) *chat.Media {
	m := new(chat.Media)
	if d.source(v, "image_url", "file_id") == "image_url" {
		d.URL(v.Get("image_url"), m)
	} else if id := v.Get("file_id"); id.Given() {
		m.FileID = d.CallID(id)
	}
	if detail := v.Get("detail"); detail.Given() {
		m.Detail = d.OneOf(detail, "auto", "low", "high", "original")
	}
	return m
}

func (d *decoder) file(v jsonx.Value) *chat.Media {
	m := new(chat.Media)
	m.Filename = d.OptionalText(v, "filename")
	switch data := v.Get("file_data"); d.source(v, "file_data", "file_url", "file_id") {
	case "file_data":
		if strings.HasPrefix(data.Str(), "data:") {
			d.URL(data, m)
			break
		}
		m.Data = d.Base64(data, d.Str(data))
		if m.MIMEType = "application/pdf"; strings.HasSuffix(strings.ToLower(m.Filename), ".txt") {
			m.MIMEType = "text/plain"
		}
	case "file_url":
		d.URL(v.Get("file_url"), m)
	case "file_id":
		m.FileID = d.CallID(v.Get("file_id"))
	}
	return m
}

func (d *decoder) audio(v jsonx.Value) *chat.Media {
	m := new(chat.Media)
	inner := v.Get("input_audio")
	if d.Has(v, "input_audio") && d.Has(inner, "data") && d.Has(inner, "format") {
		m.Data, m.Format = d.Base64(inner.Get("data"), d.Str(inner.Get("data"))), d.Str(inner.Get("format"))
	}
	return m
}

// source returns the one of the members that is given; a medium must have exactly one.
func (d *decoder) source(v jsonx.Value, members ...string) string {
	found := ""
	for _, name := range members {
		if v.Get(name).Given() {
			if found != "" {
				d.Unfit(v, "expected only one of %s", strings.Join(members, ", "))
			}
			found = name
		}
	}
	if found == "" {
		d.Unfit(v, "expected one of %s", strings.Join(members, ", "))
	}
	return found
}

// call reads a call of the model; member holds its arguments.
func (d *decoder) call(v jsonx.Value, member string) {
	d.Others(v, "type", "id", "call_id", "name", "status", "namespace", member)
	c := &chat.ToolCall{Custom: member == "input"}
	c.ID = d.ID(v, "call_id")
	if d.Has(v, "name") {
		c.Name = d.ToolName(v.Get("name"))
	}
	c.Arguments, c.Group = d.Text(v, member), v.Get("namespace").Str()
	if !c.Custom && body.Blank(c.Arguments) {
		c.Arguments = "{}"
	}
	c.Signature = d.SignatureOf(c.ID)
	d.Call(c.ID, c.Name)
	d.message(chat.Assistant, []chat.Part{{Kind: chat.Call, ToolCall: c}})
}

// result reads the result of a tool.
func (d *decoder) result(v jsonx.Value) {
	d.Others(v, "type", "id", "call_id", "name", "status", "output")
	r := new(chat.ToolResult)
	r.CallID = d.ID(v, "call_id")
	r.Name = d.Called(r.CallID)
	output := v.Get("output")
	r.Parts = body.ResultContent(output, func() []chat.Part { return d.content(output, chat.ToolRole) })
	d.message(chat.ToolRole, []chat.Part{{Kind: chat.Result, ToolResult: r}})
}
