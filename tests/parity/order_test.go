package parity

import (
	"strings"
	"testing"
)

// Texts and calls of a turn stand in the order in which the model wrote them, where both dialects have one.
func TestOrderOfTurns(t *testing.T) {
	w := newWorld(t)
	dialects := map[string]*caller{}
	for _, s := range callers() {
		dialects[s.name] = s
	}
	user := object{"role": "user", "content": "x"}
	use := func(id string) object {
		return object{"type": "tool_use", "id": id, "name": "f", "input": object{"n": id}}
	}
	text := func(s string) object { return object{"type": "text", "text": s} }
	part := func(s string) object { return object{"text": s} }
	call := func(id string) object {
		return object{"functionCall": object{"id": id, "name": "f", "args": object{"n": id}}}
	}
	output := func(id string) object {
		return object{"type": "function_call_output", "call_id": id, "output": "r"}
	}
	said := func(s string) object { return object{"type": "message", "role": "assistant", "content": s} }
	item := func(id string) object {
		return object{"type": "function_call", "call_id": id, "name": "f", "arguments": `{"n":"` + id + `"}`}
	}
	turns := map[string]object{
		"anthropic": {"messages": []any{user, object{"role": "assistant", "content": []any{text("one"), use("two"), text("three"), use("four")}},
			object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": "two", "content": "r"}, object{"type": "tool_result", "tool_use_id": "four", "content": "r"}, text("five")}}}},
		"responses": {"input": []any{user, said("one"), item("two"), said("three"), item("four"), output("two"), output("four"), object{"role": "user", "content": "five"}}},
		"gemini": {"contents": []any{object{"role": "user", "parts": []any{part("x")}}, object{"role": "model", "parts": []any{part("one"), call("two"), part("three"), call("four")}},
			object{"role": "user", "parts": []any{object{"functionResponse": object{"id": "two", "name": "f", "response": object{"output": "r"}}}, object{"functionResponse": object{"id": "four", "name": "f", "response": object{"output": "r"}}}, part("five")}}}},
	}
	for _, pr := range []provided{{"anthropic", []string{"claude-haiku-4-5", "claude-sonnet-5-5"}}, {"openai", []string{"gpt-5.6-sol", "gpt-5.5-pro"}}, {"gemini", []string{"gemini-2.5-flash", "gemini-3.1-pro-preview"}}} {
		app := w.application(pr.id)
		for _, model := range pr.models {
			for dialect, list := range turns {
				s := dialects[dialect]
				path, body := s.write(&request{model: pr.id + "/" + model, turns: []turn{{text: "x"}}, tools: []tool{{"f", nothing}}, effort: "low"})
				r := app.send("POST", path, encode(merged(body, list)), s.auth(app.token)...)
				if r.status != 200 {
					app.requests = app.received()
					t.Errorf("%s to %s: %d %s", dialect, model, r.status, r.body)
					continue
				}
				sent := app.sent()
				at := 0
				for _, word := range strings.Fields("one two three four five") {
					next := strings.Index(sent[at:], `"`+word)
					if next < 0 {
						next = strings.Index(sent[at:], `\"`+word)
					}
					if next < 0 {
						t.Errorf("%s to %s: %s is not in its place: %s", dialect, model, word, sent)
						break
					}
					at += next
				}
			}
		}
	}
}
