package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
)

func TestClaudeVersion(t *testing.T) {
	for model, want := range map[string]string{
		"claude-opus-4-5-20251101": "opus 405", "claude-opus-4-1": "opus 401", "claude-opus-4-20250514": "opus 400", "claude-4-opus-20250514": "opus 400",
		"claude-3-7-sonnet-latest": "sonnet 307", "claude-3-haiku": "haiku 300", "claude-fable-5-1": "fable 501", "claude-opus-5": "opus 500",
		"claude-opus-5-20260724": "opus 500", "claude-haiku-10-2": "haiku 1002", "claude-2.1": " 201", "claude-v1": " 100", "claude-mythos-preview": "mythos 0",
		"claude-instant-1.2": "instant 102", "claude-": "none", "gpt-5": "none",
	} {
		family, version, ok := claudeVersion(model)
		if got := fmt.Sprintf("%s %d", family, version); ok != (want != "none") || ok && got != want {
			t.Errorf("%s: %s %v, want %s", model, got, ok, want)
		}
	}
}

// The fields of the same request for each generation.
func TestClaudeGenerations(t *testing.T) {
	p := table(t, nil).ByID("anthropic")
	text := func(role chat.Role, s string) chat.Message {
		return chat.Message{Role: role, Parts: []chat.Part{{Kind: chat.Text, Text: s}}}
	}
	for _, tt := range []struct{ model, effort, thinking, none, forced, sampling, turns string }{
		{"claude-opus-5-5", "xhigh", "adaptive", "<nil>", "refused", "no", "kept"},
		{"claude-opus-6", "xhigh", "adaptive", "<nil>", "refused", "no", "kept"},
		{"claude-fable-5-1", "xhigh", "adaptive", "<nil>", "refused", "no", "kept"},
		{"claude-mythos-preview", "xhigh", "adaptive", "<nil>", "adaptive", "no", "kept"},
		{"claude-fable-5", "xhigh", "adaptive", "<nil>", "adaptive", "no", "kept"},
		{"claude-sonnet-5-5", "xhigh", "adaptive", "between_tools", "refused", "no", "kept"},
		{"claude-haiku-5-5", "xhigh", "adaptive", "disabled", "disabled", "no", "kept"},
		{"claude-opus-5", "xhigh", "adaptive", "disabled", "disabled", "no", "kept"},
		{"claude-sonnet-5", "xhigh", "adaptive", "disabled", "disabled", "no", "kept"},
		{"claude-opus-4-8", "xhigh", "adaptive", "<nil>", "<nil>", "no", "kept"},
		{"claude-opus-4-7-20260416", "xhigh", "adaptive", "<nil>", "<nil>", "no", "folded"},
		{"claude-sonnet-4-6", "high", "adaptive", "<nil>", "<nil>", "yes", "folded"},
		{"claude-haiku-4-5", "<nil>", "enabled", "<nil>", "<nil>", "yes", "folded"},
		{"claude-opus-4-20250514", "<nil>", "enabled", "<nil>", "<nil>", "yes", "folded"},
		{"claude-3-7-sonnet-20250219", "<nil>", "enabled", "<nil>", "<nil>", "yes", "folded"},
		{"claude-3-haiku-20240307", "<nil>", "<nil>", "<nil>", "<nil>", "yes", "folded"},
	} {
		req := func(effort string) *chat.Request {
			return &chat.Request{Model: tt.model, Reasoning: &chat.Reasoning{Effort: effort},
				Messages: []chat.Message{text(chat.User, "a"), text(chat.Assistant, "b"), text(chat.System, "c"), text(chat.User, "d")}}
		}
		member := func(out map[string]any, object, name string) string {
			o, _ := out[object].(map[string]any)
			return fmt.Sprint(o[name])
		}
		out := encode(t, p, req("xhigh"))
		if got := member(out, "thinking", "type"); got != tt.thinking {
			t.Errorf("%s thinks %s, want %s", tt.model, got, tt.thinking)
		}
		if got := member(out, "output_config", "effort"); got != tt.effort {
			t.Errorf("%s: effort %s, want %s", tt.model, got, tt.effort)
		}
		turns := "folded"
		if ms := out["messages"].([]any); ms[len(ms)-1].(map[string]any)["role"] == "system" {
			turns = "kept"
		}
		if turns != tt.turns {
			t.Errorf("%s: instructions are %s", tt.model, turns)
		}
		if got := member(encode(t, p, req("none")), "thinking", "type"); got != tt.none {
			t.Errorf("%s is told not to think by %s, want %s", tt.model, got, tt.none)
		}
		must := req("high")
		must.Tools, must.ToolChoice = []chat.Tool{{Name: "f"}}, &chat.ToolChoice{Mode: chat.ToolRequired}
		enc, err := p.Client.EncodeRequest(must)
		var failed *chat.Error
		switch {
		case errors.As(err, &failed):
			if tt.forced != "refused" || failed.Param != "tool_choice" {
				t.Errorf("%s: %v", tt.model, err)
			}
		case tt.forced == "<nil>":
			if strings.Contains(string(enc.Body), `"thinking"`) {
				t.Errorf("%s thinks and must call: %s", tt.model, enc.Body)
			}
		case !strings.Contains(string(enc.Body), `"thinking":{"type":"`+tt.forced+`"`):
			t.Errorf("%s that must call: %s", tt.model, enc.Body)
		}
		cool := req("")
		cool.Temperature = to(0.5)
		if _, ok := encode(t, p, cool)["temperature"]; ok != (tt.sampling == "yes") {
			t.Errorf("%s: temperature sent: %v", tt.model, ok)
		}
	}
}

// The hand-written generations must agree with the catalogue.
func TestClaudesAgreeWithTheCatalogue(t *testing.T) {
	models := claudeModels()
	checked := 0
	for m := range catalog.Of("anthropic") {
		r := models[slices.IndexFunc(models, func(r anthropic.ModelRules) bool { return r.Match(m.ID) })]
		if m.Caps.Has(catalog.NoSampling) && !slices.Contains(r.Drop, "temperature") {
			t.Errorf("%s takes no sampling fields, but gets them", m.ID)
		}
		if known := m.Efforts(); len(known) > 0 && len(r.Efforts) > 0 {
			checked++
			if !slices.Equal(r.Efforts, known) {
				t.Errorf("%s: efforts %v, catalogue %v", m.ID, r.Efforts, known)
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d models have efforts", checked)
	}
	if n := maxOutput("anthropic")("claude-opus-5-20260801"); n != 128000 {
		t.Errorf("the limit of a snapshot is %d", n)
	}
	if n := maxOutput("anthropic")("claude-unheard-of"); n != 0 {
		t.Errorf("the limit of nobody is %d", n)
	}
}

// Anthropic receives the fields that its document lists.
func TestAnthropicFields(t *testing.T) {
	req := everything("claude-sonnet-4-6")
	req.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: []byte(`{"type":"object","properties":{}}`)}
	var got []string
	for name := range encode(t, table(t, nil).ByID("anthropic"), req) {
		got = append(got, name)
	}
	slices.Sort(got)
	want := "max_tokens messages metadata model output_config service_tier stop_sequences stream system temperature tool_choice tools top_k"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("\n got %s\nwant %s", s, want)
	}
}
