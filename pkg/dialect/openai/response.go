package openai

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// answers is the format of Chat Completions itself.
var answers = AnswerFormat{
	Nulls:          true,
	CustomCalls:    true,
	ToolCalls:      `"tool_calls":[`,
	Citations:      `"annotations":[`,
	FinishReason:   `,"finish_reason":`,
	Signature:      `,"extra_content":{"google":{"thought_signature":`,
	SignatureEnd:   `}}`,
	Head:           appendChunkHead,
	Tail:           func(out []byte, _ *dialect.Served) []byte { return append(out, '}') },
	Usage:          appendUsage,
	Reasoning:      appendReasoning,
	ReasoningDelta: appendReasoningDelta,
	Image:          appendImage,
	Citation:       appendAnnotation,
	Fault:          func(out []byte, err *fault.Error, _ string) []byte { return AppendFault(out, err) },
}

// EncodeResponse writes a chat.completion. Beside OpenAI's members a message has, if there are any,
// reasoning_content (the text of the reasoning, as DeepSeek names it), reasoning_details (the reasoning with the state
// that its provider wants back, as OpenRouter has it) and images (as OpenRouter has them), and a tool call has Google's
// extra_content. Content is null if there are only calls or a refusal.
func (s *Server) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	start := chat.Event{ID: resp.ID, Model: resp.Model, Created: resp.Created}
	out := make([]byte, 0, SizeOfAnswer(resp))
	out = appendHead(out, "chat.completion", &start, &served)
	out = append(out, `,"choices":[`...)
	out = answers.AppendChoices(out, resp.Choices, &served)
	out = append(out, ']')
	if resp.Usage != nil {
		out = append(out, `,"usage":`...)
		out = appendUsage(out, resp.Usage)
	}
	out = body.AppendOptional(out, `,"service_tier":`, resp.ServiceTier)
	if resp.SystemFingerprint == "" {
		return append(out, `,"system_fingerprint":null}`...) // OpenRouter's SDK wants the member
	}
	out = body.AppendMember(out, `,"system_fingerprint":`, resp.SystemFingerprint)
	return append(out, '}')
}

// NewStreamEncoder returns an encoder for one streamed answer. Chunks follow OpenAI's: the first
// of a choice has the role, each piece of a tool call has its index, the finish reason has a
// chunk of its own. If the client asked for usage, it is null until the last chunk, which has no
// choices; then comes [DONE]. Reasoning is written twice, as in whole answers.
func (s *Server) NewStreamEncoder(served dialect.Served) dialect.StreamEncoder {
	return answers.NewStreamEncoder(served)
}

// appendHead appends the answer's identity: the provider's, or else the gateway's.
func appendHead(out []byte, object string, start *chat.Event, served *dialect.Served) []byte {
	out = append(out, `{"id":`...)
	if start.ID != "" {
		out = jsonx.AppendString(out, start.ID)
	} else {
		out = append(out, `"chatcmpl-`...)
		out = append(jsonx.AppendEscaped(out, served.RequestID), '"')
	}
	out = append(out, `,"object":"`...)
	out = append(out, object...)
	out = body.AppendCount(out, `","created":`, cmp.Or(start.Created, served.Created))
	return body.AppendMember(out, `,"model":`, cmp.Or(start.Model, served.Model))
}

func appendChunkHead(out []byte, start *chat.Event, served *dialect.Served) []byte {
	out = appendHead(out, "chat.completion.chunk", start, served)
	out = body.AppendOptional(out, `,"service_tier":`, start.ServiceTier)
	out = body.AppendOptional(out, `,"system_fingerprint":`, start.SystemFingerprint)
	return append(out, `,"choices":[`...)
}

// appendImage appends an image as OpenRouter does.
func appendImage(out []byte, m *chat.Media, n int) []byte {
	out = append(out, `{"type":"image_url","image_url":{"url":`...)
	out = body.AppendDataURL(out, m, "image/png")
	out = append(out, `},"index":`...)
	return append(jsonx.AppendInt(out, int64(n)), '}')
}

// appendReasoning appends the reasoning as a text and, if there is a state, as details.
func appendReasoning(out []byte, parts []chat.Part) []byte {
	if !hasPart(parts, chat.Reason) {
		return out
	}
	out = appendJoined(append(out, `,"reasoning_content":`...), parts, chat.Reason)
	if !slices.ContainsFunc(parts, func(p chat.Part) bool { return p.Kind == chat.Reason && p.State != nil }) {
		return out
	}
	out = append(out, `,"reasoning_details":[`...)
	return append(appendReasoningDetails(out, parts), ']')
}

