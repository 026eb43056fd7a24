package emulator

import "strings"

// usage returns the usage object with each provider's additions.
func (p *profile) usageOf(a *answer) object {
	u := object{"prompt_tokens": a.prompt, "completion_tokens": a.completion, "total_tokens": a.prompt + a.completion,
		"prompt_tokens_details": object{"cached_tokens": 0}}
	if a.reasoned > 0 {
		u["completion_tokens_details"] = object{"reasoning_tokens": a.reasoned}
	}
	switch p.id {
	case "openai":
		u["prompt_tokens_details"] = object{"cached_tokens": 0, "audio_tokens": 0}
		u["completion_tokens_details"] = object{"reasoning_tokens": a.reasoned, "audio_tokens": 0,
			"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
	case "openrouter":
		u["cost"], u["is_byok"] = 0.00001425, false
		u["cost_details"] = object{"upstream_inference_cost": nil}
	case "deepseek":
		u["prompt_cache_hit_tokens"], u["prompt_cache_miss_tokens"] = 0, a.prompt
	case "groq":
		u["queue_time"], u["prompt_time"], u["completion_time"], u["total_time"] = 0.01, 0.002, 0.02, 0.022
	case "together":
		u["cached_tokens"] = 0
	}
	if p.usageAs != nil {
		p.usageAs(u, a)
	}
	return u
}

// frame returns the members that whole answers and chunks share.
func (x *exchange) frame(kind string) object {
	f := object{"id": x.p.idPrefix + "emulated" + itoa(x.serial), "object": kind, "created": x.began.Unix(),
		"model": x.req.Model}
	switch x.p.id {
	case "openai":
		f["service_tier"], f["system_fingerprint"] = "default", "fp_emulated"
	case "openrouter":
		f["provider"] = "Emulated"
	case "deepseek":
		f["system_fingerprint"] = "fp_emulated"
	case "groq":
		f["system_fingerprint"] = "fp_emulated"
		f["x_groq"] = object{"id": "req_emulated"}
	}
	if x.p.extend != nil {
		x.p.extend(x, f)
	}
	return f
}

// wholeBody returns the body of an answer that is not streamed.
func (p *profile) wholeBody(x *exchange, a *answer) any {
	m := object{"role": "assistant", "content": any(a.text)}
	if len(a.calls) > 0 {
		m["content"], m["tool_calls"] = nil, callsOf(a.calls)
	}
	if p.id == "openai" {
		m["refusal"], m["annotations"] = nil, []any{}
		if a.refusal != "" {
			m["content"], m["refusal"] = nil, a.refusal
		}
	}
	x.reason(m, a.reasoning, a.text)
	c := object{"index": 0, "message": m, "finish_reason": p.finish(a.finish)}
	if p.id != "mistral" && p.id != "fireworks" {
		c["logprobs"] = nil
	}
	if x.togetherLogprobs() {
		c["logprobs"] = logprobLists(a.text)
	}
	if p.id == "openrouter" {
		c["native_finish_reason"] = "completed"
	}
	body := x.frame("chat.completion")
	body["choices"], body["usage"] = []any{c}, p.usageOf(a)
	if p.id == "together" {
		body["prompt"] = []any{}
		c["seed"] = int64(7228414683750928000) // above 2^53: recorded
	}
	return body
}

// reasoningPlace returns where the provider puts reasoning.
func (x *exchange) reasoningPlace() reasoningPlace {
	switch {
	case x.p.id == "together" && strings.HasPrefix(x.req.Model, "deepseek-ai/DeepSeek-R1"):
		return reasoningTags // recorded
	case x.p.id == "groq" && strings.HasPrefix(x.req.Model, "qwen/qwen3"):
		return x.groqPlace()
	}
	return x.p.reasoning
}

// groqPlace follows reasoning_format, of which raw is the default (console.groq.com/docs/reasoning).
func (x *exchange) groqPlace() reasoningPlace {
	format := x.req.ReasoningFormat
	if format == "" && x.strictOutput() {
		format = "parsed"
	}
	switch format {
	case "parsed":
		return reasoningField
	case "hidden":
		return reasoningHidden
	}
	return reasoningTags
}

// strictOutput reports whether the request has functions or wants JSON.
func (x *exchange) strictOutput() bool {
	return len(x.req.Tools) > 0 || x.req.ResponseFormat != nil && x.req.ResponseFormat.Type != "text"
}

// thinkTags wraps reasoning in the tags that models write.
const (
	thinkBegin = "<think>\n"
	thinkEnd   = "\n</think>\n\n"
)

// reason adds reasoning where the provider puts it.
func (x *exchange) reason(m object, reasoning, text string) {
	if reasoning == "" {
		return
	}
	switch x.reasoningPlace() {
	case reasoningTags:
		m["content"] = thinkBegin + reasoning + thinkEnd + text
	case reasoningContent:
		m["reasoning_content"] = reasoning
	case reasoningField:
		m["reasoning"] = reasoning
	case reasoningDetails:
		m["reasoning"] = reasoning
		m["reasoning_details"] = []any{object{"type": "reasoning.text", "text": reasoning, "format": "unknown",
			"index": 0}}
	case reasoningParts:
		parts := []any{object{"type": "thinking", "thinking": []any{object{"type": "text", "text": reasoning}},
			"closed": true}}
		if text != "" {
			parts = append(parts, object{"type": "text", "text": text})
		}
		m["content"] = parts
	}
}

// finish returns the provider's finish reason.
func (p *profile) finish(f finish) string {
	switch {
	case p.id == "together" && f == finishStop:
		return "eos"
	case p.id == "mistral" && f == finishLength:
		return "model_length"
	}
	return string(f)
}

func callsOf(calls []call) []any {
	var out []any
	for i, c := range calls {
		out = append(out, object{"index": i, "id": c.id, "type": "function",
			"function": object{"name": c.name, "arguments": c.arguments}})
	}
	return out
}
