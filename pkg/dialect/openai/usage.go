package openai

import (
	"math"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// count is a number of something: never negative, 0 if it is none.
func count(v jsonx.Value) int64 {
	if n, ok := v.Int64(); ok {
		return max(n, 0)
	}
	if f, ok := v.Float64(); ok && f > 0 && f < 1<<53 {
		return int64(f)
	}
	return 0
}

// UsageOf reads usage in the spellings of all providers, and in that of Responses:
//
//	input_tokens, output_tokens          Responses, whose details are named after them
//	prompt_tokens_details.cached_tokens  OpenAI, OpenRouter, Mistral, Groq, Fireworks, DeepSeek
//	prompt_token_details.cached_tokens   Mistral, sometimes
//	num_cached_tokens                    Mistral, sometimes
//	cached_tokens                        Together
//	prompt_cache_hit_tokens              DeepSeek
//	cost                                 OpenRouter, in dollars: what the account pays
//	cost_in_usd_ticks                    xAI, in 10⁻¹⁰ dollars
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
		case "cost_in_usd_ticks":
			if ticks, ok := m.Int64(); ok && ticks >= 0 {
				u.CostNanos, u.HasCost = ticks/10+(ticks%10+5)/10, true
			}
		}
	}
	// Some servers, xAI's among them, count reasoning beside completion_tokens; the total tells.
	if u.Reasoning > 0 && total > u.Input && total-u.Input-u.Output == u.Reasoning {
		u.Output += u.Reasoning
	}
	u.Cached = min(u.Cached, u.Input)
	u.CacheWrite = min(u.CacheWrite, u.Input-u.Cached)
	u.InputAudio = min(u.InputAudio, u.Input)
	u.Reasoning = min(u.Reasoning, u.Output)
	u.OutputAudio = min(u.OutputAudio, u.Output-u.Reasoning)
	return u
}

// nanos reads dollars as nano-dollars from their decimal text, rounded half up. A
// float in between would lose some: 0.00004025 is no binary fraction.
func nanos(v jsonx.Value) (int64, bool) {
	text := v.Raw()
	if v.Kind() == jsonx.String {
		text = []byte(v.Str())
	} else if v.Kind() != jsonx.Number {
		return 0, false
	}
	digits, point, exponent, ok := decimal(text)
	if !ok {
		return 0, false
	}
	// The value is 0.digits * 10^(point+exponent) dollars.
	shift := point + exponent + 9
	var n int64
	for i := 0; i < shift; i++ {
		d := int64(0)
		if i < len(digits) {
			d = int64(digits[i] - '0')
		} else if n == 0 {
			break
		}
		if n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if shift >= 0 && shift < len(digits) && digits[shift] >= '5' {
		n++
	}
	return n, true
}

// decimal takes a number apart: its digits, how many of them stand before the point, and
// its exponent. Negative numbers are none.
func decimal(text []byte) (digits []byte, point, exponent int, ok bool) {
	point = -1
	i := 0
	for ; i < len(text) && text[i]|0x20 != 'e'; i++ {
		switch c := text[i]; {
		case c == '.' && point < 0:
			point = len(digits)
		case c >= '0' && c <= '9':
			digits = append(digits, c)
		default:
			return nil, 0, 0, false
		}
	}
	if point < 0 {
		point = len(digits)
	}
	if i < len(text) {
		sign := 1
		if i++; i < len(text) && (text[i] == '-' || text[i] == '+') {
			if text[i] == '-' {
				sign = -1
			}
			i++
		}
		for ; i < len(text); i++ {
			if text[i] < '0' || text[i] > '9' || exponent > 1000 {
				return nil, 0, 0, false
			}
			exponent = exponent*10 + int(text[i]-'0')
		}
		exponent *= sign
	}
	return digits, point, exponent, len(digits) > 0
}
