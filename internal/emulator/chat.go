package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// chatRoute finds what serves a path of a provider that speaks OpenAI's dialect.
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

// list answers a request that names no model.
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
	a := x.answer(x.chatQuestion())
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

// chatQuestion is what the request asks.
func (x *exchange) chatQuestion() *question {
	r := x.req
	q := &question{stop: r.stop, limit: r.MaxTokens, callID: x.callID,
		single: r.ParallelToolCalls != nil && !*r.ParallelToolCalls, refuses: x.p.id == "openai"}
	switch x.p.id {
	case "openai", "openrouter", "fireworks", "deepseek":
		q.filters = true
	}
	if r.MaxCompletionTokens != nil {
		q.limit = r.MaxCompletionTokens
	}
	if x.thinking() {
		q.thinking = thinkingShown
		if x.reasoningPlace() == reasoningHidden {
			q.thinking = thinkingHidden
		}
	}
	roles := map[string]role{"user": roleUser, "assistant": roleModel, "tool": roleTool}
	for _, m := range r.Messages {
		q.turns = append(q.turns, turn{role: roles[m.Role], text: m.text()})
	}
	for _, t := range r.Tools {
		q.tools = append(q.tools, tool{t.Function.Name, t.Function.Parameters})
	}
	var named struct {
		Function struct{ Name string }
	}
	var word string
	json.Unmarshal(r.ToolChoice, &word)
	json.Unmarshal(r.ToolChoice, &named)
	if named.Function.Name != "" {
		q.only = []string{named.Function.Name}
	}
	switch {
	case word == "none":
		q.choice = choiceNone
	case x.mustCall():
		q.choice = choiceMust
	}
	if f := r.ResponseFormat; f != nil && f.Type != "text" {
		q.json, q.schema = true, f.JSONSchema.Schema
	}
	return q
}

// callID makes the id of a call. Kimi's models number the calls of each conversation from 0, so that the ids of one
// conversation come again in others (recorded at Groq: functions.add:0).
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
		return fmt.Sprintf("functions.emulated:%d", i) // numbered anew in each answer
	}
	return x.id("call_", i)
}
