package gemini

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// content reads a turn.
func (d *decoder) content(v jsonx.Value) {
	var role, parts jsonx.Value
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "role":
			role = m
		case "parts":
			parts = m
		default:
			d.Unknown(m, slices.Values([]string{"role", "parts"}))
		}
	})
	if v.Kind() != jsonx.Object {
		return
	}
	word := "user"
	if role.Exists() {
		word = d.string(role)
	}
	switch word {
	case "model":
		if parts.Exists() { // an answer that was blocked has none
			d.modelTurn(parts)
		}
	case "user", "function", "tool", "":
		if parts.Len() == 0 {
			d.AddMember(v, "parts", "required, and must not be empty")
			return
		}
		d.userTurn(parts)
	case "system":
		d.Add(role, "instructions belong into systemInstruction")
	default:
		d.Add(role, "expected one of user, model")
	}
}

// A part is one part's members: what it is, and what may stand beside it.
type part struct {
	kind      string // the member's name in camel case; empty if there is none
	data      jsonx.Value
	thought   bool
	signature string
}

func (d *decoder) part(v jsonx.Value) part {
	var p part
	d.object(v, func(m jsonx.Value) {
		switch name := camel(m); name {
		case "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			if p.kind != "" {
				d.Add(m, "a part is one thing: it is %s already", p.kind)
			}
			p.kind, p.data = name, m
		case "thought":
			p.thought = d.bool(m)
		case "thoughtSignature":
			p.signature = standard(d.string(m))
		case "videoMetadata", "mediaResolution", "mediaProcessing", "partMetadata":
		default:
			d.Unknown(m, slices.Values([]string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "thought", "thoughtSignature"}))
		}
	})
	if p.kind == "text" && p.data.Kind() != jsonx.String {
		d.Expected(p.data, "a string")
	}
	if v.Kind() == jsonx.Object && p.kind == "" && p.signature == "" {
		d.Add(v, "expected one of text, inlineData, fileData, functionCall, functionResponse")
	}
	return p
}

// userTurn reads what the user and the tools say. Results that follow each other are one message.
func (d *decoder) userTurn(parts jsonx.Value) {
	start := len(d.req.Messages)
	d.each(parts, func(v jsonx.Value) {
		p := d.part(v)
		role, out := chat.User, chat.Part{Kind: chat.Text, Text: p.data.Str()}
		switch p.kind {
		case "text", "":
		case "inlineData":
			out = d.inline(p.data)
		case "fileData":
			out = d.file(p.data)
		case "functionResponse":
			role, out = chat.ToolRole, chat.Part{Kind: chat.Result, ToolResult: d.response(p.data)}
		default:
			d.Add(p.data, "only goes with the role model")
		}
		if n := len(d.req.Messages); n == start || d.req.Messages[n-1].Role != role {
			d.req.Messages = append(d.req.Messages, chat.Message{Role: role})
		}
		last := &d.req.Messages[len(d.req.Messages)-1]
		last.Parts = append(last.Parts, out)
	})
}

// modelTurn reads what the model said, perhaps in the pieces of a stream, which are put together.
func (d *decoder) modelTurn(parts jsonx.Value) {
	d.turn = len(d.calls)
	t := modelTurn{}
	d.each(parts, func(v jsonx.Value) {
		switch p := d.part(v); p.kind {
		case "text", "":
			t.text(p)
		case "functionCall":
			t.thoughts.open = false
			t.parts = append(t.parts, chat.Part{Kind: chat.Call, ToolCall: d.call(p.data, p.signature)})
		case "inlineData":
			t.parts = append(t.parts, d.inline(p.data))
		case "fileData":
			t.parts = append(t.parts, d.file(p.data))
		case "functionResponse":
			d.Add(p.data, "only goes with the role user")
		default:
			t.parts = append(t.parts, chat.Part{Kind: chat.Unrendered, Raw: v.Clone()})
		}
	})
	if len(t.parts) > 0 {
		d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.Assistant, Parts: t.parts})
	}
}

// A modelTurn collects the parts of an assistant's message, as choice.part and chat.Assembler do it for
// an answer: what a caller was sent means the same when it comes back.
type modelTurn struct {
	parts    []chat.Part
	thoughts run
}

func (t *modelTurn) text(p part) {
	s := p.data.Str()
	if p.thought {
		if state, says := t.thoughts.state(s, p.signature); says {
			t.reason(s, state)
		}
		return
	}
	if s != "" {
		t.thoughts.open = false
		if n := len(t.parts); n > 0 && t.parts[n-1].Kind == chat.Text {
			t.parts[n-1].Text += s
		} else {
			t.parts = append(t.parts, chat.Part{Kind: chat.Text, Text: s})
		}
	}
	if p.signature != "" {
		t.thoughts.open = false
		t.reason("", unseal(p.signature, false))
	}
}

