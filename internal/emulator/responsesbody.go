package emulator

import (
	"encoding/base64"
	"encoding/json"
	"iter"
	"slices"
)

// encryptedPrefix begins OpenAI's encrypted reasoning (recorded).
const encryptedPrefix = "gAAAAA"

// responsesBody writes the answer to a request, whole or as events.
type responsesBody struct {
	x   *exchange
	r   *responsesRequest
	a   *answer
	seq int // number of the next event
}

// encrypted returns the encrypted reasoning of an item. OpenAI encrypts it anew each time (recorded), and all results
// are valid.
func (b *responsesBody) encrypted(id string, nth int64) string {
	return encryptedPrefix + base64.URLEncoding.EncodeToString(newState("encrypted", b.x.serial*10+nth,
		b.x.account()+id))
}

// output are the items of the answer, whole.
func (b *responsesBody) output() []ordered {
	items := []ordered{}
	if b.a.reasoned > 0 {
		items = append(items, b.reasoning(2))
	}
	if b.x.hasText(b.a) || b.a.refusal != "" {
		status := "completed"
		if b.incomplete() != nil {
			status = "incomplete"
		}
		items = append(items, ordered{{"id", b.x.id("msg_", 1)}, {"type", "message"}, {"status", status},
			{"content", []any{b.content(b.a.text, b.a.refusal)}}, {"role", "assistant"}})
	}
	for i, c := range b.a.calls {
		item := ordered{{"id", b.x.id("fc_", i)}, {"type", "function_call"}, {"status", "completed"},
			{"arguments", c.arguments}, {"call_id", c.id}, {"name", c.name}}
		if c.group != "" {
			item = append(item, member{"namespace", c.group})
		}
		items = append(items, item)
	}
	return items
}

// reasoning returns the item; nth counts how often it was written before.
func (b *responsesBody) reasoning(nth int64) ordered {
	summary := []any{}
	if nth > 0 && b.a.reasoning != "" {
		summary = append(summary, ordered{{"type", "summary_text"}, {"text", b.a.reasoning}})
	}
	o := ordered{{"id", b.x.id("rs_", 0)}, {"type", "reasoning"}, {"content", []any{}}, {"summary", summary}}
	if slices.Contains(b.r.Include, "reasoning.encrypted_content") {
		o = append(o, member{"encrypted_content", b.encrypted(b.x.id("rs_", 0), nth)})
	}
	return o
}

func (b *responsesBody) content(text, refusal string) ordered {
	if b.a.refusal != "" {
		return ordered{{"type", "refusal"}, {"refusal", refusal}}
	}
	return ordered{{"type", "output_text"}, {"annotations", []any{}}, {"logprobs", []any{}}, {"text", text}}
}

func (b *responsesBody) incomplete() any {
	switch b.a.finish {
	case finishLength:
		return ordered{{"reason", "max_output_tokens"}}
	case finishFilter:
		return ordered{{"reason", "content_filter"}}
	}
	return nil
}

func (b *responsesBody) status() string {
	if b.incomplete() != nil {
		return "incomplete"
	}
	return "completed"
}

func (b *responsesBody) whole() any {
	return b.response(b.status(), b.output(), nil)
}

// response returns the response object, which repeats most of the request (recorded).
func (b *responsesBody) response(status string, output []ordered, failed any) ordered {
	r, x := b.r, b.x
	ended := status == "completed" || status == "incomplete"
	var completed, incomplete, usage any
	tier := "auto"
	if ended {
		completed, incomplete, usage, tier = x.began.Unix(), b.incomplete(), b.usage(), "default"
	}
	return ordered{{"id", x.id("resp_", 0)}, {"object", "response"}, {"created_at", x.began.Unix()}, {"status", status},
		{"background", false},
		{"completed_at", completed}, {"error", failed}, {"frequency_penalty", 0.0}, {"incomplete_details", incomplete},
		{"instructions", null(r.Instructions)},
		{"max_output_tokens", r.raw["max_output_tokens"]}, {"max_tool_calls", r.raw["max_tool_calls"]},
		{"model", r.Model}, {"moderation", nil}, {"output", output},
		{"parallel_tool_calls", r.ParallelToolCalls == nil || *r.ParallelToolCalls}, {"presence_penalty", 0.0},
		{"previous_response_id", nil},
		{"prompt_cache_key", r.raw["prompt_cache_key"]}, {"prompt_cache_retention", "in_memory"},
		{"reasoning", b.effort()},
		{"safety_identifier", r.raw["safety_identifier"]}, {"service_tier", tier},
		{"store", r.Store == nil || *r.Store},
		{"temperature", or(r.raw["temperature"], 1.0)}, {"text", b.text()},
		{"tool_choice", or(r.raw["tool_choice"], "auto")}, {"tools", or(r.raw["tools"], []any{})},
		{"top_logprobs", 0}, {"top_p", or(r.raw["top_p"], 1.0)}, {"truncation", or(r.raw["truncation"], "disabled")},
		{"usage", usage},
		{"user", r.raw["user"]}, {"metadata", or(r.raw["metadata"], object{})}}
}

func or(v, otherwise any) any {
	if v == nil {
		return otherwise
	}
	return v
}

func (b *responsesBody) effort() any {
	effort := any(nil)
	if b.r.model.reasons {
		effort = "medium"
		if b.r.model.reasonsOnRequest {
			effort = "none"
		}
	}
	return ordered{{"context", "current_turn"}, {"effort", or(null(b.r.Reasoning.Effort), effort)},
		{"summary", null(b.r.Reasoning.Summary)}}
}

