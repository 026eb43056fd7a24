package openai

import (
	"cmp"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// EncodeResponse writes a chat.completion. Beside OpenAI's members a message has, if there is
// something to say, reasoning_content (the text of the reasoning, as DeepSeek names it) and
// reasoning_details (the reasoning with what its provider wants back, as OpenRouter has it), images (as
// OpenRouter has them), and a tool call has Google's extra_content. Content is null if there are only calls or a refusal.
func (s *Server) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	out := make([]byte, 0, sizeOfAnswer(resp))
	out = appendHead(out, "chat.completion", identify(resp.ID, resp.Model, resp.Created, served))
	out = append(out, `,"choices":[`...)
	start := len(out)
	for i := range resp.Choices {
		out = appendAnswer(comma(out, start), &resp.Choices[i], knowsFunctions(served))
	}
	out = append(out, ']')
	if resp.Usage != nil {
		out = append(out, `,"usage":`...)
		out = appendUsage(out, resp.Usage)
	}
	out = appendMember(out, "service_tier", resp.ServiceTier)
	out = appendMember(out, "system_fingerprint", resp.SystemFingerprint)
	return append(out, '}')
}

func sizeOfAnswer(resp *chat.Response) int {
	n := 768
	for i := range resp.Choices {
		n += 128 + len(resp.Choices[i].Logprobs) + 2*body.SizeOfParts(resp.Choices[i].Message.Parts)
	}
	return n
}

// knowsFunctions says whether the caller knows functions instead of tools.
func knowsFunctions(served dialect.Served) bool {
	return served.Request != nil && served.Request.FunctionCalls
}

// identify says which answer it is: the provider's word, or else the gateway's.
func identify(id, model string, created int64, served dialect.Served) chat.Event {
	return chat.Event{ID: cmp.Or(id, "chatcmpl-"+served.RequestID), Model: cmp.Or(model, served.Model), Created: cmp.Or(created, served.Created)}
}

func appendHead(out []byte, object string, start chat.Event) []byte {
	out = append(out, `{"id":`...)
	out = jsonx.AppendString(out, start.ID)
	out = append(out, `,"object":"`...)
	out = append(out, object...)
	out = append(out, `","created":`...)
	out = jsonx.AppendInt(out, start.Created)
	out = append(out, `,"model":`...)
	return jsonx.AppendString(out, start.Model)
}

// A summary says what kinds of parts an answer has.
type summary struct {
	texts, refusals, reasons, calls, citations, images int
	stated                                             bool // some reasoning has a state
}

func summarize(parts []chat.Part) summary {
	var s summary
	for i := range parts {
		p := &parts[i]
		s.citations += len(p.Citations)
		switch p.Kind {
		case chat.Text:
			s.texts++
		case chat.Refusal:
			s.refusals++
		case chat.Call:
			s.calls++
		case chat.Image:
			s.images++
		case chat.Reason:
			s.reasons++
			s.stated = s.stated || p.State != nil
		}
	}
	return s
}

func appendAnswer(out []byte, c *chat.Choice, functions bool) []byte {
	parts := c.Message.Parts
	has := summarize(parts)
	out = append(out, `{"index":`...)
	out = jsonx.AppendInt(out, int64(c.Index))
	out = append(out, `,"message":{"role":"assistant","content":`...)
	out = appendJoined(out, parts, chat.Text, has.texts > 0 || has.calls+has.refusals == 0)
	out = append(out, `,"refusal":`...)
	out = appendJoined(out, parts, chat.Refusal, has.refusals > 0)
	if has.reasons > 0 {
		out = append(out, `,"reasoning_content":`...)
		out = appendJoined(out, parts, chat.Reason, true)
	}
	if has.stated {
		out = append(out, `,"reasoning_details":[`...)
		out = append(appendReasons(out, parts), ']')
	}
	if has.calls > 0 {
		out = appendCalls(out, parts, functions)
	}
	if has.citations > 0 {
		out = append(out, `,"annotations":[`...)
		start := len(out)
		for i := range parts {
			for j := range parts[i].Citations {
				out = appendAnnotation(comma(out, start), &parts[i].Citations[j])
			}
		}
		out = append(out, ']')
	}
	if has.images > 0 {
		out = append(out, `,"images":[`...)
		start, n := len(out), 0
		for i := range parts {
			if parts[i].Kind == chat.Image {
				out = appendImage(comma(out, start), parts[i].Media, n)
				n++
			}
		}
		out = append(out, ']')
	}
	out = append(out, `},"logprobs":`...)
	out = appendLogprobs(out, c.Logprobs)
	out = append(out, `,"finish_reason":`...)
	out = appendFinish(out, c.Finish, functions)
	return append(out, '}')
}

// appendImage writes the nth picture that the model made, as OpenRouter does.
func appendImage(out []byte, m *chat.Media, n int) []byte {
	out = append(out, `{"type":"image_url","image_url":{"url":`...)
	out = body.AppendDataURL(out, m, "image/png")
	out = append(out, `},"index":`...)
	return append(jsonx.AppendInt(out, int64(n)), '}')
}

// appendJoined writes the texts of the parts of a kind as one string, or null.
func appendJoined(out []byte, parts []chat.Part, kind chat.PartKind, there bool) []byte {
	if !there {
		return append(out, "null"...)
	}
	out = append(out, '"')
	for i := range parts {
		if parts[i].Kind == kind {
			out = jsonx.AppendEscaped(out, parts[i].Text)
		}
	}
	return append(out, '"')
}