// reason adds a piece of reasoning to the part that takes it. State alone may come late.
func (t *modelTurn) reason(s string, state *chat.ReasoningState) {
	if s == "" && state == nil {
		return
	}
	at := len(t.parts) - 1
	for s == "" && at >= 0 && t.parts[at].Kind != chat.Reason {
		at--
	}
	if at < 0 || t.parts[at].Kind != chat.Reason || !t.parts[at].State.Takes(state) {
		t.parts = append(t.parts, chat.Part{Kind: chat.Reason, Text: s, State: state})
		return
	}
	t.parts[at].Text += s
	if state == nil {
		return
	}
	if t.parts[at].State == nil {
		t.parts[at].State = new(chat.ReasoningState)
	}
	t.parts[at].State.Merge(state)
}

// call reads a function's call. One without an id gets its place in the conversation as its
// id, the same in every request that repeats it.
func (d *decoder) call(v jsonx.Value, signature string) *chat.ToolCall {
	c := &chat.ToolCall{Arguments: "{}", Signature: signature}
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "id":
			c.ID = d.string(m)
		case "name":
			c.Name = d.string(m)
		case "args":
			if m.Kind() != jsonx.Object {
				d.Expected(m, "an object")
			}
			c.Arguments = string(m.Clone())
		case "partialArgs", "willContinue":
			d.Add(m, "calls in pieces are not supported: send the whole args")
		default:
			d.Unknown(m, slices.Values([]string{"id", "name", "args"}))
		}
	})
	if c.Name == "" {
		d.AddMember(v, "name", "required")
	}
	for n := len(d.calls) + 1; c.ID == ""; n++ {
		id := "call_" + strconv.Itoa(n)
		if !slices.ContainsFunc(d.calls, func(c call) bool { return c.id == id }) {
			c.ID = id
		}
	}
	d.calls = append(d.calls, call{id: c.ID, name: c.Name})
	return c
}

// response reads the result of a function.
func (d *decoder) response(v jsonx.Value) *chat.ToolResult {
	r := new(chat.ToolResult)
	var media []chat.Part
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "id":
			r.CallID = d.string(m)
		case "name":
			r.Name = d.string(m)
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
			d.Unknown(m, slices.Values([]string{"id", "name", "response", "parts"}))
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

// inline reads a medium that comes with its data.
func (d *decoder) inline(v jsonx.Value) chat.Part {
	m := new(chat.Media)
	d.object(v, func(f jsonx.Value) {
		switch camel(f) {
		case "mimeType":
			m.MIMEType = d.string(f)
		case "data":
			m.Data = standard(d.string(f))
			if f.Kind() == jsonx.String && !isBase64(m.Data) {
				d.Add(f, "expected base64")
			}
		case "displayName":
			m.Filename = d.string(f)
		default:
			d.Unknown(f, slices.Values([]string{"mimeType", "data", "displayName"}))
		}
	})
	if v.Kind() == jsonx.Object && m.MIMEType == "" {
		d.AddMember(v, "mimeType", "required")
	}
	if v.Kind() == jsonx.Object && m.Data == "" {
		d.AddMember(v, "data", "required")
	}
	return chat.Part{Kind: mediaKind(m.MIMEType), Media: m}
}

// file reads a medium by its address: an upload to Google, or any URL, which other providers may fetch.
func (d *decoder) file(v jsonx.Value) chat.Part {
	m := new(chat.Media)
	d.object(v, func(f jsonx.Value) {
		switch camel(f) {
		case "mimeType":
			m.MIMEType = d.string(f)
		case "fileUri":
			uri := d.string(f)
			u, err := url.Parse(uri)
			switch {
			case err != nil:
				d.Add(f, "expected a URI")
			case (u.Scheme == "http" || u.Scheme == "https") && !filesAPI(u):
				m.URL = uri
			default:
				m.FileID = uri
			}
		case "displayName":
			m.Filename = d.string(f)
		default:
			d.Unknown(f, slices.Values([]string{"mimeType", "fileUri", "displayName"}))
		}
	})
	if v.Kind() == jsonx.Object && m.URL == "" && m.FileID == "" {
		d.AddMember(v, "fileUri", "required")
	}
	return chat.Part{Kind: mediaKind(m.MIMEType), Media: m}
}

func mediaKind(mime string) chat.PartKind {
	switch kind, _, _ := strings.Cut(strings.ToLower(mime), "/"); kind {
	case "image":
		return chat.Image
	case "audio":
		return chat.Audio
	}
	return chat.File
}
