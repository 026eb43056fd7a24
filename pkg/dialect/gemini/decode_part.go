package gemini

import (
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// part reads one part of an answer.
func (c *choice) part(out []chat.Event, v jsonx.Value, answer string) ([]chat.Event, *chat.Error) {
	var text, thought, call, medium, signature, other jsonx.Value
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "text":
			text = m
		case "thought":
			thought = m
		case "functionCall":
			call = m
		case "thoughtSignature":
			signature = m
		case "inlineData":
			medium, other = m, m
		default:
			other = m
		}
	}
	if call.Kind() == jsonx.Object {
		c.thoughts.open = false
		return c.call(out, call, signature.Str(), answer)
	}
	if t, _ := thought.Bool(); t {
		if state, ok := c.thoughts.state(text.Str(), signature.Str()); ok {
			out = append(out, chat.Event{Kind: chat.EventReason, Choice: c.index, Text: text.Str(), State: state})
		}
		return out, nil
	}
	if !text.Empty() {
		c.thoughts.open = false
		s := text.Str()
		c.text = append(c.text, s...)
		out = append(out, chat.Event{Kind: chat.EventText, Choice: c.index, Text: s})
	}
	out = c.medium(out, medium)
	if !signature.Empty() && !other.Exists() {
		c.thoughts.open = false
		out = append(out, chat.Event{Kind: chat.EventReason, Choice: c.index, State: stateOf(signature.Str(), false)})
	}
	return out, nil
}

// medium reads a picture or a sound that the model made. Those in its thoughts are drafts and are left out by part.
func (c *choice) medium(out []chat.Event, v jsonx.Value) []chat.Event {
	data, mime := v.Get("data"), v.Get("mimeType").Str()
	if data.Empty() {
		return out
	}
	c.thoughts.open = false
	m := &chat.Media{MIMEType: mime, Data: standardBase64(data.Str())}
	return append(out, chat.Event{Kind: chat.EventMedia, Choice: c.index, Part: mediaKind(mime), Media: m})
}

// call reads a function's call, or a piece of one.
func (c *choice) call(out []chat.Event, v jsonx.Value, signature, answer string) ([]chat.Event, *chat.Error) {
	out, failed, partial := c.callPiece(out, v, signature, answer)
	if partial || failed != nil {
		return out, failed
	}
	made := &chat.ToolCall{ID: v.Get("id").Str(), Name: v.Get("name").Str(), Arguments: "{}", Signature: signature}
	if args := v.Get("args"); args.Kind() == jsonx.Object {
		made.Arguments = string(args.Clone())
	}
	return c.wholeCall(out, made, answer), nil
}

// wholeCall tells of a call with all its arguments. Models before Gemini 3 give calls no ids.
func (c *choice) wholeCall(out []chat.Event, made *chat.ToolCall, answer string) []chat.Event {
	if made.ID == "" {
		made.ID = body.MakeID("call_", answer, strconv.Itoa(c.index), strconv.Itoa(c.calls.Next()), made.Name, made.Arguments)
	}
	return c.calls.Begin(out, new(body.Call), made)
}

func isTrue(v jsonx.Value) bool { b, _ := v.Bool(); return b }