// appendReasons writes all reasoning as details. Each block has an index of its own, rising:
// callers put the pieces of a stream together by it.
func appendReasons(out []byte, parts []chat.Part) []byte {
	start, next := len(out), 0
	for i := range parts {
		if p := &parts[i]; p.Kind == chat.Reason {
			index := blockIndex(p.State, next)
			out = appendDetails(out, start, p.Text, p.State, index)
			next = index + 1
		}
	}
	return out
}

// blockIndex is the index of a block of reasoning: the provider's own, unless it was used.
func blockIndex(s *chat.ReasoningState, next int) int {
	if s != nil {
		return max(s.Index, next)
	}
	return next
}

// appendCalls writes the tool calls, or the first as the function_call of former times.
func appendCalls(out []byte, parts []chat.Part, functions bool) []byte {
	if !functions {
		out = append(out, `,"tool_calls":[`...)
	}
	start := len(out)
	for i := range parts {
		c := parts[i].ToolCall
		if parts[i].Kind != chat.Call || c == nil {
			continue
		}
		if functions {
			out = append(out, `,"function_call":`...)
			return appendCallee(out, c.Name, "arguments", c.Arguments)
		}
		out = append(comma(out, start), '{')
		out = append(appendToolCall(out, c), '}')
	}
	return append(out, ']')
}

// appendToolCall writes the members of a tool call.
func appendToolCall(out []byte, c *chat.ToolCall) []byte {
	out = append(out, `"id":`...)
	out = jsonx.AppendString(out, c.ID)
	if c.Custom {
		out = append(out, `,"type":"custom","custom":`...)
		out = appendCallee(out, c.Name, "input", c.Arguments)
	} else {
		out = append(out, `,"type":"function","function":`...)
		out = appendCallee(out, c.Name, "arguments", c.Arguments)
	}
	if c.Signature != "" {
		out = append(out, `,"extra_content":{"google":{"thought_signature":`...)
		out = jsonx.AppendString(out, c.Signature)
		out = append(out, `}}`...)
	}
	return out
}

func appendCallee(out []byte, name, input, value string) []byte {
	out = append(out, `{"name":`...)
	out = jsonx.AppendString(out, name)
	out = append(out, `,"`...)
	out = append(out, input...)
	out = append(out, `":`...)
	out = jsonx.AppendString(out, value)
	return append(out, '}')
}

// appendAnnotation writes a citation: as it came, if it came in this dialect.
func appendAnnotation(out []byte, c *chat.Citation) []byte {
	if len(c.Raw) > 0 {
		if raw, err := jsonx.Parse(c.Raw, jsonx.Lenient); err == nil && raw.Get("url_citation").Kind() == jsonx.Object {
			return jsonx.AppendCompact(out, c.Raw)
		}
	}
	out = append(out, `{"type":"url_citation","url_citation":{"start_index":`...)
	out = jsonx.AppendInt(out, int64(c.Start))
	out = append(out, `,"end_index":`...)
	out = jsonx.AppendInt(out, int64(c.End))
	out = append(out, `,"url":`...)
	out = jsonx.AppendString(out, c.URL)
	out = append(out, `,"title":`...)
	out = jsonx.AppendString(out, c.Title)
	out = appendMember(out, "content", c.Text)
	return append(out, "}}"...)
}

func appendLogprobs(out, raw []byte) []byte {
	if len(raw) == 0 {
		return append(out, "null"...)
	}
	return jsonx.AppendCompact(out, raw)
}

func appendFinish(out []byte, reason chat.FinishReason, functions bool) []byte {
	if functions && reason == chat.FinishToolCalls {
		reason = "function_call"
	}
	return jsonx.AppendString(out, string(reason))
}

// appendUsage writes usage with the details that OpenAI has and, as OpenRouter does, the cost
// in dollars if the provider told it. Estimated is the gateway's own: the provider said nothing.
func appendUsage(out []byte, u *chat.Usage) []byte {
	count := func(before string, n int64) {
		out = append(out, before...)
		out = jsonx.AppendInt(out, n)
	}
	count(`{"prompt_tokens":`, u.Input)
	count(`,"completion_tokens":`, u.Output)
	count(`,"total_tokens":`, u.Total())
	count(`,"prompt_tokens_details":{"cached_tokens":`, u.Cached)
	if written := u.CacheWrite + u.CacheWrite1h; written > 0 {
		count(`,"cache_write_tokens":`, written)
	}
	count(`,"audio_tokens":`, u.InputAudio)
	count(`},"completion_tokens_details":{"reasoning_tokens":`, u.Reasoning)
	count(`,"audio_tokens":`, u.OutputAudio)
	out = append(out, '}')
	if u.HasCost {
		out = append(out, `,"cost":`...)
		out = appendDollars(out, u.CostNanos)
	}
	if u.Estimated {
		out = append(out, `,"estimated":true`...)
	}
	return append(out, '}')
}

// appendDollars writes nano-dollars as dollars, to the last digit.
func appendDollars(out []byte, nanos int64) []byte {
	out = strconv.AppendInt(out, nanos/1e9, 10)
	rest := nanos % 1e9
	if rest == 0 {
		return out
	}
	digits := strconv.AppendInt(nil, rest+1e9, 10)
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	digits[0] = '.'
	return append(out, digits...)
}
