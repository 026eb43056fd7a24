package gemini

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// DecodeResponse reads a whole answer, or the JSON array of one that was streamed without
// server-sent events. It is read as a stream and folded by chat.Assembler, so that a whole answer and a
// streamed one cannot differ.
//
// A signature on a part that is neither a call nor a thought belongs to the answer's text: it becomes
// reasoning without text after that part. The traces of tools that Google runs have no form in package chat
// and are dropped.
func (Client) DecodeResponse(data []byte) (*chat.Response, error) {
	root, err := body.ReadAnswer(data, errorIn)
	if err != nil {
		return nil, err
	}
	var a answer
	events, failed := a.read(nil, root)
	if failed == nil {
		events, failed = a.finish(events, reasonOptional)
	}
	return body.Assemble(events, failed)
}

// An answer is the state between the chunks of one answer.
type answer struct {
	started bool
	id      string
	choices []choice
	usage   chat.Usage
	blocked bool // the prompt was blocked
	// fees says that the model searched the web, which costs money beside the tokens
	// (https://ai.google.dev/gemini-api/docs/pricing).
	fees bool
}

type choice struct {
	index    int
	finish   chat.FinishReason
	calls    body.Calls
	open     *partialCall // nil if none is
	thoughts thoughtRun
	text     []byte          // so far; citations point into it
	cited    []chat.Citation // so far: later chunks repeat them
}

// read reads a chunk, or an array of chunks.
func (a *answer) read(out []chat.Event, root jsonx.Value) ([]chat.Event, *chat.Error) {
	if root.Kind() == jsonx.Array {
		var failed *chat.Error
		for v := root.First(); v.Exists() && failed == nil; v = v.Next() {
			out, failed = a.chunk(out, v)
		}
		return out, failed
	}
	return a.chunk(out, root)
}

func (a *answer) chunk(out []chat.Event, root jsonx.Value) ([]chat.Event, *chat.Error) {
	if root.Kind() != jsonx.Object {
		return out, &chat.Error{Class: chat.Transport, Message: "the provider's answer is garbled"}
	}
	var candidates, feedback, usage, model, id jsonx.Value
	for m := root.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "error":
			if body.HasError(m) {
				return out, errorOf(m)
			}
		case "candidates":
			candidates = m
		case "promptFeedback":
			feedback = m
		case "usageMetadata":
			usage = m
		case "modelVersion":
			model = m
		case "responseId":
			id = m
		}
	}
	if !a.started {
		a.started, a.id = true, id.Str()
		tier := usage.Get("serviceTier").Str()
		out = append(out, chat.Event{Kind: chat.EventStart, ID: a.id, Model: model.Str(), ServiceTier: tier})
	}
	position, indexed := 0, false
	for c := candidates.First(); c.Exists(); c = c.Next() {
		indexed = indexed || c.Get("index").Exists()
	}
	for c := candidates.First(); c.Exists(); c = c.Next() {
		var failed *chat.Error
		if out, failed = a.candidate(out, c, position); failed != nil {
			return out, failed
		}
		if !indexed { // otherwise a candidate without an index is the first: proto JSON leaves zeros out
			position++
		}
	}
	if reason := feedback.Get("blockReason"); !reason.Empty() && !a.blocked {
		out = a.block(out, reason.Str(), feedback.Get("blockReasonMessage").Str())
	}
	return a.count(out, usage), nil
}

// block ends the answer to a prompt that Google blocks: it has status 200 and no candidate, or the candidates
// break off.
func (a *answer) block(out []chat.Event, reason, message string) []chat.Event {
	a.blocked = true
	if message == "" {
		message = "The prompt was blocked by the provider: " + reason
	}
	if len(a.choices) == 0 {
		a.at(0)
	}
	for i := range a.choices {
		if c := &a.choices[i]; c.finish == "" {
			c.finish = chat.FinishContentFilter
			out = append(out, chat.Event{Kind: chat.EventRefusal, Choice: c.index, Text: message})
		}
	}
	return out
}

func (a *answer) candidate(out []chat.Event, v jsonx.Value, position int) ([]chat.Event, *chat.Error) {
	var index, content, finish, logprobs, grounding, citations jsonx.Value
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "index":
			index = m
		case "content":
			content = m
		case "finishReason":
			finish = m
		case "logprobsResult":
			logprobs = m
		case "groundingMetadata":
			grounding = m
		case "citationMetadata":
			citations = m
		}
	}
	if n, ok := index.Int64(); ok {
		position = int(n)
	}
	a.fees = a.fees || grounding.Get("webSearchQueries").Len() > 0
	c := a.at(position)
	if c == nil {
		return out, chat.TooMuch(chat.MaxChoices, "choices")
	}
	for p := content.Get("parts").First(); p.Exists(); p = p.Next() {
		var failed *chat.Error
		if out, failed = c.part(out, p, a.id); failed != nil {
			return out, failed
		}
	}
	if raw := logprobsOf(logprobs); raw != nil {
		out = append(out, chat.Event{Kind: chat.EventLogprobs, Choice: c.index, Raw: raw})
	}
	out = c.ground(out, grounding)
	out = c.cite(out, citations)
	if !finish.Empty() {
		reason, failed := finishReason(finish.Str())
		if failed != nil {
			return out, failed
		}
		c.finish = reason
	}
	return out, nil
}

// at returns the choice with the index, nil if it is one too many.
func (a *answer) at(index int) *choice {
	i := slices.IndexFunc(a.choices, func(c choice) bool { return c.index == index })
	if i < 0 {
		if i = len(a.choices); i == chat.MaxChoices {
			return nil
		}
		a.choices = append(a.choices, choice{index: index, calls: body.Calls{Choice: index}})
	}
	return &a.choices[i]
}

// count adds the usage if it changed. It comes with every chunk and grows.
func (a *answer) count(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Kind() != jsonx.Object {
		return out
	}
	usage := usageOf(v)
	usage.Estimated = usage.Estimated || a.fees
	if usage == a.usage {
		return out
	}
	a.usage = usage
	return append(out, chat.Event{Kind: chat.EventUsage, Usage: &usage})
}

// finishPolicy says whether an answer must have a finish reason.
type finishPolicy uint8

const (
	reasonOptional finishPolicy = iota // a whole answer is complete without one
	reasonRequired                     // a stream has no other terminator: without one it was cut off
)

// finish ends the choices. It fails if the answer is not complete. Finish reasons are kept until here because
// chunks with content may follow them.
func (a *answer) finish(out []chat.Event, policy finishPolicy) ([]chat.Event, *chat.Error) {
	if len(a.choices) == 0 {
		return out, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no candidates"}
	}
	for i := range a.choices {
		c := &a.choices[i]
		if c.finish == "" && policy == reasonRequired {
			return out, body.Cut()
		}
		out = c.closeCall(out, a.id)
		out = append(out, chat.Event{Kind: chat.EventFinish, Choice: c.index, Finish: c.calls.Finish(c.finish)})
	}
	if a.fees && a.usage != (chat.Usage{}) && !a.usage.Estimated {
		usage := a.usage
		usage.Estimated = true
		out = append(out, chat.Event{Kind: chat.EventUsage, Usage: &usage})
	}
	return append(out, chat.Event{Kind: chat.EventEnd}), nil
}
