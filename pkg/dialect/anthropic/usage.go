package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// tokens is the usage as the API counts it: input is what the prompt cache had no part in.
type tokens struct {
	known                                       bool
	input, read, written, hour, output, thought int64
}

// merge reads a usage object over an earlier one. A stream ends with the totals of all that
// the start gave; members that are missing there, or 0, do not take back what was counted.
func (t *tokens) merge(v jsonx.Value) {
	t.known = true
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "input_tokens":
			t.set(&t.input, m)
		case "cache_read_input_tokens":
			t.set(&t.read, m)
		case "cache_creation_input_tokens":
			t.set(&t.written, m)
		case "output_tokens":
			t.set(&t.output, m)
		case "cache_creation":
			t.set(&t.hour, m.Get("ephemeral_1h_input_tokens"))
			if five, ok := m.Get("ephemeral_5m_input_tokens").Int64(); ok {
				t.written = max(t.written, min(five, maxTokens)+t.hour)
			}
		case "output_tokens_details":
			t.set(&t.thought, m.Get("thinking_tokens"))
		}
	}
}

// maxTokens bounds each count, so that no sum of them overflows.
const maxTokens = 1 << 53

func (t *tokens) set(to *int64, v jsonx.Value) {
	if n, ok := v.Int64(); ok && n > 0 {
		*to = min(n, maxTokens)
	}
}

// usage is the same as the gateway counts.
func (t *tokens) usage() chat.Usage {
	hour := min(t.hour, t.written)
	return chat.Usage{
		Input: t.input + t.read + t.written, Cached: t.read, CacheWrite: t.written - hour, CacheWrite1h: hour,
		Output: t.output, Reasoning: min(t.thought, t.output),
	}
}

// appendUsage writes a usage object; nil, which is unknown usage, as zeros. Tier is the service tier, if it
// is one of the dialect's.
func appendUsage(out []byte, u *chat.Usage, tier string) []byte {
	if u == nil {
		u = new(chat.Usage)
	}
	written := u.CacheWrite + u.CacheWrite1h
	out = append(out, `{"input_tokens":`...)
	out = jsonx.AppendInt(out, max(u.Input-u.Cached-written, 0))
	out = append(out, `,"cache_creation_input_tokens":`...)
	out = jsonx.AppendInt(out, written)
	out = append(out, `,"cache_read_input_tokens":`...)
	out = jsonx.AppendInt(out, u.Cached)
	out = append(out, `,"cache_creation":{"ephemeral_5m_input_tokens":`...)
	out = jsonx.AppendInt(out, u.CacheWrite)
	out = append(out, `,"ephemeral_1h_input_tokens":`...)
	out = jsonx.AppendInt(out, u.CacheWrite1h)
	out = append(out, `},"output_tokens":`...)
	out = jsonx.AppendInt(out, u.Output)
	if u.Reasoning > 0 {
		out = append(out, `,"output_tokens_details":{"thinking_tokens":`...)
		out = jsonx.AppendInt(out, u.Reasoning)
		out = append(out, '}')
	}
	switch tier {
	case "standard", "priority", "batch":
		out = append(out, `,"service_tier":`...)
		out = jsonx.AppendString(out, tier)
	}
	return append(out, '}')
}