// appendReasoningDelta appends a piece of reasoning as a text and as a detail: whether a state follows,
// such as a signature at the end, is not known yet, and it is worth nothing without the text.
func appendReasoningDelta(out []byte, block *Block, ev *chat.Event) []byte {
	state := chat.ReasoningState{Summary: block.State.Summary}
	if ev.State != nil {
		state = *ev.State
		state.ID, state.Format = block.State.ID, block.State.Format // may have come in an event without content
	}
	if ev.Text != "" {
		out = append(jsonx.AppendComma(out), `"reasoning_content":`...)
		out = jsonx.AppendString(out, ev.Text)
	}
	before := len(out)
	out = append(jsonx.AppendComma(out), `"reasoning_details":[`...)
	list := len(out)
	if out = appendDetails(out, ev.Text, &state, block.Index); len(out) == list {
		return out[:before]
	}
	return append(out, ']')
}

// appendReasoningDetails appends all reasoning as details. Each block has an index of its own, in ascending order:
// clients assemble the pieces of a stream by it.
func appendReasoningDetails(out []byte, parts []chat.Part) []byte {
	next := 0
	for i := range parts {
		if p := &parts[i]; p.Kind == chat.Reason {
			index := blockIndex(p.State, next)
			out = appendDetails(out, p.Text, p.State, index)
			next = index + 1
		}
	}
	return out
}

// blockIndex returns the index of a block of reasoning: the provider's own, unless it was used.
func blockIndex(s *chat.ReasoningState, next int) int {
	if s != nil {
		return max(s.Index, next)
	}
	return next
}

// appendAnnotation appends a citation: as it came, if it came in this dialect.
func appendAnnotation(out []byte, c *chat.Citation) []byte {
	if len(c.Raw) > 0 {
		if raw, err := jsonx.Parse(c.Raw, jsonx.Lenient); err == nil && raw.Get("url_citation").Kind() == jsonx.Object {
			return jsonx.AppendCompact(out, c.Raw)
		}
	}
	out = body.AppendCount(out, `{"type":"url_citation","url_citation":{"start_index":`, int64(c.Start))
	out = body.AppendCount(out, `,"end_index":`, int64(c.End))
	out = body.AppendMember(out, `,"url":`, c.URL)
	out = body.AppendMember(out, `,"title":`, c.Title)
	out = body.AppendOptional(out, `,"content":`, c.Text)
	return append(out, "}}"...)
}

// appendUsage appends usage with the details that OpenAI has and, as OpenRouter does, the searches and the cost
// in dollars if the provider reported them. The member estimated is the gateway's own: the provider reported no usage.
func appendUsage(out []byte, u *chat.Usage) []byte {
	out = body.AppendCount(out, `{"prompt_tokens":`, u.Input)
	out = body.AppendCount(out, `,"completion_tokens":`, u.Output)
	out = body.AppendCount(out, `,"total_tokens":`, u.Total())
	out = body.AppendCount(out, `,"prompt_tokens_details":{"cached_tokens":`, u.Cached)
	if written := u.CacheWrite + u.CacheWrite1h; written > 0 {
		out = body.AppendCount(out, `,"cache_write_tokens":`, written)
	}
	out = body.AppendCount(out, `,"audio_tokens":`, u.InputAudio)
	out = body.AppendCount(out, `},"completion_tokens_details":{"reasoning_tokens":`, u.Reasoning)
	out = body.AppendCount(out, `,"audio_tokens":`, u.OutputAudio)
	out = append(out, '}')
	if u.WebSearches > 0 {
		out = body.AppendCount(out, `,"server_tool_use_details":{"web_search_requests":`, u.WebSearches)
		out = append(out, '}')
	}
	if u.HasCost {
		out = append(out, `,"cost":`...)
		out = appendDollars(out, u.CostNanos)
	}
	if u.Estimated {
		out = append(out, `,"estimated":true`...)
	}
	return append(out, '}')
}

// appendDollars appends nano-dollars as dollars, to the last digit.
func appendDollars(out []byte, nanos int64) []byte {
	out = fmt.Appendf(out, "%d.%09d", nanos/1e9, nanos%1e9)
	return bytes.TrimSuffix(bytes.TrimRight(out, "0"), []byte("."))
}
