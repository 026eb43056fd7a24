package anthropic

import (
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// DecodeResponse decodes a whole answer. It decodes the events of a stream with that answer and assembles them, so
// that a whole answer and a streamed one cannot differ.
//
// Blocks that chat has no part for (server tools and their results) are left out.
func (Client) DecodeResponse(data []byte) (*chat.Response, error) {
	root, err := body.ReadAnswer(data, errorIn)
	if err != nil {
		return nil, err
	}
	content := root.Get("content")
	if content.Kind() != jsonx.Array {
		return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no content"}
	}
	var a answer
	events := a.start(nil, root)
	index := int64(0)
	for b := content.First(); b.Exists(); b = b.Next() {
		events = a.startBlock(events, index, b)
		events = a.stopBlock(events, index)
		index++
	}
	a.end(root)
	return body.Assemble(a.finish(events), nil)
}

// An answer is the state of decoding an answer's events.
type answer struct {
	started bool
	said    bool // a block has begun
	id      string
	blocks  []block // those that are open; there is one at a time
	calls   body.Calls
	tokens  tokens
	told    chat.Usage // the usage as it was last sent
	model   string     // that took over, if the one that began refused; a stream's start names the latter

	finishReason chat.FinishReason
	stop         string
	explanation  string // of a refusal
}

// A block is an open block.
type block struct {
	index     int64
	kind      string
	signature string
	call      body.Call
	input     string // of a call, as the block's start has it
}

// start reads the beginning of a message.
func (a *answer) start(out []chat.Event, message jsonx.Value) []chat.Event {
	a.started, a.id = true, message.Get("id").Str()
	usage := message.Get("usage")
	out = append(out, chat.Event{Kind: chat.EventStart, ID: a.id, Model: message.Get("model").Str(), ServiceTier: usage.Get("service_tier").Str()})
	return a.count(out, usage)
}

// count appends the usage if it is new.
func (a *answer) count(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Kind() != jsonx.Object {
		return out
	}
	known := a.tokens.known
	a.tokens.merge(v)
	usage := a.tokens.usage()
	if known && usage == a.told {
		return out
	}
	a.told = usage
	return append(out, chat.Event{Kind: chat.EventUsage, Usage: &usage, Model: a.model})
}

func (a *answer) block(index int64) *block {
	for i := range a.blocks {
		if a.blocks[i].index == index {
			return &a.blocks[i]
		}
	}
	return nil
}

// startBlock reads the beginning of a block, or a whole block.
func (a *answer) startBlock(out []chat.Event, index int64, v jsonx.Value) []chat.Event {
	out = a.stopBlock(out, index)
	a.said = true
	b := block{index: index, kind: v.Get("type").Str()}
	switch b.kind {
	case "fallback":
		a.model = v.Get("to").Get("model").Str()
		if usage := a.told; a.tokens.known {
			out = append(out, chat.Event{Kind: chat.EventUsage, Usage: &usage, Model: a.model})
		}
	case "text":
		if text := v.Get("text"); !text.Empty() {
			out = append(out, chat.Event{Kind: chat.EventText, Text: text.Str()})
		}
		for c := v.Get("citations").First(); c.Exists(); c = c.Next() {
			out = cite(out, c)
		}
	case "thinking":
		if text := v.Get("thinking"); !text.Empty() {
			out = append(out, chat.Event{Kind: chat.EventReason, Text: text.Str()})
		}
		b.signature = v.Get("signature").Str()
	case "redacted_thinking":
		out = append(out, chat.Event{Kind: chat.EventReason, State: &chat.ReasoningState{Redacted: v.Get("data").Str()}})
	case "tool_use":
		made := &chat.ToolCall{ID: v.Get("id").Str(), Name: v.Get("name").Str()}
		if made.ID == "" {
			made.ID = body.MakeID("toolu_", a.id, strconv.Itoa(a.calls.Next()), made.Name)
		}
		if input := v.Get("input"); input.Kind() == jsonx.Object {
			b.input = string(input.Clone())
		}
		out = a.calls.Begin(out, &b.call, made)
	}
	a.blocks = append(a.blocks, b)
	return out
}

// delta reads a piece of a block. A piece of a block that never began starts one of its type.
func (a *answer) delta(out []chat.Event, index int64, v jsonx.Value) []chat.Event {
	b := a.block(index)
	kind := v.Get("type").Str()
	if b == nil {
		began, ok := map[string]string{"text_delta": "text", "citations_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking"}[kind]
		if !ok {
			return out
		}
		a.said = true
		a.blocks = append(a.blocks, block{index: index, kind: began})
		b = &a.blocks[len(a.blocks)-1]
	}
	switch {
	case kind == "text_delta" && b.kind == "text":
		if text := v.Get("text"); !text.Empty() {
			out = append(out, chat.Event{Kind: chat.EventText, Text: text.Str()})
		}
	case kind == "citations_delta" && b.kind == "text":
		out = cite(out, v.Get("citation"))
	case kind == "thinking_delta" && b.kind == "thinking":
		if text := v.Get("thinking"); !text.Empty() {
			out = append(out, chat.Event{Kind: chat.EventReason, Text: text.Str()})
		}
	case kind == "signature_delta" && b.kind == "thinking":
		b.signature = v.Get("signature").Str()
	case kind == "input_json_delta" && b.kind == "tool_use":
		out = b.call.Add(out, v.Get("partial_json").Str())
	}
	return out
}

// stopBlock ends a block, if it is open.
func (a *answer) stopBlock(out []chat.Event, index int64) []chat.Event {
	for i := range a.blocks {
		if a.blocks[i].index != index {
			continue
		}
		out = a.blocks[i].end(out)
		a.blocks = append(a.blocks[:i], a.blocks[i+1:]...)
		return out
	}
	return out
}

func (b *block) end(out []chat.Event) []chat.Event {
	switch {
	case b.kind == "thinking" && b.signature != "":
		out = append(out, chat.Event{Kind: chat.EventReason, State: &chat.ReasoningState{Signature: b.signature}})
	case b.kind == "tool_use":
		if !b.call.HasArguments() {
			out = b.call.Add(out, b.input)
		}
		out = b.call.End(out)
	}
	return out
}

// end reads why the answer ended, from a message or from the delta at a stream's end.
func (a *answer) end(v jsonx.Value) {
	if reason := v.Get("stop_reason"); !reason.Empty() {
		a.finishReason = finishReason(reason.Str())
	}
	if s := v.Get("stop_sequence"); !s.Empty() {
		a.stop = s.Str()
	}
	if s := v.Get("stop_details").Get("explanation"); !s.Empty() {
		a.explanation = s.Str()
	}
}

// finish ends the answer.
func (a *answer) finish(out []chat.Event) []chat.Event {
	for i := range a.blocks {
		out = a.blocks[i].end(out)
	}
	a.blocks = nil
	if a.finishReason == chat.FinishContentFilter && a.explanation != "" {
		out = append(out, chat.Event{Kind: chat.EventRefusal, Text: a.explanation})
	}
	reason := a.finishReason
	if reason == "" {
		reason = chat.FinishStop
	}
	if reason == chat.FinishStop && a.calls.Any() && a.stop == "" {
		reason = chat.FinishToolCalls
	}
	return append(out, chat.Event{Kind: chat.EventFinish, Finish: reason, Text: a.stop})
}

func finishReason(reason string) chat.FinishReason {
	switch reason {
	case "max_tokens", "model_context_window_exceeded":
		return chat.FinishLength
	case "tool_use":
		return chat.FinishToolCalls
	case "refusal":
		return chat.FinishContentFilter
	}
	return chat.FinishStop // end_turn, stop_sequence, pause_turn, and unknown reasons
}
