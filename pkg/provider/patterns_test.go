package provider

import (
	"strings"
	"testing"
)

func TestCheckPattern(t *testing.T) {
	for s, ok := range map[string]bool{
		"gpt-5": true, "gpt-*": true, "*": true, "meta-llama/Llama-3.3-70B-Instruct-Turbo": true, "~google/x": true, "a:free": true,
		"": false, "**": false, "a*b": false, "*a": false, "a b": false, "ä": false, "a\n": false, strings.Repeat("a", 257): false,
		strings.Repeat("a", 256): true,
	} {
		if err := CheckPattern(s); (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestPatternsMatch(t *testing.T) {
	ps := Patterns{"gpt-5", "o*", "claude-*"}
	for model, want := range map[string]bool{
		"gpt-5": true, "gpt-5.1": false, "o": true, "o3-mini": true, "claude-": true, "claude": false, "": false,
	} {
		if ps.Match(model) != want {
			t.Errorf("%q: %v", model, !want)
		}
	}
	if (Patterns{}).Match("x") || !(Patterns{"*"}).Match("") {
		t.Error("none must fit nothing, * everything")
	}
}

func TestServes(t *testing.T) {
	tests := []struct {
		provider string
		allowed  Patterns
		model    string
		id       string // empty: does not serve it
		fit      Fit
	}{
		{"openai", nil, "gpt-5", "gpt-5", Sure},
		{"openai", nil, "openai/gpt-5", "gpt-5", Sure},
		{"openai", nil, "gpt-5-2031-01-01", "gpt-5-2031-01-01", Sure},
		{"openai", nil, "claude-opus-5", "", NoFit},
		{"openai", nil, "gpt-oss-120b", "", NoFit},
		{"openai", nil, "openai/gpt-oss-120b", "", NoFit},
		{"openrouter", nil, "openai/gpt-5", "openai/gpt-5", Sure},
		{"openrouter", nil, "openrouter/openai/gpt-5", "openai/gpt-5", Sure},
		{"openrouter", nil, "openrouter/auto", "openrouter/auto", Sure},
		{"openrouter", nil, "newlab/new-model", "newlab/new-model", Sure},
		{"openrouter", nil, "gpt-5", "", NoFit},
		{"groq", nil, "openai/gpt-oss-120b", "openai/gpt-oss-120b", Sure},
		{"groq", nil, "groq/openai/gpt-oss-120b", "openai/gpt-oss-120b", Sure},
		{"groq", nil, "newlab/new-model", "", NoFit},
		{"together", nil, "NewLab/New-Model", "NewLab/New-Model", Sure},
		{"fireworks", nil, "accounts/me/deployedModels/x", "accounts/me/deployedModels/x", Sure},
		{"gemini", nil, "models/gemini-2.5-pro", "gemini-2.5-pro", Sure},
		{"deepseek", nil, "deepseek-v9-pro", "deepseek-v9-pro", Sure},

		{"openai", Patterns{"gpt-5*"}, "gpt-5.4", "gpt-5.4", Sure},
		{"openai", Patterns{"gpt-5*"}, "openai/gpt-5.4", "gpt-5.4", Sure},
		{"openai", Patterns{"openai/gpt-5*"}, "openai/gpt-5.4", "gpt-5.4", Sure},
		{"openai", Patterns{"gpt-4*"}, "gpt-5.4", "", NoFit},
		{"openai", Patterns{"*"}, "gpt-5.1-2025-11-13", "gpt-5.1-2025-11-13", Sure},
		{"openai", Patterns{"*"}, "my-finetune", "my-finetune", Guess},
		{"openai", Patterns{"my-finetune"}, "my-finetune", "my-finetune", Sure},
		{"openai", Patterns{"my-*", "*"}, "my-finetune", "my-finetune", Sure},
		{"openai", Patterns{"*"}, "groq/llama-3.1-8b-instant", "", NoFit},
		{"openai", Patterns{"groq/x"}, "groq/x", "groq/x", Sure},
		{"anthropic", Patterns{"*"}, "gpt-5.1-2025-11-13", "gpt-5.1-2025-11-13", Guess},
		{"openrouter", Patterns{"*"}, "gemini-2.5-flash", "gemini-2.5-flash", Guess},
		{"openrouter", Patterns{"*"}, "openai/gpt-5", "openai/gpt-5", Sure},
		{"openrouter", Patterns{"anthropic/*"}, "openai/gpt-5", "", NoFit},

		// The prefix is OpenRouter's own, and also the name of another provider.
		{"openrouter", nil, "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", Guess},
		{"openrouter", Patterns{"*"}, "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", Guess},
		{"openrouter", Patterns{"anthropic/*"}, "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", Sure},
		{"openrouter", Patterns{"openai/*"}, "anthropic/claude-sonnet-4-5", "", NoFit},
		{"openrouter", Patterns{"*"}, "deepseek/deepseek-v9-pro", "deepseek/deepseek-v9-pro", Guess},
		{"openrouter", Patterns{"*"}, "groq/unheard-of", "", NoFit},
	}
	tab := table(t, nil)
	for _, tt := range tests {
		id, fit := tab.ByID(tt.provider).Serves(tt.allowed, tt.model)
		if id != tt.id || fit != tt.fit {
			t.Errorf("%s %v %q: %q, %v; want %q, %v", tt.provider, tt.allowed, tt.model, id, fit, tt.id, tt.fit)
		}
	}
}

func TestHas(t *testing.T) {
	tab := table(t, nil)
	for model, want := range map[string]string{
		"gpt-5.1-2025-11-13": "openai", "gpt-9": "openai", "claude-9": "anthropic", "gemini-2.5-flash": "gemini", "models/gemini-2.5-flash": "gemini",
		"openai/gpt-5": "openai openrouter", "anthropic/claude-sonnet-4-5": "anthropic", "groq/unheard-of": "groq",
		"no-such-model": "", "foo/bar": "", "Foo/Bar": "", "": "",
	} {
		var owners []string
		for _, p := range tab.All() {
			if p.Has(model) {
				owners = append(owners, p.ID)
			}
		}
		if got := strings.Join(owners, " "); got != want {
			t.Errorf("%q: %q have it, want %q", model, got, want)
		}
	}
}
