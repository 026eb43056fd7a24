package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// A target is a column of the table of docs/translation.md: a model of a provider.
type target struct{ title, provider, model string }

// targets returns the columns: several models where they differ most, and one of every other provider.
func targets(table *provider.Table) []target {
	list := []target{
		{"OpenAI", "openai", "gpt-5.4-mini"}, {"OpenAI Responses", "openai", "gpt-5.5-pro"},
		{"Anthropic", "anthropic", "claude-haiku-4-5"}, {"Gemini", "gemini", "gemini-3.1-flash-lite"}, {"OpenRouter", "openrouter", "openai/gpt-4o"},
		{"Mistral", "mistral", "mistral-small-latest"}, {"Groq", "groq", "openai/gpt-oss-20b"}, {"Together", "together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"},
		{"Fireworks", "fireworks", "accounts/fireworks/models/gpt-oss-120b"}, {"DeepSeek", "deepseek", "deepseek-flash"},
	}
	for _, p := range table.All() {
		if !slices.ContainsFunc(list, func(t target) bool { return t.provider == p.ID }) {
			models := emulator.Models(p.ID)
			list = append(list, target{p.Name, p.ID, models[len(models)-1]})
		}
	}
	return list
}

// A feature is a row of the table: a part of a request.
type feature struct {
	title string
	add   func(r *chat.Request)
}

func ptr[T any](v T) *T { return &v }

