package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// say reads a message or a delta of one. Reasoning comes first: in a whole message the order
// of the members means nothing.
func (c *choice) say(out []chat.Event, v jsonx.Value, whole bool) []chat.Event {
	var content, refusal, reasoning, details, calls, legacy, annotations, images, audio jsonx.Value
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "content":
			content = m
		case "refusal":
			refusal = m
		case "reasoning", "reasoning_content":
			if !m.Empty() {
				reasoning = m
			}
		case "reasoning_details":
			details = m
		case "tool_calls":
			calls = m
		case "function_call":
			legacy = m
		case "annotations":
			annotations = m
		case "images":
			images = m
		case "audio":
			audio = m
		}
	}
	out = c.reason(out, reasoning, details)
	before := len(out)
	out = c.content(out, content)
	if content.Empty() {
		out = c.text(out, audio.Get("transcript")) // of what is spoken: content is null then
	}
	for i := images.First(); i.Exists(); i = i.Next() {
		if m := imageOf(i); m != nil {
			out = append(out, chat.Event{Kind: chat.EventMedia, Choice: c.index, Part: chat.Image, Media: m})
		}
	}
	if !refusal.Empty() {
		out = append(out, chat.Event{Kind: chat.EventRefusal, Choice: c.index, Text: refusal.Str()})
	}
	for t := calls.First(); t.Exists(); t = t.Next() {
		out = c.call(out, t, whole)
	}
	if legacy.Kind() == jsonx.Object {
		out = c.legacyCall(out, legacy)
	}
	for n := annotations.First(); n.Exists(); n = n.Next() {
		out = c.cite(out, n)
	}
	if len(out) > before {
		c.open = false
	}
	return out
}

func (c *choice) text(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Empty() {
		return out
	}
	return append(out, chat.Event{Kind: chat.EventText, Choice: c.index, Text: v.Str()})
}

// content reads a string or, as Mistral's reasoning models send it, an array of
// parts: {"type":"thinking","thinking":[{"type":"text","text":".."}]} and text.
func (c *choice) content(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Kind() != jsonx.Array {
		return c.text(out, v)
	}
	for p := v.First(); p.Exists(); p = p.Next() {
		switch t := p.Get("type"); {
		case t.Is("thinking"):
			thinking := p.Get("thinking")
			out = c.thought(out, thinking)
			for q := thinking.First(); q.Exists(); q = q.Next() {
				out = c.thought(out, q.Get("text"))
			}
		case p.Kind() == jsonx.String:
			out = c.text(out, p)
		default:
			out = c.text(out, p.Get("text"))
		}
	}
	return out
}

func (c *choice) thought(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Empty() {
		return out
	}
	return append(out, chat.Event{Kind: chat.EventReason, Choice: c.index, Text: v.Str()})
}

// imageOf is a picture that a model made, as OpenRouter has it: {"type":"image_url","image_url":{"url"}}
// (https://openrouter.ai/docs/features/multimodal/image-generation). It is nil if it is none.
func imageOf(v jsonx.Value) *chat.Media {
	url := v.Get("image_url").Get("url").Str()
	kind, data, _ := strings.Cut(url, ";base64,")
	mime, is := strings.CutPrefix(kind, "data:")
	switch {
	case is && body.IsMIMEType(mime) && body.IsBase64(data):
		return &chat.Media{MIMEType: mime, Data: data}
	case body.IsWeb(url):
		return &chat.Media{URL: url}
	}
	return nil
}

// reason reads reasoning as a text and as OpenRouter's details. Where both are there
// they say the same; the details also carry what must be sent back.
func (c *choice) reason(out []chat.Event, text, details jsonx.Value) []chat.Event {
	said := false
	for d := details.First(); d.Exists(); d = d.Next() {
		said = said || !d.Get("text").Empty() || !d.Get("summary").Empty()
	}
	if !said {
		out = c.thought(out, text)
	}
	for d := details.First(); d.Exists(); d = d.Next() {
		out = c.reasoningDetail(out, d)
	}
	return out
}

// reasoningDetail reads one of reasoning_details. In a stream each chunk repeats the format;
// the event has the state only when it says something new.
func (c *choice) reasoningDetail(out []chat.Event, v jsonx.Value) []chat.Event {
	text, state := detailOf(v)
	if text == "" && !sealed(&state) {
		return out
	}
	if state.Encrypted != "" && c.open && state.ID != "" && state.ID == c.detail.ID && state.Index == c.detail.Index {
		state.Summary = c.detail.Summary // an item with a summary comes as two details
	}
	ev := chat.Event{Kind: chat.EventReason, Choice: c.index, Text: text}
	if c.open && c.detail.Takes(&state) {
		before := c.detail
		if c.detail.Merge(&state); c.detail != before {
			ev.State = &state
		}
	} else {
		c.detail, ev.State = state, &state
	}
	c.open = !sealed(&state)
	return append(out, ev)
}

