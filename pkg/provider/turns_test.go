package provider

import (
	"encoding/json"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// A beginning of the answer goes to the models that continue it, and to no others, whatever they are called.
func TestPrefill(t *testing.T) {
	for _, c := range []struct {
		provider string
		models   []string
		last     string
	}{
		{"anthropic", []string{"claude-opus-4-6", "claude-opus-4-6-20260205", "claude-sonnet-4-6@20260101", "claude-sonnet-4-6[1m]", "claude-opus-4.6", "claude-opus-4-8", "claude-sonnet-5",
			"claude-opus-latest", "claude-haiku-latest", "claude-mythos-preview", "claude-fable-5-1", "claude-haiku-5-5", "claude-what-is-next"}, "user"},
		{"anthropic", []string{"claude-haiku-4-5", "claude-haiku-4-5-20251001", "claude-3-7-sonnet-latest", "claude-3-haiku-20240307", "claude-opus-4-1", "claude-sonnet-4-20250514", "claude-2.1", "claude-instant-1.2"}, "assistant"},
		{"openrouter", []string{"anthropic/claude-opus-4.6", "anthropic/claude-4.6-opus-20260205", "anthropic/claude-sonnet-4.6:thinking", "~anthropic/claude-opus-latest", "anthropic/claude-sonnet-5", "anthropic/claude-fable-5.1"}, "user"},
		{"openrouter", []string{"anthropic/claude-haiku-4.5", "anthropic/claude-4.5-haiku-20251001", "anthropic/claude-3.7-sonnet:thinking", "openai/gpt-4o", "moonshotai/kimi-k2.6"}, "assistant"},
		{"openrouter", []string{"mistralai/mistral-small-2603"}, "user"},
		{"mistral", []string{"mistral-small-latest", "codestral-2508", "anything"}, "user"},
		{"openai", []string{"gpt-4o"}, "assistant"},
	} {
		for _, model := range c.models {
			say := func(s string) []chat.Part { return []chat.Part{{Kind: chat.Text, Text: s}} }
			req := &chat.Request{Model: model, Messages: []chat.Message{{Role: chat.User, Parts: say("x")}, {Role: chat.Assistant, Parts: say("so far")}}}
			enc, err := table(t, nil).ByID(c.provider).Client.EncodeRequest(req)
			if err != nil {
				t.Fatal(err)
			}
			var sent struct{ Messages []struct{ Role string } }
			if err := json.Unmarshal(enc.Body, &sent); err != nil {
				t.Fatal(err)
			}
			if last := sent.Messages[len(sent.Messages)-1].Role; last != c.last || (len(enc.Warnings) > 0) != (c.last == "user") {
				t.Errorf("%s at %s: ends with %s, warns %q: %s", model, c.provider, last, enc.Warnings, enc.Body)
			}
		}
	}
}
