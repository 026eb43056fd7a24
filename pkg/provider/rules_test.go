package provider

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// Fireworks has two fields for a budget of thinking tokens, which are passed through. Anthropic's budget is translated.
func TestFireworksBudgets(t *testing.T) {
	p := table(t, nil).ByID("fireworks")
	client := p.Client.(dialect.Passthrough)
	for in, want := range map[string]string{
		`"thinking":{"type":"enabled","budget_tokens":2048}`:     "",
		`"thinking":{"type":"disabled"}`:                         "",
		`"reasoning_effort":4096`:                                "",
		`"reasoning_effort":true`:                                "",
		`"reasoning_effort":"low"`:                               "",
		`"reasoning_effort":"minimal"`:                           `"reasoning_effort":"low"`,
		`"thinking":{"type":"enabled","budget_tokens":100}`:      `"reasoning_effort":"low"`,
		`"thinking":{"type":"adaptive"}`:                         `"reasoning_effort":"high"`,
		`"reasoning":{"max_tokens":2048}`:                        `"thinking":{"type":"enabled","budget_tokens":2048}`,
		`"thinking":{"type":"enabled"},"reasoning_effort":"low"`: `"reasoning_effort":"low"`,
	} {
		body := func(members string) string {
			return `{"model":"m","messages":[{"role":"user","content":"x"}],` + members + `}`
		}
		req, _, err := new(openai.Server).DecodeRequest([]byte(body(in)))
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		enc, ok := client.PassthroughRequest([]byte(body(in)), req, nil)
		if want == "" {
			want = in
		}
		if !ok || string(enc.Body) != body(want) {
			t.Errorf("%s: %v\n got %s\nwant %s", in, ok, enc.Body, body(want))
		}
	}
	req := &chat.Request{Model: "m", Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "x"}}}}, Reasoning: &chat.Reasoning{Budget: to(int64(5000))}}
	enc, err := p.Client.EncodeRequest(req)
	if err != nil || !strings.Contains(string(enc.Body), `"thinking":{"type":"enabled","budget_tokens":5000}`) || len(enc.Warnings) > 0 {
		t.Errorf("%v %q %s", err, enc.Warnings, enc.Body)
	}
}

func to[T any](v T) *T { return &v }

// everything returns a request with every field of the dialect's top level.
func everything(model string) *chat.Request {
	return &chat.Request{
		Model:    model,
		Messages: []chat.Message{{Role: chat.Developer, Parts: []chat.Part{{Kind: chat.Text, Text: "be JSON"}}}, {Role: chat.User, Name: "ann", Parts: []chat.Part{{Kind: chat.Text, Text: "hi"}}}},
		Tools:    []chat.Tool{{Name: "f", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)}}, ToolChoice: &chat.ToolChoice{Mode: chat.ToolRequired}, ParallelToolCalls: to(false),
		MaxTokens: to(int64(100)), Temperature: to(2.0), TopP: to(0.5), TopK: to(int64(5)), Stop: []string{"x"}, Seed: to(int64(1)),
		FrequencyPenalty: to(0.1), PresencePenalty: to(0.1), LogitBias: map[string]float64{"1": 1}, Logprobs: to(true), TopLogprobs: to(int64(2)),
		ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatJSON}, Reasoning: &chat.Reasoning{Effort: "xhigh"}, Verbosity: "low",
		Stream: true, ServiceTier: "auto", User: "u", Metadata: map[string]string{"a": "b"}, CacheKey: "k",
	}
}

func encode(t *testing.T, p *Provider, req *chat.Request) map[string]any {
	t.Helper()
	enc, err := p.Client.EncodeRequest(req)
	if err != nil {
		t.Fatalf("%s: %v", p.ID, err)
	}
	var out map[string]any
	if err := json.Unmarshal(enc.Body, &out); err != nil {
		t.Fatalf("%s: %v in %s", p.ID, err, enc.Body)
	}
	return out
}

