package openai

import (
	"math/big"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
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
//	cost                                 OpenRouter, in dollars: the price that the account pays
func UsageOf(v jsonx.Value) chat.Usage {
	var u chat.Usage
	var total int64
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "prompt_tokens", "input_tokens":
			u.Input = count(m)
		case "completion_tokens", "output_tokens":
			u.Output = count(m)
		case "total_tokens":
			total = count(m)
		case "prompt_tokens_details", "prompt_token_details", "input_tokens_details":
			u.Cached = max(u.Cached, count(m.Get("cached_tokens")))
			u.CacheWrite = max(u.CacheWrite, count(m.Get("cache_write_tokens")))
			u.InputAudio = max(u.InputAudio, count(m.Get("audio_tokens")))
		case "num_cached_tokens", "cached_tokens", "prompt_cache_hit_tokens":
			u.Cached = max(u.Cached, count(m))
		case "completion_tokens_details", "output_tokens_details":
			u.Reasoning = count(m.Get("reasoning_tokens"))
			u.OutputAudio = count(m.Get("audio_tokens"))
		case "cost":
			u.CostNanos, u.HasCost = nanos(m)
		}
	}
	// Some servers do not count reasoning in completion_tokens, as the total shows.
	if u.Reasoning > u.Output && total == u.Input+u.Output+u.Reasoning {
		u.Output += u.Reasoning
	}
	u.Cached = min(u.Cached, u.Input)
	u.CacheWrite = min(u.CacheWrite, u.Input-u.Cached)
	u.InputAudio = min(u.InputAudio, u.Input)
	u.Reasoning = min(u.Reasoning, u.Output)
	u.OutputAudio = min(u.OutputAudio, u.Output-u.Reasoning)
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