func (b *responsesBody) text() any {
	text, _ := b.r.raw["text"].(map[string]any)
	return ordered{{"format", or(text["format"], ordered{{"type", "text"}})},
		{"verbosity", or(text["verbosity"], "medium")}}
}

func (b *responsesBody) usage() any {
	cache := ordered{{"cached_tokens", 0}}
	if b.r.model.version >= 56 { // from 5.6 on cache writes are billed
		cache = append(cache, member{"cache_write_tokens", 0})
	}
	return ordered{{"input_tokens", b.a.prompt}, {"input_tokens_details", cache}, {"output_tokens", b.a.completion},
		{"output_tokens_details", ordered{{"reasoning_tokens", b.a.reasoned}}},
		{"total_tokens", b.a.prompt + b.a.completion}}
}

// events returns the answer's events, in the recorded order, numbered from 0.
func (b *responsesBody) events() iter.Seq[event] {
	return func(yield func(event) bool) {
		on := true
		send := func(kind string, rest ...member) bool {
			if on {
				on = yield(b.event(kind, rest...))
			}
			return on
		}
		send("response.created", member{"response", b.response("in_progress", []ordered{}, nil)})
		send("response.in_progress", member{"response", b.response("in_progress", []ordered{}, nil)})
		output := b.output()
		for i, item := range output {
			switch item[1].value {
			case "reasoning":
				b.sendReasoning(i, send)
			case "message":
				b.sendMessage(i, item, send)
			case "function_call":
				b.sendCall(i, item, send)
			}
			if !on {
				return
			}
		}
		send("response."+b.status(), member{"response", b.response(b.status(), output, nil)})
	}
}

type sender func(kind string, rest ...member) bool

func (b *responsesBody) event(kind string, rest ...member) event {
	o := append(append(ordered{{"type", kind}}, rest...), member{"sequence_number", b.seq})
	b.seq++
	return event{kind, o}
}

func (b *responsesBody) sendReasoning(at int, send sender) {
	id, place := member{"item_id", b.x.id("rs_", 0)}, member{"output_index", at}
	send("response.output_item.added", member{"item", b.reasoning(0)}, place)
	if b.a.reasoning != "" {
		index, part := member{"summary_index", 0}, func(text string) member {
			return member{"part", ordered{{"type", "summary_text"}, {"text", text}}}
		}
		send("response.reasoning_summary_part.added", id, place, part(""), index)
		for _, p := range pieces(b.a.reasoning) {
			send("response.reasoning_summary_text.delta", b.delta(p, id, place, index)...)
		}
		send("response.reasoning_summary_text.done", id, place, index, member{"text", b.a.reasoning})
		send("response.reasoning_summary_part.done", id, place, part(b.a.reasoning), index)
	}
	send("response.output_item.done", member{"item", b.reasoning(1)}, place)
}

// delta returns the members of a delta, with the padding that hides its length unless the request declines it.
func (b *responsesBody) delta(text string, rest ...member) []member {
	out := append([]member{{"delta", text}}, rest...)
	if o := b.r.StreamOptions.IncludeObfuscation; o == nil || *o {
		out = append(out, member{"obfuscation", "a1B2c3"})
	}
	return out
}

func (b *responsesBody) sendMessage(at int, item ordered, send sender) {
	id, place, index := member{"item_id", item[0].value}, member{"output_index", at}, member{"content_index", 0}
	begun := slices.Clone(item)
	begun[2].value, begun[3].value = "in_progress", []any{}
	send("response.output_item.added", member{"item", begun}, place)
	send("response.content_part.added", index, id, place, member{"part", b.content("", "")})
	logprobs := member{"logprobs", []any{}}
	if b.a.refusal != "" {
		for _, p := range pieces(b.a.refusal) {
			send("response.refusal.delta", b.delta(p, index, id, place)...)
		}
		send("response.refusal.done", index, id, place, member{"refusal", b.a.refusal})
	} else {
		for p := range b.x.textPieces(b.a) {
			if !send("response.output_text.delta", b.delta(p, index, id, place, logprobs)...) {
				return
			}
		}
		send("response.output_text.done", index, id, place, logprobs, member{"text", b.a.text})
	}
	send("response.content_part.done", index, id, place, member{"part", b.content(b.a.text, b.a.refusal)})
	send("response.output_item.done", member{"item", item}, place)
}

func (b *responsesBody) sendCall(at int, item ordered, send sender) {
	id, place := member{"item_id", item[0].value}, member{"output_index", at}
	begun := slices.Clone(item)
	begun[2].value, begun[3].value = "in_progress", ""
	send("response.output_item.added", member{"item", begun}, place)
	for _, p := range fragments(item[3].value.(string)) {
		send("response.function_call_arguments.delta", b.delta(p, id, place)...)
	}
	send("response.function_call_arguments.done", member{"arguments", item[3].value}, id, place)
	send("response.output_item.done", member{"item", item}, place)
}

// failure is an error within a stream: an event of its own, and the failed response.
func (b *responsesBody) failure() []event {
	b.seq = max(b.seq-1, 0) // it replaces the event that was to come next
	wrong := ordered{{"type", "server_error"}, {"code", "server_is_overloaded"}, {"message", "Upstream is overloaded"},
		{"param", nil}}
	failed := b.event("error", member{"error", wrong})
	return []event{failed, b.event("response.failed",
		member{"response", b.response("failed", []ordered{},
			json.RawMessage(`{"code":"server_error","message":"Upstream is overloaded"}`))})}
}
