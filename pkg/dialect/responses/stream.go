package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamReader reads events by the type in their data; it ignores names and unknown types. Content that the
// events at the end repeat is only used if the pieces before them were missing.
type streamReader struct{ answer }

func (r *streamReader) Event(out []chat.Event, name string, root jsonx.Value) ([]chat.Event, *chat.Error) {
	kind := root.Get("type")
	if name == "error" || kind.Is("error") || body.HasError(root.Get("error")) {
		return out, errorEvent(root)
	}
	return r.event(out, kind.Str(), root)
}

// End fails: the dialect's streams end with a complete response. [DONE], which some compatible servers send, does not
// replace it.
func (r *streamReader) End(out []chat.Event, _ bool) ([]chat.Event, *chat.Error) {
	return out, body.Cut()
}

// errorEvent reads {"type":"error","code","message","param"}, as in the API reference, or
// {"type":"error","error":{..}}, as sent.
func errorEvent(root jsonx.Value) *chat.Error {
	v := root.Get("error")
	if !v.Given() {
		v = root
	}
	e := openai.ErrorOf(v)
	if e.Type == "error" {
		e.Type = ""
	}
	if e.Message == "" {
		e.Message = "the provider ended the answer with an error"
	}
	return e
}

func (r *streamReader) event(out []chat.Event, kind string, root jsonx.Value) ([]chat.Event, *chat.Error) {
	if len(r.items) > chat.MaxParts {
		return out, chat.TooMuch(chat.MaxParts, "parts")
	}
	response := root.Get("response")
	switch kind {
	case "response.created", "response.in_progress", "response.queued":
		return r.start(out, response), nil
	case "response.completed", "response.incomplete":
		return r.finish(out, response), nil
	case "response.failed", "response.cancelled":
		if failed := failureIn(response); failed != nil {
			return out, failed
		}
		return out, errorEvent(response)
	}
	out = r.start(out, jsonx.Value{}) // if no event announced the answer
	index, _ := root.Get("output_index").Int64()
	switch kind {
	case "response.output_item.added":
		v := root.Get("item")
		if it := r.itemAt(index, kindOf(v), v); it.kind == functionItem || it.kind == customItem {
			out = r.call(out, it, v)
		}
		return out, nil
	case "response.output_item.done":
		return r.complete(out, index, root.Get("item")), nil
	}
	return r.piece(out, kind, index, root), nil
}

// piece reads a piece of an item.
func (r *streamReader) piece(out []chat.Event, kind string, index int64, root jsonx.Value) []chat.Event {
	content, _ := root.Get("content_index").Int64()
	text := root.Get("delta")
	switch kind {
	case "response.output_text.delta":
		it := r.itemAt(index, messageItem, jsonx.Value{})
		out = it.addText(out, answerText, content, text)
		if logprobs := root.Get("logprobs"); logprobs.Len() > 0 {
			out = it.piece(answerText, content).addLogprobs(out, logprobs)
		}
		return out
	case "response.output_text.annotation.added":
		return r.itemAt(index, messageItem, jsonx.Value{}).piece(answerText, content).citation(out, root.Get("annotation"))
	case "response.refusal.delta":
		it := r.itemAt(index, messageItem, jsonx.Value{})
		return it.addText(out, refusalText, content, text)
	case "response.reasoning_summary_text.delta":
		summary, _ := root.Get("summary_index").Int64()
		it := r.itemAt(index, reasoningItem, jsonx.Value{})
		return it.addText(out, summaryText, summary, text)
	case "response.reasoning_text.delta":
		it := r.itemAt(index, reasoningItem, jsonx.Value{})
		return it.addText(out, reasoningText, content, text)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		if it := r.find(index); it != nil {
			return it.addArguments(out, text)
		}
	}
	return out
}
