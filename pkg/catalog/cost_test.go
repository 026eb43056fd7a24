package catalog

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func at(s string) int64 {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

// tuesday is outside peak hours.
var tuesday = at("2026-11-24T12:00:00Z")

// The main list prices, USD per million tokens, as the providers published them.
func TestListPrices(t *testing.T) {
	const none = -1
	for _, tt := range []struct {
		provider, model   string
		in, cached, out   float64
		longIn, longOut   float64 // above 272k or 200k tokens; 0: the same
		write, writeForAn float64 // 0: not looked at
	}{
		{"openai", "gpt-6.2-astra", 8, 0.40, 40, 16, 60, 10, 0},
		{"openai", "gpt-6.2-sol", 2, 0.10, 10, 4, 15, 2.5, 0},
		{"openai", "gpt-6.1-sol", 2, 0.10, 10, 4, 15, 2.5, 0},
		{"openai", "gpt-6.1-terra", 1, 0.05, 5, 2, 7.5, 1.25, 0},
		{"openai", "gpt-6-astra", 10, 1, 50, 20, 75, 12.5, 0},
		{"openai", "gpt-6-sol", 2, 0.2, 10, 4, 15, 2.5, 0},
		{"openai", "gpt-6-luna", 0.10, 0.01, 0.50, 0.2, 0.75, 0.125, 0},
		{"openai", "gpt-5.6-sol", 4, 0.4, 20, 8, 30, 5, 0},
		{"openai", "gpt-5.6-terra", 2, 0.2, 12, 4, 18, 2.5, 0},
		{"openai", "gpt-5.6-luna", 0.20, 0.02, 1.20, 0.4, 1.8, 0.25, 0},
		{"openai", "gpt-5.5", 5, 0.5, 30, 10, 45, 0, 0},
		{"openai", "gpt-5.4", 2.5, 0.25, 15, 5, 22.5, 0, 0},
		{"openai", "gpt-5.4-mini", 0.75, 0.075, 4.5, 0, 0, 0, 0},
		{"openai", "gpt-5.4-nano", 0.20, 0.02, 1.25, 0, 0, 0, 0},
		{"openai", "gpt-5", 1.25, 0.125, 10, 0, 0, 0, 0},
		{"openai", "gpt-4.1", 2, 0.5, 8, 0, 0, 0, 0},
		{"openai", "gpt-4o-mini", 0.15, 0.075, 0.60, 0, 0, 0, 0},
		{"openai", "text-embedding-3-small", 0.02, none, none, 0, 0, 0, 0},
		{"openai", "text-embedding-3-large", 0.13, none, none, 0, 0, 0, 0},
		{"anthropic", "claude-fable-5-1", 10, 0.25, 50, 0, 0, 12.5, 20},
		{"anthropic", "claude-fable-5-2", 8, 0.20, 40, 0, 0, 10, 16},
		{"anthropic", "claude-mythos-5-1", 10, 0.25, 50, 0, 0, 12.5, 20},
		{"anthropic", "claude-opus-5-5", 4, 0.20, 20, 0, 0, 5, 8},
		{"anthropic", "claude-opus-5", 5, 0.50, 25, 0, 0, 6.25, 10},
		{"anthropic", "claude-sonnet-5-5", 2, 0.10, 10, 0, 0, 2.5, 4},
		{"anthropic", "claude-sonnet-5", 2, 0.20, 10, 0, 0, 2.5, 4},
		{"anthropic", "claude-sonnet-4-6", 3, 0.30, 15, 0, 0, 3.75, 6},
		{"anthropic", "claude-haiku-5-5", 0.10, 0.01, 0.50, 0.5, 2.5, 0.125, 0.2},
		{"anthropic", "claude-haiku-4-5", 1, 0.10, 5, 0, 0, 1.25, 2},
		{"gemini", "gemini-4-argon", 2, 0.10, 10, 0, 0, 0, 0},
		{"gemini", "gemini-4-carbon", 2, 0.10, 10, 0, 0, 0, 0},
		{"gemini", "gemini-4-hydrogen", 1.5, 0.075, 7.5, 0, 0, 0, 0},
		{"gemini", "gemini-3.8-flash", 0.75, 0.075, 3.75, 0, 0, 0, 0},
		{"gemini", "gemini-3.6-flash", 0.75, 0.075, 3.75, 0, 0, 0, 0},
		{"gemini", "gemini-3.5-flash", 1.5, 0.15, 9, 0, 0, 0, 0},
		{"gemini", "gemini-3.5-flash-lite", 0.3, 0.03, 2.5, 0, 0, 0, 0},
		{"gemini", "gemini-3.1-flash-lite", 0.25, 0.025, 1.5, 0, 0, 0, 0},
		{"gemini", "gemini-3.1-pro-preview", 2, 0.2, 12, 4, 18, 0, 0},
		{"gemini", "gemini-2.5-pro", 1.25, 0.125, 10, 2.5, 15, 0, 0},
		{"gemini", "gemini-2.5-flash", 0.3, 0.03, 2.5, 0, 0, 0, 0},
		{"gemini", "gemini-embedding-001", 0.15, none, none, 0, 0, 0, 0},
		{"mistral", "mistral-medium-3-5", 1.5, 0.15, 7.5, 0, 0, 0, 0},
		{"mistral", "mistral-large-2512", 0.5, 0.05, 1.5, 0, 0, 0, 0},
		{"mistral", "mistral-small-2603", 0.15, 0.015, 0.6, 0, 0, 0, 0},
		{"mistral", "ministral-8b-2512", 0.15, 0.015, 0.15, 0, 0, 0, 0},
		{"mistral", "codestral-2508", 0.3, 0.03, 0.9, 0, 0, 0, 0},
		{"mistral", "mistral-embed", 0.1, none, none, 0, 0, 0, 0},
		{"groq", "openai/gpt-oss-120b", 0.15, 0.075, 0.6, 0, 0, 0, 0},
		{"groq", "openai/gpt-oss-20b", 0.075, 0.0375, 0.3, 0, 0, 0, 0},
		{"groq", "llama-3.3-70b-versatile", 0.59, none, 0.79, 0, 0, 0, 0},
		{"groq", "llama-3.1-8b-instant", 0.05, none, 0.08, 0, 0, 0, 0},
		{"groq", "qwen/qwen3-32b", 0.29, none, 0.59, 0, 0, 0, 0},
		{"together", "deepseek-ai/DeepSeek-V4-Pro", 1.74, 0.2, 3.48, 0, 0, 0, 0},
		{"together", "moonshotai/Kimi-K2.6", 1.2, 0.2, 4.5, 0, 0, 0, 0},
		{"together", "zai-org/GLM-5.2", 1.4, 0.26, 4.4, 0, 0, 0, 0},
		{"together", "openai/gpt-oss-120b", 0.15, none, 0.6, 0, 0, 0, 0},
		{"together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", 0.88, none, 0.88, 0, 0, 0, 0},
		{"fireworks", "accounts/fireworks/models/glm-5p3", 1.4, 0.26, 4.4, 0, 0, 0, 0},
		{"fireworks", "accounts/fireworks/models/kimi-k3", 3, 0.3, 15, 0, 0, 0, 0},
		{"fireworks", "accounts/fireworks/models/deepseek-v4p1-flash", 0.3, 0.006, 1.2, 0, 0, 0, 0},
		{"fireworks", "accounts/fireworks/models/gpt-oss-120b", 0.15, 0.014, 0.6, 0, 0, 0, 0},
		{"deepseek", "deepseek-flash", 0.15, 0.003, 0.60, 0, 0, 0, 0},
		{"deepseek", "deepseek-v4-pro", 0.66, 0.022, 1.98, 0, 0, 0, 0},
	} {
		m, ok := Lookup(tt.provider, tt.model)
		if !ok {
			t.Errorf("%s %s is not in the catalogue", tt.provider, tt.model)
			continue
		}
		p, ok := m.PricesAt("", 1000, tuesday)
		long, _ := m.PricesAt("", 300_000, tuesday)
		if tt.longIn == 0 {
			tt.longIn, tt.longOut = tt.in, tt.out
		}
		for name, pair := range map[string][2]float64{
			"input": {dollars(p.Input), tt.in}, "cache read": {dollars(p.CacheRead), tt.cached}, "output": {dollars(p.Output), tt.out},
			"long input": {dollars(long.Input), tt.longIn}, "long output": {dollars(long.Output), tt.longOut},
		} {
			if !ok || pair[0] != pair[1] {
				t.Errorf("%s %s: %s is %v, want %v", tt.provider, tt.model, name, pair[0], pair[1])
			}
		}
		if tt.write != 0 && dollars(p.CacheWrite) != tt.write || tt.writeForAn != 0 && dollars(p.CacheWrite1h) != tt.writeForAn {
			t.Errorf("%s %s: cache writes %v and %v", tt.provider, tt.model, dollars(p.CacheWrite), dollars(p.CacheWrite1h))
		}
	}
}

func dollars(p Pico) float64 {
	if p == Unknown {
		return -1
	}
	return float64(p) / 1e6
}

func TestCost(t *testing.T) {
	type u = chat.Usage
	for _, tt := range []struct {
		name, provider, model, tier string
		usage                       chat.Usage
		at                          int64
		nanos                       int64 // -1: unpriced
	}{
		{"plain", "openai", "gpt-5", "", u{Input: 1000, Output: 500}, tuesday, 1_250_000 + 5_000_000},
		{"cached", "openai", "gpt-5", "", u{Input: 1000, Cached: 400, Output: 500}, tuesday, 750_000 + 50_000 + 5_000_000},
		{"usual tier by name", "openai", "gpt-5", "default", u{Input: 1000}, tuesday, 1_250_000},
		{"flex", "openai", "gpt-5", "flex", u{Input: 1000, Output: 500}, tuesday, 625_000 + 2_500_000},
		{"priority", "openai", "gpt-5", "priority", u{Input: 1000, Cached: 1000, Output: 0}, tuesday, 250_000},
		{"at the threshold", "openai", "gpt-5.4", "", u{Input: 272_000}, tuesday, 272_000 * 2_500},
		{"above the threshold", "openai", "gpt-5.4", "", u{Input: 272_001, Output: 10}, tuesday, 272_001*5_000 + 10*22_500},
		{"cached input counts for the threshold", "openai", "gpt-5.4", "", u{Input: 300_000, Cached: 300_000}, tuesday, 300_000 * 500},
		{"cache writes", "anthropic", "claude-opus-5", "standard", u{Input: 1000, Cached: 100, CacheWrite: 200, CacheWrite1h: 300, Output: 10}, tuesday, 400*5_000 + 100*500 + 200*6_250 + 300*10_000 + 10*25_000},
		{"audio", "gemini", "gemini-2.5-flash", "", u{Input: 1000, InputAudio: 600, Output: 10}, tuesday, 400*300 + 600*1_000 + 10*2_500},
		{"before the change", "gemini", "gemini-3.6-flash", "", u{Input: 1000}, at("2026-12-31T23:59:59Z"), 750_000},
		{"after the change", "gemini", "gemini-3.6-flash", "", u{Input: 1000, Cached: 500, Output: 10}, at("2027-01-01T00:00:00Z"), 500*1_500 + 500*150 + 10*7_500},
		{"off-peak", "deepseek", "deepseek-v4-pro", "", u{Input: 1000, Output: 10}, at("2026-11-24T00:59:59Z"), 1000*660 + 10*1_980},
		{"peak", "deepseek", "deepseek-v4-pro", "", u{Input: 1000, Output: 10}, at("2026-11-24T01:00:00Z"), 1000*1_320 + 10*3_960},
		{"peak's end", "deepseek", "deepseek-v4-pro", "", u{Input: 1000}, at("2026-11-24T04:00:00Z"), 1000 * 660},
		{"second peak", "deepseek", "deepseek-v4-pro", "", u{Input: 1000}, at("2026-11-24T09:59:59Z"), 1000 * 1_320},
		{"Saturday", "deepseek", "deepseek-v4-pro", "", u{Input: 1000}, at("2026-11-28T02:00:00Z"), 1000 * 660},
		{"rounded half up", "deepseek", "deepseek-flash", "", u{Input: 1, Cached: 1}, tuesday, 3},
		{"no cache price: input's", "groq", "llama-3.1-8b-instant", "on_demand", u{Input: 1000, Cached: 500}, tuesday, 50_000},
		{"embedding", "openai", "text-embedding-3-small", "", u{Input: 1000}, tuesday, 20_000},
		{"output of an embedding", "openai", "text-embedding-3-small", "", u{Input: 1000, Output: 1}, tuesday, -1},
		{"free", "openrouter", "openai/gpt-oss-20b:free", "", u{Input: 1000, Output: 1000}, tuesday, 0},
		{"not known to be free", "openrouter", "openrouter/auto", "", u{Input: 1000, Output: 1000}, tuesday, -1},
		{"the provider's word", "openrouter", "openrouter/auto", "", u{Input: 1000, CostNanos: 42, HasCost: true}, tuesday, 42},
		{"the provider's word wins", "openai", "gpt-5", "scale", u{Input: 1000, CostNanos: 42, HasCost: true}, tuesday, 42},
		{"a negative cost", "openai", "gpt-5", "", u{CostNanos: -42, HasCost: true}, tuesday, 0},
		{"unknown model", "openai", "gpt-5-2031-01-01", "", u{Input: 1000}, tuesday, -1},
		{"another provider's model", "groq", "gpt-5", "", u{Input: 1000}, tuesday, -1},
		{"nothing used", "openai", "gpt-5", "", u{}, tuesday, 0},
		{"negative counts", "openai", "gpt-5", "", u{Input: -5, Cached: -5, Output: -5, OutputAudio: -5}, tuesday, 0},
		{"more cached than there was", "openai", "gpt-5", "", u{Input: 10, Cached: 1000}, tuesday, 1_250},
		{"absurd counts", "openai", "gpt-5", "", u{Input: math.MaxInt64, Output: math.MaxInt64}, tuesday, math.MaxInt64},
	} {
		nanos, priced := paid(Cost(Request{Provider: tt.provider, Model: tt.model, ServiceTier: tt.tier, AtMs: tt.at}, &tt.usage))
		if want := tt.nanos; want < 0 && (priced || nanos != 0) || want >= 0 && (!priced || nanos != want) {
			t.Errorf("%s: %d, %v; want %d", tt.name, nanos, priced, want)
		}
	}
	if _, priced := paid(Cost(Request{Provider: "openai", Model: "gpt-5", AtMs: tuesday}, nil)); priced {
		t.Error("a request without usage has a cost")
	}
}

// Announced prices apply from their day on. A request is priced at the time at which it began.
func TestCostByDate(t *testing.T) {
	const (
		before  = "2026-11-30T23:59:59.999Z"
		after   = "2026-12-01T00:00:00Z"
		newYear = "2027-01-01T00:00:00Z"
	)
	u := chat.Usage{Input: 1000, Cached: 500, Output: 10}
	for _, tt := range []struct {
		provider, model, at string
		nanos               int64
	}{
		{"gemini", "gemini-4-argon", before, 500*2_000 + 500*100 + 10*10_000},
		{"gemini", "gemini-4-argon", after, 500*4_000 + 500*200 + 10*20_000},
		{"gemini", "gemini-4-carbon", before, 500*2_000 + 500*100 + 10*10_000},
		{"gemini", "gemini-4-carbon", after, 500*4_000 + 500*200 + 10*20_000},
		{"gemini", "gemini-4-hydrogen", after, 500*1_500 + 500*75 + 10*7_500},
		{"gemini", "gemini-3.7-flash", after, 500*750 + 500*75 + 10*3_750},
		{"gemini", "gemini-3.7-flash", newYear, 500*1_500 + 500*150 + 10*7_500},
		// Served and billed as gemini-3.8-flash and gemini-3.5-flash-lite from 2026-12-01 on.
		{"gemini", "gemini-2.5-pro", before, 500*1_250 + 500*125 + 10*10_000},
		{"gemini", "gemini-2.5-pro", after, 500*750 + 500*75 + 10*3_750},
		{"gemini", "gemini-2.5-pro", newYear, 500*1_500 + 500*150 + 10*7_500},
		{"gemini", "gemini-2.5-flash", before, 500*300 + 500*30 + 10*2_500},
		{"gemini", "gemini-2.5-flash", after, 500*300 + 500*30 + 10*2_500},
	} {
		nanos, priced := paid(Cost(Request{Provider: tt.provider, Model: tt.model, AtMs: at(tt.at)}, &u))
		if !priced || nanos != tt.nanos {
			t.Errorf("%s at %s: %d, %v, want %d", tt.model, tt.at, nanos, priced, tt.nanos)
		}
	}
	// The route counts for audio, and long prompts have the new model's price.
	audio := chat.Usage{Input: 300_000, InputAudio: 300_000}
	was, _ := paid(Cost(Request{Provider: "gemini", Model: "gemini-2.5-pro", AtMs: at(before)}, &audio))
	is, _ := paid(Cost(Request{Provider: "gemini", Model: "gemini-2.5-pro", AtMs: at(after)}, &audio))
	if was != 300_000*2_500 || is != 300_000*750 {
		t.Errorf("a long prompt of audio cost %d, then %d", was, is)
	}
}

func TestCostByTheModelThatAnswered(t *testing.T) {
	december := at("2026-12-01T00:00:00Z")
	for _, tt := range []struct {
		name, provider, asked, answered, tier string
		at                                    int64
		dollars                               float64 // of a million tokens of input; -1: unpriced
	}{
		{"the same", "openai", "gpt-5", "gpt-5", "", tuesday, 1.25},
		{"no name", "openai", "gpt-5", "", "", tuesday, 1.25},
		{"another model", "openai", "gpt-5", "gpt-6-luna", "", tuesday, 0.10},
		{"another model's snapshot", "openai", "gpt-4.1", "gpt-5.5-2026-04-23", "", tuesday, 5},
		{"another model's unlisted snapshot", "openai", "gpt-5", "gpt-6-luna-2031-01-01", "", tuesday, 0.10},
		{"a listed snapshot with a price of its own", "openai", "gpt-4o", "gpt-4o-2024-05-13", "", tuesday, 5},
		{"an unlisted snapshot", "openai", "gpt-5", "gpt-5-2031-01-01", "", tuesday, 1.25},
		{"the model of the snapshot asked for", "openai", "gpt-4o-2024-05-13", "gpt-4o", "", tuesday, 5},
		{"a service tier that only the model asked for lists", "openai", "gpt-4.1", "gpt-4.1-2025-04-14", "priority", tuesday, 3.5},
		{"an unlisted snapshot alone", "openai", "gpt-5-2031-01-01", "gpt-5-2031-01-01", "", tuesday, -1},
		{"an unknown name", "openai", "gpt-5", "secret-experiment", "", tuesday, 1.25},
		{"a model without a price", "openai", "gpt-5", "gpt-6-cyber", "", tuesday, 1.25},
		{"another provider's model", "groq", "llama-3.3-70b-versatile", "gpt-5", "", tuesday, 0.59},
		{"an unknown model asked for", "openrouter", "openrouter/auto", "openai/gpt-5", "", tuesday, 1.25},
		{"an alias", "deepseek", "deepseek-v4-flash", "deepseek-flash", "", tuesday, 0.15},
		{"a doubtful route: asked", "deepseek", "deepseek-v4-pro", "deepseek-v4-pro", "", tuesday, 0.66},
		{"a doubtful route: answered", "deepseek", "deepseek-v4-pro", "deepseek-flash", "", tuesday, 0.15},
		{"a variant and its model", "openrouter", "openai/gpt-oss-20b:free", "openai/gpt-oss-20b", "", tuesday, 0},
		{"an unpriced variant", "openrouter", "openai/gpt-5:nitro", "openai/gpt-5", "", tuesday, -1},
		{"a dedicated deployment", "fireworks", "accounts/fireworks/models/glm-5p3#accounts/me/deployments/x", "accounts/fireworks/models/glm-5p3", "", tuesday, -1},
		{"a fine-tuned model", "openai", "ft:gpt-4o-mini:acme::x", "ft:gpt-4o-mini-2024-07-18:acme::x", "", tuesday, -1},
		{"before a route", "gemini", "gemini-2.5-pro", "gemini-2.5-pro", "", december - 1, 1.25},
		{"a route that the answer hides", "gemini", "gemini-2.5-pro", "gemini-2.5-pro", "", december, 0.75},
		{"a route that the answer names", "gemini", "gemini-2.5-pro", "gemini-3.8-flash", "", december, 0.75},
		{"a route ahead of its time", "gemini", "gemini-2.5-pro", "models/gemini-3.8-flash", "", tuesday, 0.75},
		{"an unlisted name on a route", "gemini", "gemini-2.5-pro", "gemini-2.5-pro-001", "", december, 0.75},
		{"a price of another provider's route", "openrouter", "google/gemini-2.5-pro", "google/gemini-2.5-pro", "", december, 1.25},
		{"another route than announced", "gemini", "gemini-2.5-flash", "gemini-3.5-flash", "", december, 1.5},
		{"a routed model that answers for another", "gemini", "gemini-3.1-pro-preview", "gemini-2.5-pro", "", december, 0.75},
	} {
		u := chat.Usage{Input: 100_000}
		nanos, priced := paid(Cost(Request{tt.provider, tt.asked, tt.answered, tt.tier, tt.at}, &u))
		if want := int64(math.Round(tt.dollars * 1e8)); tt.dollars < 0 && priced || tt.dollars >= 0 && (!priced || nanos != want) {
			t.Errorf("%s: %d, %v, want %d", tt.name, nanos, priced, want)
		}
	}
	reported := chat.Usage{Input: 1000, HasCost: true, CostNanos: 42}
	if nanos, _ := paid(Cost(Request{Provider: "openai", Model: "gpt-5", Answered: "gpt-6-luna"}, &reported)); nanos != 42 {
		t.Errorf("the provider's own cost lost: %d", nanos)
	}
}

// exact computes the cost with big numbers.
func exact(p *Prices, u *chat.Usage) *big.Int {
	price := func(ps ...Pico) int64 {
		for _, v := range ps {
			if v != Unknown {
				return int64(v)
			}
		}
		return 0
	}
	sum := new(big.Int)
	add := func(n, price int64) { sum.Add(sum, new(big.Int).Mul(big.NewInt(n), big.NewInt(price))) }
	add(u.Input-u.Cached-u.CacheWrite-u.CacheWrite1h-u.InputAudio, price(p.Input))
	add(u.Cached, price(p.CacheRead, p.Input))
	add(u.CacheWrite, price(p.CacheWrite, p.Input))
	add(u.CacheWrite1h, price(p.CacheWrite1h, p.CacheWrite, p.Input))
	add(u.InputAudio, price(p.AudioInput, p.Input))
	add(u.Output-u.OutputAudio, price(p.Output))
	add(u.OutputAudio, price(p.AudioOutput, p.Output))
	sum.Add(sum, big.NewInt(500)).Div(sum, big.NewInt(1000))
	return sum
}

func TestCostIsExactForEveryModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	priced := 0
	for m := range All() {
		for range 20 {
			limit := int64(1) << rnd.IntN(50)
			parts := [7]int64{}
			for i := range parts {
				parts[i] = rnd.Int64N(limit)
			}
			u := chat.Usage{
				Cached: parts[0], CacheWrite: parts[1], CacheWrite1h: parts[2], InputAudio: parts[3], Input: parts[0] + parts[1] + parts[2] + parts[3] + parts[4],
				OutputAudio: parts[5], Output: parts[5] + parts[6],
			}
			p, ok := m.PricesAt("", u.Input, tuesday)
			nanos, costed := paid(Cost(Request{Provider: m.Provider, Model: m.ID, AtMs: tuesday}, &u))
			if !ok || p.Output == Unknown && u.Output > 0 {
				if costed || nanos != 0 {
					t.Fatalf("%s %s has a cost without a price", m.Provider, m.ID)
				}
				continue
			}
			priced++
			want := exact(&p, &u)
			if !want.IsInt64() {
				want.SetInt64(math.MaxInt64)
			}
			if !costed || big.NewInt(nanos).Cmp(want) != 0 {
				t.Fatalf("%s %s, %+v: %d, want %s", m.Provider, m.ID, u, nanos, want)
			}
		}
	}
	if priced < 15_000 {
		t.Errorf("only %d costs were compared", priced)
	}
}

