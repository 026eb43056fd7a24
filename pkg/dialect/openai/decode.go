package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// DecodeResponse reads a whole answer as a stream of one chunk, so that a whole answer and
// a streamed one cannot differ.
func (Client) DecodeResponse(data []byte) (*chat.Response, error) {
	root, err := body.ReadAnswer(data, errorIn)
	if err != nil {
		return nil, err
	}
	if root.Get("choices").Kind() != jsonx.Array {
		if failed := decodeError(root); failed.Message != "" {
			return nil, failed
		}
		return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no choices"}
	}
	var a answer
	events, failed := a.chunk(nil, root, "message")
	if failed == nil {
		events, failed = a.finish(events)
	}
	return body.Assemble(events, failed)
}

// An answer is the state of the chunks so far, on which the next depends.
type answer struct {
	started bool
	id      string
	choices []choice
	usage   chat.Usage
	counted bool
}

type choice struct {
	answer string // the answer's id
	index  int
	finish chat.FinishReason
	calls  []call
	begun  body.Calls // of the calls
	// detail is the state of the reasoning detail that is being sent, if open.
	detail chat.ReasoningState
	open   bool
}

// chunk reads a chunk or a whole answer. The choices have their message in the member "delta" or "message".
func (a *answer) chunk(out []chat.Event, root jsonx.Value, member string) ([]chat.Event, *chat.Error) {
	var id, model, created, tier, fingerprint, choices, usage, groq jsonx.Value
	for m := root.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "id":
			id = m
		case "model":
			model = m
		case "created":
			created = m
		case "service_tier":
			tier = m
		case "system_fingerprint":
			fingerprint = m
		case "choices":
			choices = m
		case "usage":
			usage = m
		case "x_groq":
			groq = m
		}
	}
	if !a.started {
		a.started, a.id = true, id.Str()
		out = append(out, chat.Event{Kind: chat.EventStart, ID: a.id, Model: model.Str(), Created: count(created),
			ServiceTier: tier.Str(), SystemFingerprint: fingerprint.Str()})
	}
	position := 0
	for c := choices.First(); c.Exists(); c = c.Next() {
		var failed *chat.Error
		if out, failed = a.choice(out, c, position, member); failed != nil {
			return out, failed
		}
		position++
	}
	if !usage.Given() {
		usage = groq.Get("usage")
	}
	return a.count(out, usage), nil
}

// choice reads one member of choices.
func (a *answer) choice(out []chat.Event, v jsonx.Value, position int, member string) ([]chat.Event, *chat.Error) {
	var index, message, finish, logprobs, likeliest, usage jsonx.Value
	for m := v.First(); m.Exists(); m = m.Next() {
		switch key := m.Key(); string(key) {
		case "index":
			index = m
		case "finish_reason":
			finish = m
		case "logprobs":
			logprobs = m
		case "top_logprobs":
			likeliest = m
		case "usage":
			usage = m
		case "error":
			if body.HasError(m) {
				return out, ErrorOf(m)
			}
		default:
			if string(key) == member {
				message = m
			}
		}
	}
	if n, ok := index.Int64(); ok {
		position = int(n)
	}
	c := a.at(position)
	if c == nil {
		return out, chat.TooMuch(chat.MaxChoices, "choices")
	}
	out = c.message(out, message, member == "message")
	if logprobs.Given() {
		if raw := logprobsOf(logprobs, likeliest, message.Get("content")); raw != nil {
			out = append(out, chat.Event{Kind: chat.EventLogprobs, Choice: c.index, Raw: raw})
		}
	}
	if !finish.Empty() {
		reason, failed := finishReason(finish.Str())
		if failed != nil {
			return out, failed
		}
		c.finish = reason
	}
	return a.count(out, usage), nil
}

// at returns the choice with the index, nil if it is one too many.
func (a *answer) at(index int) *choice {
	for i := range a.choices {
		if a.choices[i].index == index {
			return &a.choices[i]
		}
	}
	if len(a.choices) == chat.MaxChoices {
		return nil
	}
	a.choices = append(a.choices, choice{answer: a.id, index: index, begun: body.Calls{Choice: index}})
	return &a.choices[len(a.choices)-1]
}

// count adds the usage, which some providers repeat.
func (a *answer) count(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Kind() != jsonx.Object {
		return out
	}
	usage := UsageOf(v)
	if a.counted && usage == a.usage {
		return out
	}
	a.usage, a.counted = usage, true
	return append(out, chat.Event{Kind: chat.EventUsage, Usage: &usage})
}

// finish ends the choices. Not before, as some providers repeat the finish reasons, and send content
// after them.
func (a *answer) finish(out []chat.Event) ([]chat.Event, *chat.Error) {
	if len(a.choices) == 0 {
		return out, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no choices"}
	}
	for i := range a.choices {
		c := &a.choices[i]
		out = c.endCalls(out)
		reason := c.finish
		if reason == "" {
			reason = chat.FinishStop
		}
		if reason == chat.FinishStop && len(c.calls) > 0 {
			reason = chat.FinishToolCalls
		}
		out = append(out, chat.Event{Kind: chat.EventFinish, Choice: c.index, Finish: reason})
	}
	return out, nil
}

// finishReason maps a provider's reason. Some are failures.
func finishReason(reason string) (chat.FinishReason, *chat.Error) {
	switch reason {
	case "length", "model_length", "max_tokens":
		return chat.FinishLength, nil
	case "tool_calls", "function_call", "tool_use":
		return chat.FinishToolCalls, nil
	case "content_filter", "safety", "refusal":
		return chat.FinishContentFilter, nil
	case "insufficient_system_resource": // DeepSeek
		return "", &chat.Error{Class: chat.Overloaded, Code: reason, Message: "the provider ran out of resources"}
	case "error": // Mistral, OpenRouter
		return "", &chat.Error{Class: chat.Transport, Code: reason, Message: "the provider ended the answer with an error"}
	}
	return chat.FinishStop, nil // stop, eos (Together), and unknown ones
}
