package catalog

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// What changes the price beside the tokens is in the cost, or marks it as an estimate.
func TestChargesBesideTokens(t *testing.T) {
	type u = chat.Usage
	december := at("2026-12-01T12:00:00Z")
	for _, tt := range []struct {
		name, provider, model, tier string
		usage                       chat.Usage
		at                          int64
		want                        Charge
	}{
		{"fast", "anthropic", "claude-opus-5-5", "standard", u{Input: 1000, Cached: 100, Output: 10, Tier: "fast"}, tuesday,
			Charge{900*8_000 + 100*400 + 10*40_000, true, false}},
		{"fast on a snapshot's base", "anthropic", "claude-opus-4-6", "", u{Input: 300_000, Tier: "fast"}, tuesday, Charge{300_000 * 30_000, true, false}},
		{"fast without a price", "anthropic", "claude-sonnet-5-5", "", u{Input: 1000, Tier: "fast"}, tuesday, Charge{1000 * 2_000, true, true}},
		{"in the US", "anthropic", "claude-opus-5-5", "", u{Input: 1001, Output: 1, Percent: 110}, tuesday, Charge{1001*4_400 + 22_000, true, false}},
		{"web searches", "anthropic", "claude-opus-5-5", "", u{Input: 1000, WebSearches: 3}, tuesday, Charge{1000*4_000 + 30_000_000, true, false}},
		{"searches cost the same in the US and when fast", "anthropic", "claude-opus-5-5", "", u{Input: 1000, WebSearches: 3, Percent: 110, Tier: "fast"}, tuesday,
			Charge{1000*8_800 + 30_000_000, true, false}},
		{"searches without a price", "openai", "gpt-5", "", u{Input: 1000, WebSearches: 1}, tuesday, Charge{1_250_000, true, true}},
		{"pictures", "gemini", "gemini-3.5-flash", "", u{Input: 1000, Output: 100, OutputImage: 50}, tuesday, Charge{1000*1_500 + 100*9_000, true, true}},
		{"cached audio", "gemini", "gemini-2.5-flash", "", u{Input: 1000, Cached: 100, InputAudio: 500}, tuesday, Charge{100*30 + 500*1_000 + 400*300, true, true}},
		{"a tier of a snapshot", "openai", "gpt-4o-mini-2024-07-18", "priority", u{Input: 1000}, tuesday, Charge{1000 * 250, true, false}},
		{"a tier without a price", "openai", "gpt-5", "scale", u{Input: 1000}, tuesday, Charge{1000 * 1_250, true, true}},
		{"a long prompt in a tier", "openai", "gpt-5.4", "priority", u{Input: 300_000}, tuesday, Charge{300_000 * 10_000, true, true}},
		{"a tier before the price changes", "gemini", "gemini-4-carbon", "flex", u{Input: 1000, Output: 10}, tuesday, Charge{1000*1_000 + 10*5_000, true, false}},
		{"a tier after it", "gemini", "gemini-4-carbon", "flex", u{Input: 1000, Output: 10}, december, Charge{1000*2_000 + 10*10_000, true, false}},
		{"the provider's word", "openrouter", "x/y", "", u{CostNanos: 7, HasCost: true, WebSearches: 9, Percent: 110}, tuesday, Charge{7, true, false}},
		{"no price", "openai", "nobody-knows", "", u{Input: 1, WebSearches: 1}, tuesday, Charge{}},
	} {
		if got := Cost(Request{Provider: tt.provider, Model: tt.model, ServiceTier: tt.tier, AtMs: tt.at}, &tt.usage); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