// More tokens never cost less, and the sum never wraps.
func FuzzCost(f *testing.F) {
	f.Add(int64(1000), int64(10), int64(5), int64(5), int64(100), int64(1), int64(7))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(-1), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64))
	f.Add(int64(math.MinInt64), int64(math.MinInt64), int64(0), int64(0), int64(math.MinInt64), int64(0), int64(1))
	f.Fuzz(func(t *testing.T, in, cached, write, hour, out, audio, more int64) {
		for _, k := range [][2]string{{"openai", "gpt-5.4"}, {"anthropic", "claude-opus-5"}, {"gemini", "gemini-2.5-flash"}, {"groq", "llama-3.1-8b-instant"}} {
			u := chat.Usage{Input: in, Cached: cached, CacheWrite: write, CacheWrite1h: hour, Output: out, OutputAudio: audio}
			nanos, priced := paid(Cost(Request{Provider: k[0], Model: k[1], AtMs: tuesday}, &u))
			if !priced || nanos < 0 {
				t.Fatalf("%v %+v: %d, %v", k, u, nanos, priced)
			}
			for _, grow := range []*int64{&u.Input, &u.Output} {
				if more > 0 && *grow < math.MaxInt64-more {
					*grow += more
					// Growing input turns clamped cache classes into counted ones; each costs something.
					grown, _ := paid(Cost(Request{Provider: k[0], Model: k[1], AtMs: tuesday}, &u))
					if grown < nanos {
						t.Fatalf("%v %+v: %d more cost %d instead of %d", k, u, more, grown, nanos)
					}
					*grow -= more
				}
			}
		}
	})
}

func BenchmarkCost(b *testing.B) {
	u := chat.Usage{Input: 1000, Cached: 300, Output: 200}
	b.ReportAllocs()
	for b.Loop() {
		Cost(Request{Provider: "openai", Model: "gpt-5.4", AtMs: tuesday}, &u)
	}
}

func paid(c Charge) (nanos int64, priced bool) { return c.Nanos, c.Priced }
