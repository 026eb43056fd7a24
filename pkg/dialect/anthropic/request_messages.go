package anthropic

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// system reads the system prompt, which becomes the first message.
func (d *decoder) system(v jsonx.Value) {
	if v.Kind() == jsonx.String && v.Empty() || v.Kind() == jsonx.Array && v.Len() == 0 {
		return
	}
	d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.System, Parts: d.content(v, chat.System)})
}

func (d *decoder) messages(v jsonx.Value) {
	switch {
	case v.Kind() != jsonx.Array:
		d.Expected(v, "an array")
	case v.Len() == 0:
		d.Add(v, "must not be empty")
	default:
		for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
			d.message(e)
		}
	}
}

func (d *decoder) message(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	role, content := d.Required(v, "role"), d.Required(v, "content")
	if !role.Given() || !content.Given() {
		return
	}
	d.Others(v, "role", "content")
	switch d.OneOf(role, "user", "assistant", "system") {
	default:
		d.user(content)
	case "assistant":
		d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.Assistant, Parts: d.content(content, chat.Assistant)})
	case "system":
		d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.System, Parts: d.content(content, chat.System)})
	}
}

// user reads a turn of the user's. Results of tools become messages of their own.
func (d *decoder) user(content jsonx.Value) {
	var rest []chat.Part
	results := 0
	for _, p := range d.content(content, chat.User) {
		if p.Kind == chat.Result {
			d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.ToolRole, Parts: []chat.Part{p}})
			results++
		} else {
			rest = append(rest, p)
		}
	}
	if results == 0 || len(rest) > 0 {
		d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.User, Parts: rest})
	}
}

// content reads a string or an array of blocks.
func (d *decoder) content(v jsonx.Value, role chat.Role) []chat.Part {
	switch v.Kind() {
	case jsonx.String:
		return []chat.Part{{Kind: chat.Text, Text: v.Str()}}
	case jsonx.Array:
		parts := make([]chat.Part, 0, v.Len())
		for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
			if p := d.block(e, role); p.Kind != 0 {
				parts = append(parts, p)
			}
		}
		return parts
	}
	d.Expected(v, "a string or an array of blocks")
	return nil
}

// block reads a block. A part without a kind is to be left out.
func (d *decoder) block(v jsonx.Value, role chat.Role) chat.Part {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return chat.Part{}
	}
	kind := d.Required(v, "type")
	if !kind.Given() {
		return chat.Part{}
	}
	var p chat.Part
	var only chat.Role
	switch d.Str(kind) {
	case "text":
		d.Others(v, "type", "text", "citations", "cache_control")
		p = chat.Part{Kind: chat.Text, Text: d.Text(v, "text")}
		for c := v.Get("citations").First(); c.Exists(); c = c.Next() {
			p.Citations = append(p.Citations, citationOf(c))
		}
	case "image":
		d.Others(v, "type", "source", "cache_control")
		p = d.media(v, chat.Image)
	case "document":
		p = d.document(v)
	case "tool_result":
		d.Others(v, "type", "tool_use_id", "content", "is_error", "cache_control")
		p, only = d.result(v), chat.User
	case "tool_use":
		d.Others(v, "type", "id", "name", "input", "cache_control", callerOf(v))
		p, only = d.call(v), chat.Assistant
	case "thinking":
		d.Others(v, "type", "thinking", "signature")
		p, only = d.thought(v), chat.Assistant
	case "redacted_thinking":
		p, only = chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: d.Text(v, "data")}}, chat.Assistant
	default:
		p = body.Unrendered(Name, kind.Str(), v)
	}
	if only != "" && only != role {
		d.Unfit(v, "a block of this type only goes with the role %s", only)
	}
	if p.Media != nil || p.Kind == chat.Unrendered {
		p.At = d.PathOf(v)
	}
	if mark := v.Get("cache_control"); mark.Given() {
		d.mark(&p, d.cache(mark))
	}
	return p
}

// callerOf returns the name of the member that says who called a tool, if it is the model itself.
func callerOf(v jsonx.Value) string {
	if v.Get("caller").Get("type").Is("direct") {
		return "caller"
	}
	return ""
}

// mark ends a prefix to be cached with the part, or with what stands for it in other dialects.
func (d *decoder) mark(p *chat.Part, c *chat.CacheMark) {
	if p.Kind != chat.Unrendered {
		p.Cache = c
	} else if n := len(p.Instead); n > 0 {
		p.Instead[n-1].Cache = c
	}
}

// thought reads thinking of an earlier turn. A block that only carries a call's signature is no part.
func (d *decoder) thought(v jsonx.Value) chat.Part {
	text := d.Text(v, "thinking")
	state, call := stateOf(v.Get("signature").Str())
	if call == "" {
		return chat.Part{Kind: chat.Reason, Text: text, State: state}
	}
	d.SignCall(call, state.Signature)
	return chat.Part{}
}

