package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// DecodeResponse reads a whole answer. Its items are read like the completed items of a stream and folded by
// chat.Assembler, so that a whole answer and a streamed one cannot differ.
func (Client) DecodeResponse(data []byte) (*chat.Response, error) {
	root, err := body.ReadAnswer(data, failureIn)
	if err != nil {
		return nil, err
	}
	if root.Get("output").Kind() != jsonx.Array {
		if failed := (Client{}).DecodeError(data); failed.Message != "" {
			return nil, failed
		}
		return nil, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no output"}
	}
	var a answer
	return body.Assemble(a.finish(a.start(nil, root), root), nil)
}

// failureIn returns the error of an answer that failed after the status 200; nil if it did not.
func failureIn(response jsonx.Value) *chat.Error {
	failure, status := response.Get("error"), response.Get("status")
	if !body.HasError(failure) && !status.Is("failed") && !status.Is("cancelled") {
		return nil
	}
	e := new(chat.Error)
	if body.HasError(failure) {
		e = openai.ErrorOf(failure)
	}
	if e.Message == "" {
		e.Message = "the provider did not finish the answer"
	}
	return e
}

// An answer is the state between the events of one answer.
type answer struct {
	started bool
	items   []item
	calls   body.Calls
	fees    bool // tools were called that cost money beside the tokens
}

// start reads the head of a response.
func (a *answer) start(out []chat.Event, response jsonx.Value) []chat.Event {
	if a.started {
		return out
	}
	a.started = true
	created, _ := response.Get("created_at").Float64()
	return append(out, chat.Event{Kind: chat.EventStart, ID: response.Get("id").Str(), Model: response.Get("model").Str(),
		Created: max(int64(created), 0)})
}

// finish reads a complete response: content of its items that was not streamed, the reason of its end, and the
// usage.
func (a *answer) finish(out []chat.Event, response jsonx.Value) []chat.Event {
	out = a.start(out, response)
	streamed := len(a.items) > 0
	position := int64(0)
	for v := response.Get("output").First(); v.Exists(); v = v.Next() {
		// Servers number the items that they stream, hidden ones included. If some were
		// streamed, only those are completed here.
		if it := a.find(position); !streamed || it != nil && it.kind == kindOf(v) {
			out = a.complete(out, position, v)
		}
		a.fees = a.fees || hasFee(v)
		position++
	}
	reason := chat.FinishStop
	switch why := response.Get("incomplete_details").Get("reason"); {
	case why.Is("content_filter"):
		reason = chat.FinishContentFilter
	case !why.Empty() || response.Get("status").Is("incomplete"):
		reason = chat.FinishLength
	case a.calls.Any():
		reason = chat.FinishToolCalls
	}
	out = append(out, chat.Event{Kind: chat.EventFinish, Finish: reason})
	if usage := response.Get("usage"); usage.Kind() == jsonx.Object {
		u := openai.UsageOf(usage)
		u.Estimated = !u.HasCost && (u.Estimated || a.fees)
		out = append(out, chat.Event{Kind: chat.EventUsage, Usage: &u, ServiceTier: response.Get("service_tier").Str()})
	}
	return append(out, chat.Event{Kind: chat.EventEnd})
}

// hasFee says whether the item is the call of a tool that costs money beside the tokens (openai.com/api/pricing,
// built-in tools).
func hasFee(item jsonx.Value) bool {
	switch item.Get("type").Str() {
	case "web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call":
		return true
	}
	return false
}
