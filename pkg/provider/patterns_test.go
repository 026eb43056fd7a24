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
	}{
		{"openai", nil, "gpt-5", "gpt-5"},
		{"openai", nil, "openai/gpt-5", "gpt-5"},
		{"openai", nil, "gpt-5-2031-01-01", "gpt-5-2031-01-01"},
		{"openai", nil, "claude-opus-5", ""},
		{"openai", nil, "gpt-oss-120b", ""},
		{"openai", nil, "openai/gpt-oss-120b", ""},
		{"openrouter", nil, "openai/gpt-5", "openai/gpt-5"},
		{"openrouter", nil, "openrouter/openai/gpt-5", "openai/gpt-5"},
		{"openrouter", nil, "openrouter/auto", "openrouter/auto"},
		{"openrouter", nil, "newlab/new-model", "newlab/new-model"},
		{"openrouter", nil, "gpt-5", ""},
		{"groq", nil, "openai/gpt-oss-120b", "openai/gpt-oss-120b"},
		{"groq", nil, "groq/openai/gpt-oss-120b", "openai/gpt-oss-120b"},
		{"groq", nil, "newlab/new-model", ""},
		{"together", nil, "NewLab/New-Model", "NewLab/New-Model"},
		{"fireworks", nil, "accounts/me/deployedModels/x", "accounts/me/deployedModels/x"},
		{"gemini", nil, "models/gemini-2.5-pro", "gemini-2.5-pro"},
		{"deepseek", nil, "deepseek-v9-pro", "deepseek-v9-pro"},

		{"openai", Patterns{"gpt-5*"}, "gpt-5.4", "gpt-5.4"},
		{"openai", Patterns{"gpt-5*"}, "openai/gpt-5.4", "gpt-5.4"},
		{"openai", Patterns{"openai/gpt-5*"}, "openai/gpt-5.4", "gpt-5.4"},
		{"openai", Patterns{"gpt-4*"}, "gpt-5.4", ""},
		{"openai", Patterns{"*"}, "my-finetune", "my-finetune"},
		{"openai", Patterns{"my-finetune"}, "my-finetune", "my-finetune"},
		{"openai", Patterns{"*"}, "groq/llama-3.1-8b-instant", ""},
		{"openai", Patterns{"groq/x"}, "groq/x", "groq/x"},
		{"openrouter", Patterns{"*"}, "openai/gpt-5", "openai/gpt-5"},
		{"openrouter", Patterns{"anthropic/*"}, "openai/gpt-5", ""},
	}
	tab := table(t, nil)
	for _, tt := range tests {
		id, ok := tab.ByID(tt.provider).Serves(tt.allowed, tt.model)
		if id != tt.id && ok || ok != (tt.id != "") {
			t.Errorf("%s %v %q: %q, %v; want %q", tt.provider, tt.allowed, tt.model, id, ok, tt.id)
		}
	}
}