func (d *decoder) call(v jsonx.Value) chat.Part {
	c := &chat.ToolCall{ID: d.ID(v, "id"), Name: d.Text(v, "name"), Arguments: "{}"}
	if input := d.Required(v, "input"); input.Kind() == jsonx.Object {
		c.Arguments = string(input.Clone())
	} else if input.Given() {
		d.Expected(input, "an object")
	}
	c.Signature = d.SignatureOf(c.ID)
	d.Call(c.ID, c.Name)
	return chat.Part{Kind: chat.Call, ToolCall: c}
}

// result reads what a tool returned. The called function's name, which some providers want,
// is that of the call with the id, the latest if there are several.
func (d *decoder) result(v jsonx.Value) chat.Part {
	r := &chat.ToolResult{CallID: d.ID(v, "tool_use_id")}
	r.Name = d.Called(r.CallID)
	content := v.Get("content")
	r.Parts = body.ResultContent(content, func() []chat.Part { return d.content(content, chat.ToolRole) })
	if e := v.Get("is_error"); e.Given() {
		r.IsError = d.Bool(e)
	}
	return chat.Part{Kind: chat.Result, ToolResult: r}
}

// media reads an image, or a document that is no text.
func (d *decoder) media(v jsonx.Value, kind chat.PartKind) chat.Part {
	m := new(chat.Media)
	p := chat.Part{Kind: kind, Media: m}
	source := d.Required(v, "source")
	if !source.Given() {
		return p
	}
	if source.Kind() != jsonx.Object {
		d.Expected(source, "an object")
		return p
	}
	d.Others(source, "type", "media_type", "data", "url", "file_id")
	switch from := d.Required(source, "type"); {
	case !from.Given():
	case from.Is("base64"):
		m.MIMEType, m.Data = d.Text(source, "media_type"), d.Text(source, "data")
		if data := source.Get("data"); !data.Empty() && !body.IsBase64(m.Data) {
			d.Add(data, "expected standard base64 with padding")
		}
	case from.Is("url"):
		m.URL = d.Text(source, "url")
		if url := source.Get("url"); url.Kind() == jsonx.String && !body.IsWeb(m.URL) {
			d.Add(url, "expected an http or https URL")
		}
	case from.Is("file"):
		m.FileID = d.ID(source, "file_id")
	default:
		d.OneOf(from, "base64", "url", "file")
	}
	return p
}

// document reads a document. One of text or of blocks is Anthropic's; other dialects get its text and images.
func (d *decoder) document(v jsonx.Value) chat.Part {
	source := v.Get("source")
	cites, _ := v.Get("citations").Get("enabled").Bool()
	if cites {
		body.NoteForeign(d.req, v.Get("citations"), false)
	}
	switch {
	case source.Get("type").Is("text"):
		d.Text(source, "data")
		return body.Unrendered(Name, "document", v)
	case source.Get("type").Is("content"):
		return d.blocksDocument(v, source.Get("content"))
	}
	d.Others(v, "type", "source", "title", "context", "citations", "cache_control")
	p := d.media(v, chat.File)
	if cites {
		p.Dialect, p.Raw = string(Name), v.Clone()
	}
	p.Media.Filename, p.Media.Context = d.OptionalText(v, "title"), d.OptionalText(v, "context")
	return p
}

// blocksDocument reads a document of blocks, which stand between the tags of other dialects' text.
func (d *decoder) blocksDocument(v, content jsonx.Value) chat.Part {
	p := body.Unrendered(Name, "document", v)
	if content.Kind() == jsonx.String {
		return p
	}
	blocks := d.content(content, chat.User)
	if !slices.ContainsFunc(blocks, func(b chat.Part) bool { return b.Media != nil }) {
		return p
	}
	begin := "<document>"
	if title := d.OptionalText(v, "title"); title != "" {
		begin += "\nTitle: " + title
	}
	if context := d.OptionalText(v, "context"); context != "" {
		begin += "\nContext: " + context
	}
	p.Instead = append([]chat.Part{{Kind: chat.Text, Text: begin}}, blocks...)
	p.Instead = append(p.Instead, chat.Part{Kind: chat.Text, Text: "</document>"})
	return p
}

// cache reads a cache mark. Other members than type and ttl are for Anthropic alone.
func (d *decoder) cache(v jsonx.Value) *chat.CacheMark {
	mark := new(chat.CacheMark)
	d.Object(v, func(m jsonx.Value) {
		switch {
		case string(m.Key()) == "type":
			d.OneOf(m, "ephemeral")
		case string(m.Key()) == "ttl" && m.Given():
			mark.TTL = d.OneOf(m, "5m", "1h")
		}
	})
	return mark
}
