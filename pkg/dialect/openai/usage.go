package openai

import (
	"math/big"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// count reads a number that is not negative; 0 if v is none.
func count(v jsonx.Value) int64 {
	if n, ok := v.Int64(); ok {
		return max(n, 0)
	}
	if f, ok := v.Float64(); ok && f > 0 && f < 1<<53 {
		return int64(f)
	}
	return 0
}

// UsageOf reads usage under the names of all providers, and of Responses:
//
//	input_tokens, output_tokens          Responses, whose details are named after them
//	prompt_tokens_details.cached_tokens  OpenAI, OpenRouter, Mistral, Groq, Fireworks, DeepSeek
//	prompt_token_details.cached_tokens   Mistral, sometimes
//	num_cached_tokens                    Mistral, sometimes
//	cached_tokens                        Together
//	prompt_cache_hit_tokens              DeepSeek
//	service_tier                         Mistral
//	cost, is_byok, cost_details          OpenRouter, in dollars: see [bill]
//	cost_in_usd_ticks                    xAI, in 10⁻¹⁰ dollars
//
// Members that may have a price of their own and that the gateway does not know mark the usage as estimated, unless the
// provider tells the cost.
func UsageOf(v jsonx.Value) chat.Usage {
	var u chat.Usage
	var total int64
	var b bill
	unknown := false
	for m := v.First(); m.Exists(); m = m.Next() {
		switch name := string(m.Key()); name {
		case "prompt_tokens", "input_tokens":
			u.Input = count(m)
		case "completion_tokens", "output_tokens":
			u.Output = count(m)
		case "total_tokens":
			total = count(m)
		case "prompt_tokens_details", "prompt_token_details", "input_tokens_details":
			unknown = inputDetails(&u, m) || unknown
		case "num_cached_tokens", "cached_tokens", "prompt_cache_hit_tokens":
			u.Cached = max(u.Cached, count(m))
		case "completion_tokens_details", "output_tokens_details":
			unknown = outputDetails(&u, m) || unknown
		case "cost":
			b.charged = m
		case "is_byok":
			b.ownKey, _ = m.Bool()
		case "cost_details":
			b.details = m
		case "cost_in_usd_ticks":
			if ticks, ok := m.Int64(); ok && ticks >= 0 {
				u.CostNanos, u.HasCost = ticks/10+(ticks%10+5)/10, true
			}
		case "service_tier", "speed":
			if tier := m.Str(); tier != "standard" && tier != "default" {
				u.Tier = tier
			}
		case "server_tool_use", "server_tool_use_details", "server_side_tool_usage_details":
			searches, other := toolCalls(m)
			u.WebSearches, unknown = max(u.WebSearches, searches), unknown || other
		default:
			unknown = unknown || !isNeutral(name) && body.Amounts(m)
		}
	}
	b.settle(&u)
	u.Estimated = !u.HasCost && (unknown || b.ownKey)
	// Some servers, xAI's among them, do not count reasoning in completion_tokens, as the total shows.
	if u.Reasoning > 0 && total > u.Input && total-u.Input-u.Output == u.Reasoning {
		u.Output += u.Reasoning
	}
	u.Cached = min(u.Cached, u.Input)
	u.CacheWrite = min(u.CacheWrite, u.Input-u.Cached)
	u.InputAudio = min(u.InputAudio, u.Input)
	u.Reasoning = min(u.Reasoning, u.Output)
	u.OutputAudio = min(u.OutputAudio, u.Output-u.Reasoning)
	u.OutputImage = min(u.OutputImage, u.Output-u.Reasoning-u.OutputAudio)
	return u
}

// nanos reads dollars as nano-dollars, rounded half up. It reads the decimal text: as a float, some
// amounts would change, as 0.00004025 is no binary fraction.
func nanos(v jsonx.Value) (int64, bool) {
	text := v.Str()
	if v.Kind() == jsonx.Number {
		text = string(v.Raw())
	}
	// The approximate value also keeps exponents small, whose exact fractions take much memory.
	about, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || about < 0 || about > 1e10:
		return 0, false
	case about < 1e-10:
		return 0, true
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	exact.Mul(exact, big.NewRat(1e9, 1))
	exact.Add(exact, big.NewRat(1, 2))
	n := new(big.Int).Quo(exact.Num(), exact.Denom())
	return n.Int64(), n.IsInt64()
}
