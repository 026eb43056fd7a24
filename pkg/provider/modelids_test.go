package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// providers returns the providers that may serve the model: the one that the id has as its prefix, then the others in
// the table's order.
func (t *Table) providers(model string) []string {
	var out []string
	if p, _, ok := t.split(model); ok {
		out = append(out, p.ID)
	}
	for _, p := range t.rows {
		if _, ok := p.knows(model); ok && !slices.Contains(out, p.ID) {
			out = append(out, p.ID)
		}
	}
	return out
}

func TestEveryListedModelIsServed(t *testing.T) {
	tab := table(t, nil)
	count := map[string]int{}
	for m := range catalog.All() {
		count[m.Provider]++
		p := tab.ByID(m.Provider)
		if p == nil {
			t.Fatalf("%s of %s, which is no provider", m.ID, m.Provider)
		}
		if id, ok := p.knows(m.ID); !ok || id != m.ID {
			t.Errorf("%s does not serve its own %s: %q, %v", m.Provider, m.ID, id, ok)
		}
		if all := tab.providers(m.ID); !slices.Contains(all, m.Provider) {
			t.Errorf("%q is served by %v, without %s", m.ID, all, m.Provider)
		}
	}
	for _, id := range tab.IDs() {
		if count[id] == 0 {
			t.Errorf("%s has no models", id)
		}
	}
}

func TestProvidersOfAModel(t *testing.T) {
	tab := table(t, nil)
	for model, want := range map[string]string{
		"gpt-5":                         "openai",
		"ft:gpt-4o-mini:acme::x":        "openai",
		"o3-mini":                       "openai",
		"oxide":                         "",
		"gpt-oss-120b":                  "cerebras",
		"cerebras/gpt-oss-120b":         "cerebras",
		"cerebras/unheard-of":           "cerebras",
		"grok-9":                        "xai",
		"xai/grok-4.7":                  "xai",
		"x-ai/grok-4.7":                 "openrouter",
		"openai/gpt-5":                  "openai openrouter",
		"openai/gpt-oss-120b":           "openrouter groq together",
		"openai/unheard-of":             "openrouter",
		"qwen/qwen3-32b":                "openrouter groq",
		"groq/qwen/qwen3-32b":           "groq",
		"groq/compound":                 "groq",
		"groq/unheard-of":               "groq",
		"claude-opus-9":                 "anthropic",
		"anthropic/claude-opus-9":       "anthropic",
		"anthropic/claude-haiku-4.5":    "openrouter",
		"gemini-9-pro":                  "gemini",
		"models/gemini-2.5-pro":         "gemini",
		"google/gemini-2.5-pro":         "openrouter",
		"codestral-latest":              "mistral",
		"deepseek-v4-pro":               "deepseek",
		"deepseek-ai/DeepSeek-V4-Pro":   "together",
		"deepseek-coder":                "",
		"deepseek/deepseek-chat":        "deepseek openrouter",
		"accounts/fireworks/models/x":   "fireworks",
		"accounts/fireworks/datasets/x": "",
		"accounts//models/x":            "",
		"llama-3.3-70b-versatile":       "groq",
		"x-ai/new-grok:free":            "openrouter",
		"NewLab/New-Model":              "together",
		"together/NewLab/New-Model":     "together",
		"together/openai/gpt-oss-120b":  "together",
		"openrouter/auto":               "openrouter",
		"openrouter/anthropic/claude-x": "openrouter",
		"nothing-known":                 "", "": "", "/": "", "openai/": "", "/gpt-5": "", "a/b/c": "", "openai": "",
	} {
		if got := strings.Join(tab.providers(model), " "); got != want {
			t.Errorf("%q: %q, want %q", model, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	tab := table(t, nil)
	for model, want := range map[string]string{
		"openai/gpt-5": "openai gpt-5", "groq/llama-3.3-70b-versatile": "groq llama-3.3-70b-versatile", "groq/new": "groq new",
		"together/openai/gpt-oss-120b": "together openai/gpt-oss-120b", "gemini/models/gemini-2.5-pro": "gemini models/gemini-2.5-pro",
		"openai/gpt-oss-120b": "", "openai/new": "", "anthropic/claude-haiku-4.5": "", "openrouter/auto": "", "groq/compound": "",
		"meta-llama/x": "", "gpt-5": "", "openai/": "", "/x": "", "": "",
	} {
		named, rest, ok := tab.split(model)
		p := ""
		if ok {
			p = named.ID
		}
		if got := strings.TrimSpace(p + " " + rest); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", model, got, ok, want)
		}
	}
}

// The answers agree with each other for every id.
func FuzzServes(f *testing.F) {
	tab := table(f, nil)
	for _, s := range []string{"gpt-5", "openai/gpt-5", "a/b:c", "models/", "accounts/x/models/y", "groq/", "openrouter/openrouter/auto", "\n", "# x", "gpt-5\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, model string) {
		providers := tab.providers(model)
		for _, p := range tab.rows {
			id, ok := p.knows(model)
			if ok != slices.Contains(providers, p.ID) {
				t.Fatalf("%q: %s %v, but %v", model, p.ID, ok, providers)
			}
			if ok && (id == "" || !strings.HasSuffix(model, id)) {
				t.Fatalf("%q became %q", model, id)
			}
		}
		if p, rest, ok := tab.split(model); ok && p.ID+"/"+rest != model {
			t.Fatalf("%q was split into %q and %q", model, p.ID, rest)
		}
	})
}

func BenchmarkServes(b *testing.B) {
	tab := table(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		tab.ByID("openrouter").Serves(nil, "openai/gpt-oss-120b")
	}
}
