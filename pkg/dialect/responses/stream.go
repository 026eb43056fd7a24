package responses

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A streamDecoder reads events by the type in their data; it ignores names and unknown types. Content that the
// events at the end repeat is only used if the pieces before them were missing.
type streamDecoder struct {
	doc jsonx.Doc
	answer
}

func (d *streamDecoder) Decode(out []chat.Event, name string, data []byte) []chat.Event {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return out
	}
	if string(data) == "[DONE]" { // of some compatible servers; the end of the response is missing before it
		return d.Close(out)
	}
	root, garbled := body.ReadEvent(&d.doc, data)
	if garbled != nil {
		return body.Fail(out, garbled)
	}
	kind := root.Get("type")
	if name == "error" || kind.Is("error") || body.Fails(root.Get("error")) {
		return body.Fail(out, errorEvent(root))
	}
	return d.event(out, kind.Str(), root)
}

// Close is an error: the dialect's streams end with a response that is complete.
func (d *streamDecoder) Close(out []chat.Event) []chat.Event {
	return body.Unfinished(out)
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

func (d *streamDecoder) event(out []chat.Event, kind string, root jsonx.Value) []chat.Event {
	if len(d.items) > chat.MaxParts {
		return body.Fail(out, chat.TooMuch(chat.MaxParts, "parts"))
	}
	response := root.Get("response")
	switch kind {
	case "response.created", "response.in_progress", "response.queued":
		return d.start(out, response)
	case "response.completed", "response.incomplete":
		return d.finish(out, response)
	case "response.failed", "response.cancelled":
		if failed := failureIn(response); failed != nil {
			return body.Fail(out, failed)
		}
		return body.Fail(out, errorEvent(response))
	}
	out = d.start(out, jsonx.Value{}) // if no event announced the answer
	index, _ := root.Get("output_index").Int64()
	switch kind {
	case "response.output_item.added":
		v := root.Get("item")
		if it := d.itemAt(index, kindOf(v), v); it.kind == functionItem || it.kind == customItem {
			out = d.call(out, it, v)
		}
		return out
	case "response.output_item.done":
		return d.complete(out, index, root.Get("item"))
	}
	return d.piece(out, kind, index, root)
}

// piece reads a piece of an item.
func (d *streamDecoder) piece(out []chat.Event, kind string, index int64, root jsonx.Value) []chat.Event {
	content, _ := root.Get("content_index").Int64()
	text := root.Get("delta")
	switch kind {
	case "response.output_text.delta":
		it := d.itemAt(index, messageItem, jsonx.Value{})
		out = it.addText(out, answerText, content, text)
		if logprobs := root.Get("logprobs"); logprobs.Len() > 0 {
			out = it.piece(answerText, content).addLogprobs(out, logprobs)
		}
		return out
	case "response.output_text.annotation.added":
		return d.itemAt(index, messageItem, jsonx.Value{}).piece(answerText, content).citation(out, root.Get("annotation"))
	case "response.refusal.delta":
		it := d.itemAt(index, messageItem, jsonx.Value{})
		return it.addText(out, refusalText, content, text)
	case "response.reasoning_summary_text.delta":
		summary, _ := root.Get("summary_index").Int64()
		it := d.itemAt(index, reasoningItem, jsonx.Value{})
		return it.addText(out, summaryText, summary, text)
	case "response.reasoning_text.delta":
		it := d.itemAt(index, reasoningItem, jsonx.Value{})
		return it.addText(out, reasoningText, content, text)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		if it := d.find(index); it != nil {
			return it.addArguments(out, text)
		}
	}
	return out
}