func features() []feature {
	part := func(p chat.Part) func(*chat.Request) {
		return func(r *chat.Request) { r.Messages[1].Parts = append(r.Messages[1].Parts, p) }
	}
	media := func(kind chat.PartKind, m chat.Media) func(*chat.Request) {
		return part(chat.Part{Kind: kind, Media: &m})
	}
	tools := func(choice *chat.ToolChoice) func(*chat.Request) {
		return func(r *chat.Request) { r.Tools, r.ToolChoice = []chat.Tool{{Name: "weather"}}, choice }
	}
	const png, pdf = "iVBORw0KGgo=", "JVBERi0xLjQ="
	return []feature{
		{"developer message", func(r *chat.Request) { r.Messages[0].Role = chat.Developer }},
		{"system message in the middle", func(r *chat.Request) {
			r.Messages = append(r.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{{Kind: chat.Text, Text: "Be brief."}}},
				chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "Go on."}}})
		}},
		{"message of the assistant at the end", func(r *chat.Request) {
			r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Text, Text: "So far"}}})
		}},
		{"call without a result", func(r *chat.Request) {
			r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_1", Name: "weather", Arguments: "{}"}}}},
				chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "Never mind."}}})
		}},
		{"user after a tool's result", func(r *chat.Request) {
			r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_1", Name: "weather", Arguments: "{}"}}}},
				chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "call_1", Name: "weather", Parts: []chat.Part{{Kind: chat.Text, Text: "sunny"}}}}}},
				chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "And now?"}}})
		}},
		{"name of a participant", func(r *chat.Request) { r.Messages[1].Name = "ann" }},
		{"image, data", media(chat.Image, chat.Media{MIMEType: "image/png", Data: png})},
		{"image, URL", media(chat.Image, chat.Media{URL: "https://example.com/a.png"})},
		{"PDF, data", media(chat.File, chat.Media{MIMEType: "application/pdf", Data: pdf, Filename: "a.pdf"})},
		{"PDF, URL", media(chat.File, chat.Media{URL: "https://example.com/a.pdf", MIMEType: "application/pdf"})},
		{"text file, data", media(chat.File, chat.Media{MIMEType: "text/plain", Data: "aGVsbG8=", Filename: "a.txt"})},
		{"audio, data", media(chat.Audio, chat.Media{MIMEType: "audio/wav", Format: "wav", Data: "UklGRg=="})},
		{"tools", tools(nil)},
		{"tool choice: required", tools(&chat.ToolChoice{Mode: chat.ToolRequired})},
		{"tool choice: one by name", tools(&chat.ToolChoice{Mode: chat.ToolNamed, Name: "weather"})},
		{"no parallel tool calls", func(r *chat.Request) { tools(nil)(r); r.ParallelToolCalls = ptr(false) }},
		{"strict function", func(r *chat.Request) { tools(nil)(r); r.Tools[0].Strict = ptr(true) }},
		{"JSON object", func(r *chat.Request) {
			r.Messages[1].Parts[0].Text = "Answer in JSON."
			r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatJSON}
		}},
		{"JSON schema", func(r *chat.Request) {
			r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Name: "x", Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`)}
		}},
		{"limit on output tokens", func(r *chat.Request) { r.MaxTokens = ptr(int64(2000)) }},
		{"limit above the model's", func(r *chat.Request) { r.MaxTokens = ptr(int64(1_000_000)) }},
		{"temperature", func(r *chat.Request) { r.Temperature = ptr(0.5) }},
		{"top_p", func(r *chat.Request) { r.TopP = ptr(0.5) }},
		{"top_k", func(r *chat.Request) { r.TopK = ptr(int64(40)) }},
		{"stop sequences", func(r *chat.Request) { r.Stop = []string{"END"} }},
		{"6 stop sequences", func(r *chat.Request) { r.Stop = []string{"1", "2", "3", "4", "5", "6"} }},
		{"seed", func(r *chat.Request) { r.Seed = ptr(int64(7)) }},
		{"several answers (n)", func(r *chat.Request) { r.N = ptr(int64(2)) }},
		{"penalties", func(r *chat.Request) { r.FrequencyPenalty, r.PresencePenalty = ptr(0.5), ptr(0.5) }},
		{"logit bias", func(r *chat.Request) { r.LogitBias = map[string]float64{"50256": -100} }},
		{"logprobs", func(r *chat.Request) { r.Logprobs, r.TopLogprobs = ptr(true), ptr(int64(2)) }},
		{"reasoning effort", func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "high"} }},
		{"no reasoning", func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "none"} }},
		{"reasoning budget", func(r *chat.Request) {
			r.Reasoning, r.MaxTokens = &chat.Reasoning{Budget: ptr(int64(2048))}, ptr(int64(8000))
		}},
		{"verbosity", func(r *chat.Request) { r.Verbosity = "low" }},
		{"cache marker", func(r *chat.Request) { r.Messages[1].Parts[0].Cache = &chat.CacheMark{} }},
		{"cache key", func(r *chat.Request) { r.CacheKey = "k" }},
		{"user", func(r *chat.Request) { r.User = "u-1" }},
		{"metadata", func(r *chat.Request) { r.Metadata = map[string]string{"k": "v"} }},
		{"service tier", func(r *chat.Request) { r.ServiceTier = "auto" }},
		{"field that only the caller's dialect has", func(r *chat.Request) { r.Foreign = []chat.Foreign{{Name: "field_of_another"}} }},
		{"the same, if the answer depends on it", func(r *chat.Request) { r.Foreign = []chat.Foreign{{Name: "field_of_another", Essential: true}} }},
	}
}

// outcome returns how a feature is translated for a target: "yes", "warns" or "400", and the warning or error.
func outcome(t *testing.T, table *provider.Table, to target, add func(*chat.Request)) (cell, words string) {
	t.Helper()
	req := &chat.Request{Model: to.model, Messages: []chat.Message{
		{Role: chat.System, Parts: []chat.Part{{Kind: chat.Text, Text: "Be kind."}}}, {Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "Hello!"}}},
	}}
	add(req)
	client := table.ByID(to.provider).Protocol(to.model, req, "")
	enc, err := client.EncodeRequest(req)
	var refused *chat.Error
	switch {
	case errors.As(err, &refused):
		return "400", refused.Message
	case err != nil:
		t.Fatal(err)
	case len(enc.Warnings) > 0:
		return "warns", strings.Join(enc.Warnings, "; ")
	}
	return "yes", ""
}

const translationHead = `# How requests are translated

If the provider has the dialect of the caller, the request's bytes pass through. The gateway then changes only the fields and messages that the provider's rules force it to change; all else stays as it is, unknown fields included.

Otherwise the gateway translates the request:

- **yes**: the feature is sent in the provider's format.
- **warns**: the feature is dropped or changed, and ` + "`X-LLM-Warnings`" + ` says so.
- **400**: without the feature the request would mean something else, so that this provider is not called. Another of your keys may still serve the request.

` + "`go test ./internal/docs -update`" + ` makes this file from the code, with one or more models of each provider. Other models of a provider can differ.

`

func translation(t *testing.T) string {
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString(translationHead)
	row := func(cells []string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	head, line := []string{""}, []string{"---"}
	for _, to := range targets(table) {
		head, line = append(head, to.title), append(line, "---")
	}
	row(head)
	row(line)
	var words []string
	for _, f := range features() {
		cells := []string{f.title}
		for _, to := range targets(table) {
			cell, says := outcome(t, table, to, f.add)
			cells = append(cells, cell)
			if w := fmt.Sprintf("- *%s*, %s: %s", f.title, to.title, says); says != "" && !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
		row(cells)
	}
	out.WriteString("\nModels: ")
	for i, to := range targets(table) {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString("`" + to.model + "`")
	}
	out.WriteString(".\n\n## Warnings and errors\n\n" + strings.Join(words, "\n") + "\n")
	return out.String()
}

func TestTranslationIsDocumented(t *testing.T) {
	const name = "docs/translation.md"
	want := translation(t)
	if *update {
		if err := os.WriteFile("../../"+name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, name) != want {
		t.Errorf("%s is out of date; go test ./internal/docs -update writes it", name)
	}
}
