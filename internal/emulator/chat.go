package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// chatRoute returns the handler of a path of a provider with the OpenAI dialect.
func chatRoute(x *exchange, path string) func() {
	switch x.r.Method + " " + path {
	case "POST /chat/completions":
		return x.chat
	case "GET /models":
		return func() { x.list(x.p.models()) }
	case "GET " + x.p.account:
		if x.p.account != "" {
			return func() { x.list(x.p.accountBody()) }
		}
	case "POST /embeddings":
		if x.p.embeddings != nil {
			return x.embed
		}
	}
	return nil
}

// list answers a request without a model.
func (x *exchange) list(v any) {
	if x.r.Method == http.MethodGet && !x.misbehave("") {
		x.say(v)
	}
}

func (x *exchange) chat() {
	var f *failure
	if x.req, f = x.parse(); f != nil {
		x.fail(*f)
		return
	}
	if x.misbehave(x.req.Model) {
		return
	}
	if f := x.refuse(); f != nil {
		x.fail(*f)
		return
	}
	a := x.answer(x.decodeChat())
	if !x.req.Stream {
		x.say(x.p.wholeBody(x, a))
		return
	}
	x.stream(stream{
		comment: x.p.comment,
		events:  x.chatEvents(a),
		failure: x.chatFailure,
		unknown: event{"nobody.knows", object{"object": "nobody.knows", "choices": []any{}}},
	})
}

// decodeChat decodes a chat completion request.
func (x *exchange) decodeChat() *decodedRequest {
	r := x.req
	req := &decodedRequest{stop: r.stop, limit: r.MaxTokens, callID: x.callID,
		single: r.ParallelToolCalls != nil && !*r.ParallelToolCalls, refuses: x.p.id == "openai"}
	switch x.p.id {
	case "openai", "openrouter", "fireworks", "deepseek":
		req.filters = true
	}
	if r.MaxCompletionTokens != nil {
		req.limit = r.MaxCompletionTokens
	}
	if x.thinking() {
		req.thinking = thinkingShown
		if x.reasoningPlace() == reasoningHidden {
			req.thinking = thinkingHidden
		}
	}
	roles := map[string]role{"user": roleUser, "assistant": roleModel, "tool": roleTool}
	for _, m := range r.Messages {
		req.turns = append(req.turns, turn{role: roles[m.Role], text: m.text()})
	}
	for _, t := range r.Tools {
		req.tools = append(req.tools, tool{name: t.Function.Name, schema: t.Function.Parameters})
	}
	var named struct {
		Function struct{ Name string }
	}
	var word string
	json.Unmarshal(r.ToolChoice, &word)
	json.Unmarshal(r.ToolChoice, &named)
	if named.Function.Name != "" {
		req.only = []string{named.Function.Name}
	}
	switch {
	case word == "none":
		req.choice = choiceNone
	case x.mustCall():
		req.choice = choiceMust
	}
	if f := r.ResponseFormat; f != nil && f.Type != "text" {
		req.json, req.schema = true, f.JSONSchema.Schema
	}
	return req
}

// callID makes the id of a call. Kimi models number the calls of each conversation from 0, so that different
// conversations have equal ids (recorded at Groq: functions.add:0).
func (x *exchange) callID(i int, function string) string {
	switch {
	case strings.Contains(strings.ToLower(x.req.Model), "kimi"):
		for _, m := range x.req.Messages {
			i += len(m.ToolCalls)
		}
		return fmt.Sprintf("functions.%s:%d", function, i)
	case x.p.id == "mistral":
		return fmt.Sprintf("emu%06d", (x.serial*10+int64(i))%1_000_000)
	case x.p.id == "groq":
		return fmt.Sprintf("functions.emulated:%d", i) // numbered from 0 in each answer
	case x.p.id == "together":
		return fmt.Sprintf("call_%d", i) // as some servers of open models do
	}
	return x.id("call_", i)
}