// Each provider receives the fields that its documents list, under its names.
func TestFieldsPerProvider(t *testing.T) {
	always := []string{"messages", "model", "response_format", "stop", "stream", "tool_choice", "tools"}
	for _, tt := range []struct{ id, model, fields string }{
		{"openai", "gpt-4.1", "frequency_penalty logit_bias logprobs max_completion_tokens metadata parallel_tool_calls presence_penalty prompt_cache_key seed service_tier stream_options temperature top_logprobs top_p user verbosity"},
		{"openrouter", "x/y", "frequency_penalty logit_bias logprobs max_tokens metadata parallel_tool_calls presence_penalty prompt_cache_key reasoning seed service_tier temperature top_k top_logprobs top_p user verbosity"},
		{"mistral", "mistral-large-2512", "frequency_penalty max_tokens metadata parallel_tool_calls presence_penalty prompt_cache_key random_seed temperature top_p"},
		{"mistral", "mistral-small-2603", "frequency_penalty max_tokens metadata parallel_tool_calls presence_penalty prompt_cache_key random_seed reasoning_effort temperature top_p"},
		{"groq", "llama-3.3-70b-versatile", "max_completion_tokens parallel_tool_calls seed service_tier temperature top_p user"},
		{"groq", "openai/gpt-oss-120b", "max_completion_tokens parallel_tool_calls reasoning_effort seed service_tier temperature top_p user"},
		{"together", "Qwen/X", "frequency_penalty logit_bias logprobs max_tokens presence_penalty reasoning_effort seed temperature top_k top_p"},
		{"fireworks", "accounts/fireworks/models/x", "frequency_penalty logit_bias logprobs max_tokens metadata parallel_tool_calls presence_penalty prompt_cache_key reasoning_effort seed service_tier stream_options temperature top_k top_logprobs top_p user"},
		{"deepseek", "deepseek-v4-pro", "frequency_penalty logprobs max_tokens presence_penalty stream_options temperature thinking top_logprobs top_p user_id"},
	} {
		p := table(t, nil).ByID(tt.id)
		out := encode(t, p, everything(tt.model))
		var got []string
		for name := range out {
			if !slices.Contains(always, name) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != tt.fields {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.id, tt.model, s, tt.fields)
		}
		for _, name := range always {
			if _, ok := out[name]; !ok {
				t.Errorf("%s %s: %s is missing", tt.id, tt.model, name)
			}
		}
	}
}

func TestValuesPerProvider(t *testing.T) {
	tab := table(t, nil)
	get := func(id, model, field string) any { return encode(t, tab.ByID(id), everything(model))[field] }
	for _, tt := range []struct {
		id, model, field string
		want             any
	}{
		{"mistral", "mistral-large-2512", "temperature", 1.5},
		{"mistral", "mistral-large-2512", "tool_choice", "any"},
		{"mistral", "mistral-small-2603", "reasoning_effort", "high"},
		{"groq", "llama-3.3-70b-versatile", "tool_choice", "required"},
		{"groq", "qwen/qwen3-32b", "reasoning_effort", "default"},
		{"groq", "qwen/qwen3-32b", "reasoning_format", "parsed"},
		{"groq", "openai/gpt-oss-20b", "reasoning_format", nil}, // a 400 where it is not known
		{"groq", "llama-3.3-70b-versatile", "reasoning_format", nil},
		{"groq", "openai/gpt-oss-20b", "reasoning_effort", "high"},
		{"together", "Qwen/X", "logprobs", 2.0},
		{"together", "Qwen/X", "reasoning_effort", "high"},
		{"together", "zai-org/GLM-5.2", "reasoning_effort", "high"},
		{"fireworks", "x", "reasoning_effort", "high"},
		{"openai", "gpt-5.1", "reasoning_effort", "high"},
		{"openai", "gpt-5.4", "reasoning_effort", "none"}, // there are functions
		{"openai", "gpt-6.1-sol", "reasoning_effort", "xhigh"},
		{"openai", "o4-mini", "reasoning_effort", "high"},
	} {
		if got := get(tt.id, tt.model, tt.field); got != tt.want {
			t.Errorf("%s %s: %s is %v, want %v", tt.id, tt.model, tt.field, got, tt.want)
		}
	}
	for _, p := range tab.All() {
		if p.Client.Dialect() != openai.Name {
			continue
		}
		msgs := encode(t, p, everything("m"))["messages"].([]any)
		role := msgs[0].(map[string]any)["role"]
		keeps := p.ID == "openai" || p.ID == "openrouter"
		if keeps != (role == "developer") {
			t.Errorf("%s: the developer is %v", p.ID, role)
		}
	}
}

// Stop sequences beyond a provider's maximum are dropped with a warning.
func TestStopsPerProvider(t *testing.T) {
	for id, most := range map[string]int{"openai": 4, "openrouter": 4, "groq": 4, "fireworks": 4, "gemini": 5, "deepseek": 16, "mistral": 20, "together": 20, "anthropic": 20} {
		p := table(t, nil).ByID(id)
		req := &chat.Request{Model: "m", MaxTokens: to(int64(9)), Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "hi"}}}}}
		for i := range 20 {
			req.Stop = append(req.Stop, string(rune('a'+i)))
		}
		enc, err := p.Client.EncodeRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		wanted, _ := json.Marshal(req.Stop[:most])
		if !strings.Contains(string(enc.Body), string(wanted)) || (len(enc.Warnings) > 0) != (most < 20) {
			t.Errorf("%s: %s, %q", id, enc.Body, enc.Warnings)
		}
	}
}

