package emulator

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// answer is what the emulated model says.
type answer struct {
	text, reasoning, refusal string
	calls                    []call
	finish                   string
	prompt, completion       int // tokens: words, as this model counts
	reasoned                 int // of completion
}

type call struct{ id, name, arguments string }

func (x *exchange) answer() *answer {
	r, last := x.req, ""
	for _, m := range r.Messages {
		if m.Role == "user" || m.Role == "tool" {
			last = strings.TrimSpace(m.text())
		}
	}
	a := &answer{finish: "stop"}
	for _, m := range r.Messages {
		a.prompt += len(strings.Fields(m.text())) + 3
	}
	if x.thinking() {
		a.reasoned = 6
		if x.p.reasoning != reasoningHidden {
			a.reasoning = "The user wants an answer: " + firstWords(last, 3)
			a.reasoned = len(strings.Fields(a.reasoning))
		}
	}
	word, rest, _ := strings.Cut(last, ":")
	fromTool := r.Messages[len(r.Messages)-1].Role == "tool"
	switch {
	case len(r.Tools) > 0 && !fromTool && x.wantsCall(last):
		a.calls, a.finish = x.calls(last), "tool_calls"
	case x.do.Text != "":
		a.text = x.do.Text
	case r.ResponseFormat != nil && r.ResponseFormat.Type != "text":
		a.text = x.jsonText()
	case fromTool:
		a.text = "The tool said: " + last
	case word == "echo":
		a.text = strings.TrimSpace(rest)
	case word == "words":
		n, _ := strconv.Atoi(strings.TrimSpace(rest))
		a.text = strings.TrimSpace(strings.Repeat("word ", min(max(n, 1), 1_000_000)))
	case last == "refuse" && x.p.id == "openai":
		a.refusal = "I cannot help with that."
	case last == "refuse":
		a.text = "I cannot help with that."
	default:
		a.text = "Hello! " + x.p.name + " is emulated here; nothing left this machine."
	}
	x.shorten(a)
	a.completion = len(strings.Fields(a.text)) + len(strings.Fields(a.refusal)) + a.reasoned
	for _, c := range a.calls {
		a.completion += 2 + len(strings.Fields(c.arguments))
	}
	return a
}

func firstWords(s string, n int) string {
	f := strings.Fields(s)
	return strings.Join(f[:min(n, len(f))], " ")
}

// shorten honours stop sequences and the limit on tokens.
func (x *exchange) shorten(a *answer) {
	for _, s := range x.req.stop {
		if i := strings.Index(a.text, s); i >= 0 && s != "" {
			a.text = a.text[:i]
		}
	}
	limit := x.req.MaxTokens
	if x.req.MaxCompletionTokens != nil {
		limit = x.req.MaxCompletionTokens
	}
	if limit == nil {
		return
	}
	if left := *limit - a.reasoned; len(strings.Fields(a.text)) > left {
		a.text, a.finish = firstWords(a.text, max(left, 0)), "length"
	}
}

func (x *exchange) wantsCall(last string) bool {
	var word string
	if json.Unmarshal(x.req.ToolChoice, &word) == nil && word == "none" {
		return false
	}
	return x.mustCall() || strings.HasPrefix(last, "call")
}

// calls are calls of the tools that are wanted, with arguments that fit their schemas.
func (x *exchange) calls(last string) []call {
	var named struct {
		Function struct{ Name string }
	}
	json.Unmarshal(x.req.ToolChoice, &named)
	var out []call
	for i, t := range x.req.Tools {
		if named.Function.Name != "" && t.Function.Name != named.Function.Name {
			continue
		}
		args := "{}"
		if len(t.Function.Parameters) > 0 {
			args = string(example(t.Function.Parameters))
		}
		out = append(out, call{x.callID(i), t.Function.Name, args})
		if last != "call all" {
			break
		}
	}
	return out
}

func (x *exchange) callID(i int) string {
	switch x.p.id {
	case "mistral":
		return fmt.Sprintf("emu%06d", (x.serial*10+int64(i))%1_000_000)
	case "groq":
		return fmt.Sprintf("functions.emulated:%d", i) // as kimi's models number them
	}
	return fmt.Sprintf("call_emulated%06d%d", x.serial, i)
}

func (x *exchange) jsonText() string {
	if schema := x.req.ResponseFormat.JSONSchema.Schema; len(schema) > 0 {
		return string(example(schema))
	}
	return `{"answer": "Hello!"}`
}

// example is a JSON value that fits a schema, as far as its types, enums and required members say.
func example(schema json.RawMessage) json.RawMessage {
	b, err := json.Marshal(exampleOf(schema, 0))
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

func exampleOf(schema json.RawMessage, depth int) any {
	var s struct {
		Type       any                        `json:"type"`
		Enum       []any                      `json:"enum"`
		Const      any                        `json:"const"`
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
		AnyOf      []json.RawMessage          `json:"anyOf"`
		Minimum    *float64                   `json:"minimum"`
	}
	if json.Unmarshal(schema, &s) != nil || depth > 16 {
		return nil
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AnyOf) > 0:
		return exampleOf(s.AnyOf[0], depth+1)
	}
	kind, _ := s.Type.(string)
	if list, ok := s.Type.([]any); ok && len(list) > 0 {
		kind, _ = list[0].(string)
	}
	switch kind {
	case "string":
		return "Zürich 🌍"
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 7
	case "boolean":
		return true
	case "null":
		return nil
	case "array":
		if len(s.Items) == 0 {
			return []any{}
		}
		return []any{exampleOf(s.Items, depth+1)}
	}
	out := object{}
	for name, p := range s.Properties {
		out[name] = exampleOf(p, depth+1)
	}
	return out
}
