package openai

import (
	"math"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// inputDetails reads the classes of the input. It reports whether one of them may have a price that is not known.
// Text, images, videos and files cost what other input costs.
func inputDetails(u *chat.Usage, v jsonx.Value) (unknown bool) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "cached_tokens":
			u.Cached = max(u.Cached, count(m))
		case "cache_write_tokens":
			u.CacheWrite = max(u.CacheWrite, count(m))
		case "cache_write_tokens_details":
			// The catalogue has the price of writes for the default 30 minutes only.
			for ttl := m.First(); ttl.Exists(); ttl = ttl.Next() {
				unknown = unknown || string(ttl.Key()) != "ttl_30m_tokens" && body.Amounts(ttl)
			}
		case "audio_tokens":
			u.InputAudio = max(u.InputAudio, count(m))
		case "text_tokens", "image_tokens", "video_tokens", "file_tokens", "cached_tokens_details", "reasoning_tokens":
		default:
			unknown = unknown || body.Amounts(m)
		}
	}
	return unknown
}

// outputDetails reads the classes of the output. It reports whether one of them may have a price that is not known.
func outputDetails(u *chat.Usage, v jsonx.Value) (unknown bool) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "reasoning_tokens":
			u.Reasoning = count(m)
		case "audio_tokens":
			u.OutputAudio = count(m)
		case "image_tokens":
			u.OutputImage = count(m)
		case "text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens", "cached_tokens":
		default:
			unknown = unknown || body.Amounts(m)
		}
	}
	return unknown
}

// isNeutral says whether a member of usage never changes the price. The times are Groq's, num_sources_used xAI's,
// request_count Mistral's; prompt_cache_miss_tokens is the rest of DeepSeek's input.
func isNeutral(name string) bool {
	switch name {
	case "queue_time", "prompt_time", "completion_time", "total_time", "prompt_cache_miss_tokens", "num_sources_used",
		"request_count":
		return true
	}
	return false
}

// toolCalls counts the calls of the provider's own tools. Other reports that there are some besides web searches.
func toolCalls(v jsonx.Value) (searches int64, other bool) {
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "web_search_requests":
			searches = count(m)
		case "web_fetch_requests", "tool_calls_requested", "tool_calls_executed": // the last two count all of them
		default:
			other = other || body.Amounts(m)
		}
	}
	return searches, other
}

// A bill is what OpenRouter says of money. The cost is what OpenRouter takes from the account. With a key of the account's
// own at the provider (BYOK) that is at most a fee, and the provider charges upstream_inference_cost beside it
// (openrouter.ai/docs/guides/guides/usage-accounting). Without such a key the cost contains the upstream's.
type bill struct {
	charged, details jsonx.Value
	ownKey           bool
}

// settle sets the cost. With an own key it is not known unless the upstream's is.
func (b *bill) settle(u *chat.Usage) {
	nanosCharged, told := nanos(b.charged)
	if !told && !b.ownKey {
		return
	}
	if !b.ownKey {
		u.CostNanos, u.HasCost = nanosCharged, true
		return
	}
	upstream, known := b.upstream()
	if !known {
		return
	}
	u.CostNanos, u.HasCost = nanosCharged+min(upstream, math.MaxInt64-nanosCharged), true
}

// upstream returns what the provider charges: in one sum, or as the sum for input and output.
func (b *bill) upstream() (int64, bool) {
	if n, ok := nanos(b.details.Get("upstream_inference_cost")); ok {
		return n, true
	}
	input, ok1 := nanos(first(b.details, "upstream_inference_prompt_cost", "upstream_inference_input_cost"))
	output, ok2 := nanos(first(b.details, "upstream_inference_completions_cost", "upstream_inference_output_cost"))
	return input + min(output, math.MaxInt64-input), ok1 && ok2
}

// first returns the first member that is given.
func first(v jsonx.Value, names ...string) jsonx.Value {
	for _, name := range names {
		if m := v.Get(name); m.Given() {
			return m
		}
	}
	return jsonx.Value{}
}
