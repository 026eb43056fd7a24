package parity

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// modelAt is a model of each provider that calls functions.
func modelAt() map[string]string {
	return map[string]string{
		"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash", "openrouter": "openai/gpt-4o-mini",
		"mistral": "mistral-small-latest", "groq": "openai/gpt-oss-20b", "together": "openai/gpt-oss-120b",
		"fireworks": "accounts/fireworks/models/gpt-oss-120b", "deepseek": "deepseek-flash", "xai": "grok-4.3", "cerebras": "gpt-oss-120b",
	}
}

// codexTools are tools as Codex sends them, and the others of Responses that the caller runs.
const codexTools = `[{"type":"function","name":"plain","parameters":{"type":"object"}},
	{"type":"namespace","name":"mcp__files","description":"files","tools":[{"type":"function","name":"plain","parameters":{"type":"object","properties":{"path":{"type":"string"}}},"strict":false},
		{"type":"custom","name":"edit","format":{"type":"text"}}]},
	{"type":"custom","name":"exec","description":"runs","format":{"type":"grammar","syntax":"regex","definition":".+"}},
	{"type":"shell"},{"type":"local_shell"},{"type":"apply_patch"},{"type":"tool_search","execution":"client","description":"finds","parameters":{"type":"object","properties":{"query":{"type":"string"}}}}]`

// ownOutput is what the caller's programs return for an item.
func ownOutput(item object) object {
	out := object{"type": strings.TrimSuffix(item["type"].(string), "_call") + "_call_output", "call_id": item["call_id"], "output": "done"}
	switch item["type"] {
	case "shell_call":
		out["output"] = []object{{"stdout": "done", "stderr": "", "outcome": object{"type": "exit", "exit_code": 0}}}
	case "local_shell_call":
		out["id"] = item["call_id"]
	case "apply_patch_call":
		out["status"] = "completed"
	case "tool_search_call":
		return object{"type": "tool_search_output", "call_id": item["call_id"], "execution": "client", "tools": []object{{"type": "function", "name": "found", "parameters": object{"type": "object", "properties": object{}}}}}
	}
	return out
}

// A caller of Responses has the tools that it runs itself at every provider: calls come back as what they are, streamed
// and whole, and go on from there.
func TestCallersOwnToolsEverywhere(t *testing.T) {
	w := newWorld(t)
	for provider, model := range modelAt() {
		p := w.person()
		p.key(provider, "")
		if provider == "openai" {
			model = "gpt-5.6-sol"
		}
		t.Run(provider, func(t *testing.T) {
			var outputs [2][]string
			for i, streamed := range []bool{false, true} {
				more := object{"type": "additional_tools", "role": "developer", "tools": []object{{"type": "namespace", "name": "functions", "description": "", "tools": []object{{"type": "custom", "name": "late", "description": "x", "format": object{"type": "text"}}}}}}
				input := []any{more, object{"role": "user", "content": "call all"}}
				body := object{"model": model, "store": false, "input": input, "tools": json.RawMessage(codexTools), "stream": streamed}
				if provider == "openai" {
					continue // the emulated one makes no calls of these; it gets them as they come
				}
				items := p.respond(t, body)
				for _, item := range items {
					if item["type"] == "reasoning" || item["type"] == "message" {
						continue
					}
					outputs[i] = append(outputs[i], fmt.Sprint(item["type"], " ", item["namespace"], ".", item["name"]))
					checkOwn(t, item)
				}
				next := slices.Clone(input)
				for _, item := range items {
					next = append(next, item)
				}
				for _, item := range items {
					if item["call_id"] != nil {
						next = append(next, ownOutput(item))
					}
				}
				body["input"] = append(next, object{"role": "user", "content": "thanks"})
				if last := p.respond(t, body); len(last) == 0 || last[len(last)-1]["type"] != "message" {
					t.Errorf("streamed %t: no answer to the results: %v", streamed, last)
				}
			}
			want := []string{"function_call <nil>.plain", "function_call mcp__files.plain", "custom_tool_call mcp__files.edit", "custom_tool_call <nil>.exec", "shell_call <nil>.<nil>",
				"local_shell_call <nil>.<nil>", "apply_patch_call <nil>.<nil>", "tool_search_call <nil>.<nil>", "custom_tool_call functions.late"}
			if provider != "openai" && (!reflect.DeepEqual(outputs[0], want) || !reflect.DeepEqual(outputs[1], want)) {
				t.Errorf("\n got %q\n and %q\nwant %q", outputs[0], outputs[1], want)
			}
		})
	}
}

