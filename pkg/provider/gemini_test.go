package provider

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
)

// The thinking and schema fields for each generation of Gemini.
func TestGeminiModels(t *testing.T) {
	p := table(t, nil).ByID("gemini")
	for _, tt := range []struct {
		model, effort string
		want          string // thinkingConfig
		schema        string // the member that has it
	}{
		{"gemini-2.5-pro", "none", `{"thinkingBudget":128}`, "responseJsonSchema"},
		{"gemini-2.5-pro", "max", `{"includeThoughts":true,"thinkingBudget":32768}`, "responseJsonSchema"},
		{"gemini-2.5-flash", "none", `{"thinkingBudget":0}`, "responseJsonSchema"},
		{"gemini-2.5-flash", "medium", `{"includeThoughts":true,"thinkingBudget":8192}`, "responseJsonSchema"},
		{"models/gemini-2.5-flash-lite", "xhigh", `{"includeThoughts":true,"thinkingBudget":24576}`, "responseJsonSchema"},
		{"gemini-2.5-flash-image", "high", `null`, "responseJsonSchema"},
		{"gemini-2.0-flash", "high", `null`, "responseSchema"},
		{"gemma-3-27b-it", "high", `null`, "responseSchema"},
		{"gemini-3-pro-preview", "none", `{"thinkingLevel":"LOW"}`, "responseJsonSchema"},
		{"gemini-3-pro-preview", "medium", `{"includeThoughts":true,"thinkingLevel":"LOW"}`, "responseJsonSchema"},
		{"gemini-3-flash-preview", "none", `{"thinkingLevel":"MINIMAL"}`, "responseJsonSchema"},
		{"gemini-3.1-pro-preview", "minimal", `{"includeThoughts":true,"thinkingLevel":"LOW"}`, "responseJsonSchema"},
		{"gemini-3.8-flash", "minimal", `{"includeThoughts":true,"thinkingLevel":"LOW"}`, "responseJsonSchema"},
		{"gemini-4-hydrogen", "max", `{"includeThoughts":true,"thinkingLevel":"XHIGH"}`, "responseJsonSchema"},
		{"gemini-4-argon", "max", `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, "responseJsonSchema"},
		{"gemini-flash-latest", "medium", `{"includeThoughts":true,"thinkingLevel":"MEDIUM"}`, "responseJsonSchema"},
	} {
		req := &chat.Request{Model: tt.model, Reasoning: &chat.Reasoning{Effort: tt.effort},
			Messages:       []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "hi"}}}},
			ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"}}}`)}}
		config, _ := encode(t, p, req)["generationConfig"].(map[string]any)
		got, _ := json.Marshal(config["thinkingConfig"])
		if string(got) != tt.want || config[tt.schema] == nil {
			t.Errorf("%s, effort %s: %v", tt.model, tt.effort, config)
		}
	}
}

// The hand-written generations must agree with the catalogue's levels.
func TestGeminiModelsAgreeWithTheCatalogue(t *testing.T) {
	checked := 0
	for m := range catalog.Of("gemini") {
		known := m.Efforts()
		if !m.ChatCompletions() || len(known) == 0 {
			continue
		}
		checked++
		for _, r := range geminiModels() {
			if r.Match(m.ID) {
				if !slices.Equal(r.Efforts, known) && !strings.Contains(m.ID, "-live") {
					t.Errorf("%s: efforts %v, catalogue %v", m.ID, r.Efforts, known)
				}
				break
			}
		}
	}
	if checked < 8 {
		t.Errorf("only %d models have efforts", checked)
	}
}