// call reads a tool call or a piece of one. Pieces belong together by index, where
// providers send one; else by id; else to the last call.
func (c *choice) call(out []chat.Event, v jsonx.Value, whole bool) []chat.Event {
	function, member := v.Get("function"), "arguments"
	custom := v.Get("type").Is("custom") || !function.Exists() && v.Get("custom").Exists()
	if custom {
		function, member = v.Get("custom"), "input"
	}
	id, name, args := v.Get("id").Str(), function.Get("name").Str(), arguments(function.Get(member))
	index, indexed := v.Get("index").Int64()
	at := -1
	if !whole {
		at = c.find(index, indexed, id, name)
	}
	if at < 0 {
		at = len(c.calls)
		if !indexed {
			index = int64(at)
		}
		c.calls = append(c.calls, call{index: index, id: id, custom: custom, spoken: !blank(args)})
		made := &chat.ToolCall{ID: id, Name: name, Arguments: args, Custom: custom,
			Signature: v.Get("extra_content").Get("google").Get("thought_signature").Str()}
		if id == "" {
			made.ID = c.makeID(at, name)
		}
		return append(out, chat.Event{Kind: chat.EventCall, Choice: c.index, Call: at, ToolCall: made})
	}
	if args == "" {
		return out
	}
	c.calls[at].spoken = c.calls[at].spoken || !blank(args)
	return append(out, chat.Event{Kind: chat.EventCallArgs, Choice: c.index, Call: at, Text: args})
}

// find is the call that a piece belongs to, -1 if it begins another. A known index
// with another id and a name begins another, too: some servers send 0 for every call.
func (c *choice) find(index int64, indexed bool, id, name string) int {
	for i := len(c.calls) - 1; i >= 0; i-- {
		known := &c.calls[i]
		switch {
		case indexed && known.index == index:
			if id != "" && known.id != id && name != "" {
				return -1
			}
			return i
		case !indexed && id != "" && known.id == id:
			return i
		}
	}
	if !indexed && id == "" && name == "" {
		return len(c.calls) - 1
	}
	return -1
}

// makeID names a call that the provider left without an id. The same call gets the
// same name in a stream and in a whole answer, and calls of other answers get others.
func (c *choice) makeID(at int, name string) string {
	sum := sha256.Sum256([]byte(c.answer + "/" + strconv.Itoa(c.index) + "/" + strconv.Itoa(at) + "/" + name))
	return "call_" + hex.EncodeToString(sum[:12])
}

// arguments are a string of JSON or, from servers that got it wrong, JSON itself.
func arguments(v jsonx.Value) string {
	switch v.Kind() {
	case jsonx.String:
		return v.Str()
	case jsonx.Object, jsonx.Array:
		return string(v.Clone())
	}
	return ""
}

func blank(s string) bool { return s == "" || strings.TrimSpace(s) == "" }

// legacyCall reads function_call, from before tools.
func (c *choice) legacyCall(out []chat.Event, v jsonx.Value) []chat.Event {
	name, args := v.Get("name").Str(), arguments(v.Get("arguments"))
	if len(c.calls) == 0 {
		c.calls = append(c.calls, call{spoken: !blank(args)})
		return append(out, chat.Event{Kind: chat.EventCall, Choice: c.index, ToolCall: &chat.ToolCall{ID: c.makeID(0, name), Name: name, Arguments: args}})
	}
	if args == "" {
		return out
	}
	c.calls[0].spoken = c.calls[0].spoken || !blank(args)
	return append(out, chat.Event{Kind: chat.EventCallArgs, Choice: c.index, Text: args})
}

func (c *choice) cite(out []chat.Event, v jsonx.Value) []chat.Event {
	u := v.Get("url_citation")
	if u.Kind() != jsonx.Object {
		return out
	}
	return append(out, chat.Event{Kind: chat.EventCitation, Choice: c.index, Citation: &chat.Citation{
		URL: u.Get("url").Str(), Title: u.Get("title").Str(), Text: u.Get("content").Str(),
		Start: int(count(u.Get("start_index"))), End: int(count(u.Get("end_index"))), Raw: v.Clone()}})
}