// checkOwn checks a call's members by its type.
func checkOwn(t *testing.T, item object) {
	t.Helper()
	get := func(path ...string) any {
		v := any(item)
		for _, name := range path {
			m, _ := v.(map[string]any)
			if o, ok := v.(object); ok {
				m = o
			}
			v = m[name]
		}
		return v
	}
	fits := item["call_id"] != nil && item["status"] == "completed"
	switch item["type"] {
	case "custom_tool_call":
		fits = fits && item["input"] == "Zürich 🌍"
	case "shell_call":
		fits = fits && reflect.DeepEqual(get("action", "commands"), []any{"Zürich 🌍"}) && get("action", "timeout_ms") == 7.0
	case "local_shell_call":
		fits = fits && get("action", "type") == "exec" && reflect.DeepEqual(get("action", "command"), []any{"Zürich 🌍"}) && get("action", "env") != nil
	case "apply_patch_call":
		fits = fits && get("operation", "type") == "create_file" && get("operation", "path") == "Zürich 🌍"
	case "tool_search_call":
		fits = fits && item["execution"] == "client" && get("arguments", "query") == "Zürich 🌍"
	}
	if !fits {
		t.Errorf("a call is %v", item)
	}
}

// respond sends a request of Responses and returns the items of the answer. Those of a stream are the ones of its
// events.
func (p *person) respond(t *testing.T, body object) []object {
	t.Helper()
	r := p.send("POST", "/v1/responses", encode(body), bearer(p.token)...)
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var whole struct{ Output []object }
	if body["stream"] != true {
		p.must(json.Unmarshal(r.body, &whole))
		return whole.Output
	}
	var items, completed []object
	for line := range strings.Lines(string(r.body)) {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var ev struct {
			Type     string
			Item     object
			Index    int `json:"output_index"`
			Response struct{ Output []object }
		}
		p.must(json.Unmarshal([]byte(data), &ev))
		switch ev.Type {
		case "response.output_item.done":
			for len(items) <= ev.Index {
				items = append(items, nil)
			}
			items[ev.Index] = ev.Item
		case "response.completed":
			completed = ev.Response.Output
		}
	}
	if !reflect.DeepEqual(items, completed) {
		t.Errorf("the events' items differ from the answer's:\n%v\n%v", items, completed)
	}
	return items
}

// Anthropic's tools that the caller runs are functions elsewhere, and their calls are what Claude would write.
func TestAnthropicsOwnToolsEverywhere(t *testing.T) {
	w := newWorld(t)
	const tools = `[{"type":"bash_20250124","name":"bash"},{"type":"text_editor_20250728","name":"str_replace_based_edit_tool"},{"type":"memory_20250818","name":"memory"}]`
	for provider, model := range modelAt() {
		p := w.person()
		p.key(provider, "")
		t.Run(provider, func(t *testing.T) {
			messages := []any{object{"role": "user", "content": "call all"}}
			ask := func() (content []object) {
				r := p.send("POST", "/v1/messages", encode(object{"model": model, "max_tokens": 4000, "messages": messages, "tools": json.RawMessage(tools)}), "X-Api-Key", p.token, "Anthropic-Version", "2023-06-01")
				if r.status != 200 {
					t.Fatalf("%d %s", r.status, r.body)
				}
				var v struct{ Content []object }
				p.must(json.Unmarshal(r.body, &v))
				return v.Content
			}
			content := ask()
			var names []any
			var results []object
			for _, block := range content {
				if block["type"] == "tool_use" {
					names = append(names, block["name"])
					results = append(results, object{"type": "tool_result", "tool_use_id": block["id"], "content": "done"})
				}
			}
			if provider != "anthropic" && !reflect.DeepEqual(names, []any{"bash", "str_replace_based_edit_tool", "memory"}) {
				t.Errorf("calls of %v: %v", names, content)
			}
			if len(results) > 0 {
				messages = append(messages, object{"role": "assistant", "content": content}, object{"role": "user", "content": results})
				ask()
			}
		})
	}
}

// Tools that a provider runs are its own elsewhere, or refused by name. Beside functions they are left out with a
// warning.
func TestHostedToolsEverywhere(t *testing.T) {
	w := newWorld(t)
	for provider, model := range modelAt() {
		p := w.person()
		p.key(provider, "")
		t.Run(provider, func(t *testing.T) {
			body := object{"model": model, "store": false, "input": "hi", "tools": json.RawMessage(`[{"type":"web_search","external_web_access":false}]`)}
			has := slices.Contains([]string{"openai", "anthropic", "gemini", "openrouter", "groq"}, provider)
			r := p.send("POST", "/v1/responses", encode(body), bearer(p.token)...)
			if has && r.status != 200 || !has && (r.status != 400 || !strings.Contains(string(r.body), "web_search")) {
				t.Errorf("alone: %d %s", r.status, r.body)
			}
			body["tools"] = json.RawMessage(`[{"type":"web_search"},{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]`)
			r = p.send("POST", "/v1/responses", encode(body), bearer(p.token)...)
			warned := strings.Contains(r.header.Get("X-LLM-Warnings"), "web_search")
			if keeps := has && provider != "gemini"; r.status != 200 || warned == keeps {
				t.Errorf("beside a function: %d %s %q", r.status, r.body, r.header.Get("X-LLM-Warnings"))
			}
		})
	}
}
