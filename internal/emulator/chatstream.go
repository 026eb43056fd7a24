package emulator

import (
	"encoding/json"
	"iter"
)

// chatEvents returns the chunks of an answer.
func (x *exchange) chatEvents(a *answer) iter.Seq[event] {
	return func(yield func(event) bool) {
		for delta := range x.chatDeltas(a) {
			if !yield(event{data: x.chunk(delta, nil)}) {
				return
			}
		}
		for _, c := range x.lastChunks(a) {
			if !yield(event{data: c}) {
				return
			}
		}
		yield(event{data: json.RawMessage("[DONE]")})
	}
}

// chatDeltas returns all chunks but the last.
func (x *exchange) chatDeltas(a *answer) iter.Seq[object] {
	return func(yield func(object) bool) {
		if !yield(object{"role": "assistant", "content": ""}) {
			return
		}
		for _, d := range x.thoughts(a.reasoning) {
			if !yield(d) {
				return
			}
		}
		for piece := range x.textPieces(a) {
			if !yield(x.delta(piece)) {
				return
			}
		}
		if a.refusal != "" && !yield(object{"refusal": a.refusal}) || x.p.wholeCalls {
			return
		}
		for _, d := range callDeltas(a.calls) {
			if !yield(d) {
				return
			}
		}
	}
}

// thoughts returns the pieces of reasoning where the provider puts it.
func (x *exchange) thoughts(reasoning string) []object {
	var out []object
	if x.reasoningPlace() == reasoningTags && reasoning != "" {
		for _, piece := range pieces(thinkBegin + reasoning + thinkEnd) {
			for _, part := range fragments(piece) {
				out = append(out, x.delta(part))
			}
		}
		return out
	}
	for _, piece := range pieces(reasoning) {
		d := object{}
		x.reason(d, piece, "")
		out = append(out, d)
	}
	return out
}

// delta returns a piece of text, with the members that some providers repeat in each chunk (recorded).
func (x *exchange) delta(text string) object {
	d := object{"content": text}
	switch x.p.id {
	case "openrouter", "together":
		d["role"] = "assistant"
	}
	if x.p.id == "together" {
		d["token_id"] = 42
	}
	return d
}

// callDeltas sends each call's name, then its arguments in pieces.
func callDeltas(calls []call) []object {
	var out []object
	for i, c := range calls {
		out = append(out, object{"tool_calls": []any{object{"index": i, "id": c.id, "type": "function",
			"function": object{"name": c.name, "arguments": ""}}}})
		for _, f := range fragments(c.arguments) {
			out = append(out, object{"tool_calls": []any{object{"index": i, "function": object{"arguments": f}}}})
		}
	}
	return out
}

// lastChunks returns the chunk with the finish reason, and usage where the provider puts it.
func (x *exchange) lastChunks(a *answer) []object {
	p, req := x.p, x.req.StreamOptions != nil && x.req.StreamOptions.IncludeUsage
	usage, finish := p.usageOf(a), p.finish(a.finish)
	extra, last := object{"finish": finish}, object{}
	switch {
	case p.usage == usageOnFinish || p.usage == usageIfRequested && req:
		extra["usage"] = usage
	case p.usage == usageGroq:
		extra["x_groq"], extra["usage"] = object{"id": "req_emulated", "usage": usage}, usage
	}
	if p.id == "mistral" {
		last["content"] = ""
	}
	if p.wholeCalls && len(a.calls) > 0 {
		last["tool_calls"] = callsOf(a.calls)
	}
	chunks := []object{x.chunk(last, extra)}
	switch {
	case p.usage == usageRepeating:
		chunks = append(chunks, x.chunk(object{"role": "assistant", "content": ""},
			object{"finish": finish, "usage": usage}))
	case (p.usage == usageOwnChunk || p.usage == usageGroq) && req:
		chunks = append(chunks, x.chunk(nil, object{"usage": usage}))
	}
	return chunks
}

// chunk returns one chunk. A nil delta makes one without choices; extra are more top-level members.
func (x *exchange) chunk(delta object, extra object) object {
	c := x.frame("chat.completion.chunk")
	var finish any
	for k, v := range extra {
		if k == "finish" {
			finish = v
		} else {
			c[k] = v
		}
	}
	c["choices"] = []any{}
	if delta != nil {
		choice := object{"index": 0, "delta": delta, "finish_reason": finish}
		if x.p.id == "together" {
			choice["text"] = delta["content"]
			choice["logprobs"] = nil
			if text, _ := delta["content"].(string); text != "" && x.togetherLogprobs() {
				choice["logprobs"] = probability
			}
		}
		c["choices"] = []any{choice}
	}
	if x.p.id == "openai" && x.req.StreamOptions != nil && x.req.StreamOptions.IncludeUsage {
		if c["usage"] == nil {
			c["usage"] = nil
		}
		c["obfuscation"] = "a1B2c3"
	}
	if x.p.id == "mistral" {
		c["p"] = "abcdefgh"
	}
	return c
}

// chatFailure is an error within a stream, in the provider's format.
func (x *exchange) chatFailure() []event {
	switch x.p.id {
	case "groq":
		return []event{{"error", object{"error": object{"message": "Upstream is overloaded", "type": "server_error",
			"status_code": 503}}}}
	case "openrouter":
		c := x.frame("chat.completion.chunk")
		c["error"] = object{"code": 503, "message": "Upstream is overloaded"}
		c["choices"] = []any{object{"index": 0, "delta": object{"content": ""}, "finish_reason": "error"}}
		return []event{{data: c}}
	}
	return []event{{data: x.wire.in200(x)}}
}