// Groq sends no reasoning if the caller excludes it from the answer.
func TestHiddenReasoning(t *testing.T) {
	req := everything("qwen/qwen3-32b")
	req.Reasoning = &chat.Reasoning{Hide: true}
	if got := encode(t, table(t, nil).ByID("groq"), req)["reasoning_format"]; got != "hidden" {
		t.Errorf("%v", got)
	}
}

func rulesOf(model string) openai.ModelRules {
	for _, m := range openAIModels() {
		if m.Match(model) {
			return m
		}
	}
	return openai.ModelRules{}
}

// The hand-written families must agree with the catalogue: a model that takes no
// sampling fields gets none, and no effort goes beyond what it knows.
func TestOpenAIModelsAgreeWithTheCatalogue(t *testing.T) {
	checked := 0
	for m := range catalog.Of("openai") {
		if m.Mode == catalog.Embedding {
			continue
		}
		r := rulesOf(m.ID)
		refuses := slices.Contains(r.Drop, "temperature") || slices.Contains(r.DropUnlessEffortNone, "temperature")
		if m.Caps.Has(catalog.NoSampling) && !refuses {
			t.Errorf("%s takes no sampling fields, but gets them", m.ID)
		}
		if strings.Contains(m.ID, "-search-") {
			continue // refuses them without being listed as a reasoning model
		}
		if refuses && m.Caps != 0 && !m.Caps.Has(catalog.Reasoning) && !strings.Contains(m.ID, "-deep-research-") { // their snapshots do not say
			t.Errorf("%s is no reasoning model, but is treated as one", m.ID)
		}
		if known := m.Efforts(); len(known) > 0 {
			checked++
			if len(r.Efforts) == 0 || r.Efforts[len(r.Efforts)-1] != known[len(known)-1] || strings.Contains(m.ID, "-pro") && !slices.Equal(r.Efforts, known) {
				t.Errorf("%s: efforts %v, catalogue %v", m.ID, r.Efforts, known)
			}
			if !m.ChatCompletions() && slices.ContainsFunc(r.Efforts, func(level string) bool { return !slices.Contains(known, level) }) {
				t.Errorf("%s: efforts %v go beyond the catalogue's %v", m.ID, r.Efforts, known)
			}
		}
	}
	if checked < 35 {
		t.Errorf("only %d models have efforts", checked)
	}
}

func TestOpenAIModelFamilies(t *testing.T) {
	for model, want := range map[string]struct {
		temperature bool // without an effort
		lowest      string
	}{
		"gpt-4.1": {true, ""}, "gpt-4o-mini": {true, ""}, "gpt-5-chat-latest": {true, ""}, "ft:gpt-4o:acme": {true, ""}, "chatgpt-4o-latest": {true, ""},
		"gpt-5": {false, "minimal"}, "gpt-5-mini-2025-08-07": {false, "minimal"}, "gpt-5.1": {false, "none"}, "gpt-5-pro": {false, "high"}, "gpt-5.4-pro-2026-03-05": {false, "medium"}, "gpt-5.5-pro": {false, "low"}, "gpt-5.2-codex": {false, "low"}, "gpt-5.3-codex-spark": {false, "none"}, "codex-mini-latest": {false, "low"}, "gpt-5.2-chat-latest": {false, "medium"},
		"gpt-5.5": {false, "none"}, "gpt-5.6-sol-2026-09-01": {false, "none"}, "gpt-6-sol": {false, "none"}, "gpt-6-astra": {false, "low"},
		"gpt-6.1-terra": {false, "low"}, "gpt-7": {false, "low"}, "gpt-10.2-x": {false, "low"}, "o1": {false, "low"}, "o3-mini": {false, "low"}, "o9": {false, "low"},
		"omni-moderation-latest": {true, ""}, "gpt-": {true, ""}, "gpt-50x": {true, ""},
	} {
		r := rulesOf(model)
		takes := !slices.Contains(r.Drop, "temperature") && !slices.Contains(r.DropUnlessEffortNone, "temperature")
		lowest := ""
		if len(r.Efforts) > 0 {
			lowest = r.Efforts[0]
		}
		if takes != want.temperature || lowest != want.lowest {
			t.Errorf("%s: temperature %v, lowest effort %q; want %v, %q", model, takes, lowest, want.temperature, want.lowest)
		}
	}
}
