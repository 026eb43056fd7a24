package openai

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// message reads a message or a delta. Reasoning comes first: in a whole message the order
// of the members has no meaning.
func (c *choice) message(out []chat.Event, v jsonx.Value, whole bool) []chat.Event {
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
		out = c.text(out, audio.Get("transcript")) // of spoken audio: content is null then
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
			out = c.reasoningText(out, thinking)
			for q := thinking.First(); q.Exists(); q = q.Next() {
				out = c.reasoningText(out, q.Get("text"))
			}
		case p.Kind() == jsonx.String:
			out = c.text(out, p)
		default:
			out = c.text(out, p.Get("text"))
		}
	}
	return out
}

func (c *choice) reasoningText(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Empty() {
		return out
	}
	return append(out, chat.Event{Kind: chat.EventReason, Choice: c.index, Text: v.Str()})
}

// imageOf reads an image that a model made, as OpenRouter has it: {"type":"image_url","image_url":{"url"}}
// (https://openrouter.ai/docs/features/multimodal/image-generation). It returns nil for anything else.
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

// reason reads reasoning as a text and as OpenRouter's details. If there are both,
// they have the same text, and the details also have the state that must be sent back.
func (c *choice) reason(out []chat.Event, text, details jsonx.Value) []chat.Event {
	detailed := false
	for d := details.First(); d.Exists(); d = d.Next() {
		detailed = detailed || !d.Get("text").Empty() || !d.Get("summary").Empty()
	}
	if !detailed {
		out = c.reasoningText(out, text)
	}
	for d := details.First(); d.Exists(); d = d.Next() {
		out = c.reasoningDetail(out, d)
	}
	return out
}

// reasoningDetail reads one of reasoning_details. In a stream each chunk repeats the format;
// the event has the state only if it changes.
func (c *choice) reasoningDetail(out []chat.Event, v jsonx.Value) []chat.Event {
	text, state := detailOf(v)
	if text == "" && !state.Complete() {
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
	c.open = !state.Complete()
	return append(out, ev)
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
