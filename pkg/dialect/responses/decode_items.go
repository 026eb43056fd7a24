package responses

import (
	"cmp"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// itemKind is the kind of an item of the output.
type itemKind uint8

const (
	otherItem itemKind = iota // of a hosted tool, which no other dialect has: left out
	messageItem
	reasoningItem
	functionItem
	customItem
	imageItem
	ownItem // a call of a tool of the dialect's own, which the caller runs
)

func kindOf(v jsonx.Value) itemKind {
	switch t := v.Get("type"); {
	case t.Is("message"):
		return messageItem
	case t.Is("reasoning"):
		return reasoningItem
	case t.Is("function_call"):
		return functionItem
	case t.Is("custom_tool_call"):
		return customItem
	case t.Is("image_generation_call"):
		return imageItem
	}
	if ownToolBy(ofCall, v.Get("type").Str()) != nil && callerRan(v) {
		return ownItem
	}
	return otherItem
}

// An item is an item of the output that has begun. Its index identifies it: some servers give an item another id
// in every event.
type item struct {
	index  int64
	kind   itemKind
	id     string // of reasoning
	phase  string // of a message
	call   body.Call
	done   bool
	pieces []piece
}

// A piece is one text of an item.
type piece struct {
	kind      contentKind
	index     int64
	begun     bool
	logprobs  bool
	citations int
}

func (a *answer) find(index int64) *item {
	for i := len(a.items) - 1; i >= 0; i-- {
		if a.items[i].index == index {
			return &a.items[i]
		}
	}
	return nil
}

// itemAt returns the item at the index, and adds it if it has not begun. Its value v may be missing.
func (a *answer) itemAt(index int64, kind itemKind, v jsonx.Value) *item {
	if it := a.find(index); it != nil {
		return it
	}
	a.items = append(a.items, item{index: index, kind: kind, id: v.Get("id").Str(), phase: v.Get("phase").Str()})
	return &a.items[len(a.items)-1]
}

func (it *item) piece(kind contentKind, index int64) *piece {
	for i := len(it.pieces) - 1; i >= 0; i-- {
		if it.pieces[i].kind == kind && it.pieces[i].index == index {
			return &it.pieces[i]
		}
	}
	it.pieces = append(it.pieces, piece{kind: kind, index: index})
	return &it.pieces[len(it.pieces)-1]
}

// addText adds to the text of that kind with the index.
func (it *item) addText(out []chat.Event, kind contentKind, index int64, text jsonx.Value) []chat.Event {
	if text.Empty() {
		return out
	}
	p := it.piece(kind, index)
	first := !p.begun
	p.begun = true
	ev := chat.Event{Text: text.Str()}
	switch p.kind {
	case answerText:
		ev.Kind, ev.Phase = chat.EventText, it.phase
	case refusalText:
		ev.Kind, ev.Phase = chat.EventRefusal, it.phase
	default:
		ev.Kind = chat.EventReason
		if first {
			ev.State = it.state(p)
		}
	}
	return append(out, ev)
}

// state returns the state of a reasoning's text when it begins; nil if it is empty.
func (it *item) state(p *piece) *chat.ReasoningState {
	s := chat.ReasoningState{ID: it.id, Index: int(p.index), Summary: p.kind == summaryText}
	if s == (chat.ReasoningState{}) {
		return nil
	}
	return &s
}

// complete reads a completed item and adds the content that was not streamed.
func (a *answer) complete(out []chat.Event, index int64, v jsonx.Value) []chat.Event {
	a.fees = a.fees || hasFee(v)
	it := a.itemAt(index, kindOf(v), v)
	if it.done {
		return out
	}
	it.done = true
	switch it.kind {
	case messageItem:
		position := int64(0)
		for p := v.Get("content").First(); p.Exists(); p = p.Next() {
			out = it.content(out, position, p)
			position++
		}
	case reasoningItem:
		out = it.reasoning(out, v)
	case functionItem, customItem, ownItem:
		out = a.call(out, it, v)
	case imageItem:
		if data := v.Get("result"); !data.Empty() {
			out = append(out, chat.Event{Kind: chat.EventMedia, Part: chat.Image,
				Media: &chat.Media{MIMEType: "image/" + cmp.Or(v.Get("output_format").Str(), "png"), Data: data.Str()}})
		}
	}
	return out
}

// content reads one part of a completed message.
func (it *item) content(out []chat.Event, index int64, v jsonx.Value) []chat.Event {
	if v.Get("type").Is("refusal") {
		if p := it.piece(refusalText, index); !p.begun {
			out = it.addText(out, refusalText, index, v.Get("refusal"))
		}
		return out
	}
	p := it.piece(answerText, index)
	if !p.begun {
		out = it.addText(out, answerText, index, v.Get("text"))
	}
	n := 0
	for c := v.Get("annotations").First(); c.Exists(); c = c.Next() {
		if n++; n > p.citations {
			out = p.citation(out, c)
		}
	}
	if !p.logprobs {
		out = p.addLogprobs(out, v.Get("logprobs"))
	}
	return out
}

// reasoning reads a completed reasoning item. Its encrypted content counts only now (API reference: that of
// output_item.added "may be incomplete").
func (it *item) reasoning(out []chat.Event, v jsonx.Value) []chat.Event {
	last := piece{kind: reasoningText}
	for _, texts := range [...]struct {
		member string
		kind   contentKind
	}{{"summary", summaryText}, {"content", reasoningText}} {
		position := int64(0)
		for t := v.Get(texts.member).First(); t.Exists(); t = t.Next() {
			p := it.piece(texts.kind, position)
			if !p.begun {
				out = it.addText(out, texts.kind, position, t.Get("text"))
			}
			if p.begun {
				last = *p
			}
			position++
		}
	}
	if encrypted := v.Get("encrypted_content"); !encrypted.Empty() {
		state := chat.ReasoningState{ID: it.id, Encrypted: encrypted.Str(), Index: int(last.index), Summary: last.kind == summaryText}
		out = append(out, chat.Event{Kind: chat.EventReason, State: &state})
	}
	return out
}

// call reads a call that begins or is complete.
func (a *answer) call(out []chat.Event, it *item, v jsonx.Value) []chat.Event {
	arguments := v.Get("arguments")
	if it.kind == customItem {
		arguments = v.Get("input")
	}
	if it.kind == ownItem {
		return a.ownCall(out, it, v)
	}
	if !it.call.Begun() {
		made := &chat.ToolCall{ID: v.Get("call_id").Str(), Name: v.Get("name").Str(), Custom: it.kind == customItem,
			Group: v.Get("namespace").Str()}
		out = a.calls.Begin(out, &it.call, made)
	}
	if !it.call.HasArguments() {
		out = it.addArguments(out, arguments)
	}
	if it.done {
		out = it.call.End(out)
	}
	return out
}

// ownCall reads a call of a tool of the dialect's own when it is complete.
func (a *answer) ownCall(out []chat.Event, it *item, v jsonx.Value) []chat.Event {
	if !it.done || it.call.Begun() {
		return out
	}
	t := ownToolBy(ofCall, v.Get("type").Str())
	made := &chat.ToolCall{ID: ownCallID(v), Name: t.tool, Type: t.call, Arguments: string(v.Get(t.member).Clone())}
	return it.call.End(a.calls.Begin(out, &it.call, made))
}

// addArguments adds a piece of a call's arguments. White space before them is left out.
func (it *item) addArguments(out []chat.Event, v jsonx.Value) []chat.Event {
	text := v.Str()
	if !it.call.Begun() {
		return out
	}
	if !it.call.HasArguments() && it.kind == functionItem {
		text = strings.TrimLeft(text, " \t\r\n")
	}
	return it.call.Add(out, text)
}

// citation adds an annotation. An annotation without a URL is kept unchanged.
func (p *piece) citation(out []chat.Event, v jsonx.Value) []chat.Event {
	p.citations++
	c := &chat.Citation{Title: v.Get("title").Str()}
	if v.Get("type").Is("url_citation") {
		start, _ := v.Get("start_index").Int64()
		end, _ := v.Get("end_index").Int64()
		c.URL, c.Start, c.End = v.Get("url").Str(), int(max(start, 0)), int(max(end, 0))
	} else {
		c.Raw = v.Clone()
		if c.Title == "" {
			c.Title = v.Get("filename").Str()
		}
	}
	return append(out, chat.Event{Kind: chat.EventCitation, Citation: c})
}

// addLogprobs adds the probabilities of tokens, in the shape of Chat Completions.
func (p *piece) addLogprobs(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Len() == 0 {
		return out
	}
	p.logprobs = true
	raw := append([]byte(nil), `{"content":`...)
	raw = append(raw, v.Clone()...)
	return append(out, chat.Event{Kind: chat.EventLogprobs, Raw: append(raw, '}')})
}
