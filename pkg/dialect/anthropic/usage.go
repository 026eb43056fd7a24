package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// tokens is the usage as the API counts it: input leaves out what the prompt cache read or wrote.
type tokens struct {
	known                                       bool
	input, read, written, hour, output, thought int64
	extra                                       iterations
	searches                                    int64  // calls of web search
	fees                                        bool   // server tools or members that are not known may cost money
	speed                                       string // fast, if it is not standard
	percent                                     int64  // of the list prices, if not all of them
}

// iterations sums up the iterations that the totals leave out.
type iterations struct {
	compacted, otherModel              bool // some are, or may be, of a compaction or another model
	input, read, written, hour, output int64
}

// merge reads a usage object over an earlier one. The end of a stream has the totals; members that are missing
// there, or 0, do not reset earlier counts.
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
		case "iterations":
			if m.Kind() == jsonx.Array {
				t.extra = extraIterations(m)
			}
		case "server_tool_use":
			t.tools(m)
		case "speed":
			if t.speed = m.Str(); t.speed == "standard" {
				t.speed = ""
			}
		case "inference_geo":
			t.region(m)
		case "service_tier", "type", "model":
		default:
			t.fees = t.fees || body.Amounts(m)
		}
	}
}

// extraIterations sums up the iterations that the totals leave out: of a compaction and of an advisor, which is another
// model (platform.claude.com/docs/en/build-with-claude/compaction, "Understanding usage"). Those of the type message
// are the totals.
func extraIterations(list jsonx.Value) iterations {
	var b iterations
	for v := list.First(); v.Exists(); v = v.Next() {
		switch v.Get("type").Str() {
		case "compaction":
			b.compacted = true
		case "advisor_message":
			b.otherModel = true
		case "message", "":
			continue
		default: // such as fallback_message: the totals are those of the model that answered
			b.otherModel = true
			continue
		}
		var t tokens
		t.merge(v)
		b.input, b.read = min(b.input+t.input, maxTokens), min(b.read+t.read, maxTokens)
		b.written, b.hour, b.output = min(b.written+t.written, maxTokens), min(b.hour+t.hour, maxTokens), min(b.output+t.output, maxTokens)
	}
	return b
}

// tools counts the calls of server tools. Web fetch costs nothing beside its tokens.
func (t *tokens) tools(counts jsonx.Value) {
	for m := counts.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "web_search_requests":
			t.set(&t.searches, m)
		case "web_fetch_requests":
		default:
			t.fees = t.fees || body.Amounts(m)
		}
	}
}

// region reads where the model ran. In the US alone, every price is 1.1 times the list price (platform.claude.com,
// pricing, "Data residency", read 2026-11); other regions are not known to have a price of their own.
func (t *tokens) region(geo jsonx.Value) {
	switch geo.Str() {
	case "", "global", "not_available":
	case "us":
		t.percent = 110
	default:
		t.fees = true
	}
}

// maxTokens bounds each count, so that no sum of them overflows.
const maxTokens = 1 << 53

func (t *tokens) set(to *int64, v jsonx.Value) {
	if n, ok := v.Int64(); ok && n > 0 {
		*to = min(n, maxTokens)
	}
}

// longInput is the smallest input from which some model costs more, in each iteration (claude-haiku-5-5).
const longInput = 100_000

// usage returns the usage as chat counts it. It is marked as an estimate if the cost does not follow from the counts:
// if it includes iterations of another model, an iteration may have the price of long input, or there are fees.
func (t *tokens) usage() chat.Usage {
	b := &t.extra
	read, written, hour := t.read+b.read, t.written+b.written, t.hour+b.hour
	hour = min(hour, written)
	u := chat.Usage{
		Input: t.input + b.input + read + written, Cached: read, CacheWrite: written - hour, CacheWrite1h: hour,
		Output: t.output + b.output, Reasoning: min(t.thought, t.output),
		WebSearches: t.searches, Tier: t.speed, Percent: t.percent,
	}
	u.Estimated = t.fees || b.otherModel || b.compacted && u.Input > longInput
	return u
}

// appendUsage appends a usage object; zeros if the usage is nil. The tier is left out unless the dialect knows it.
func appendUsage(out []byte, u *chat.Usage, tier string) []byte {
	if u == nil {
		u = new(chat.Usage)
	}
	written := u.CacheWrite + u.CacheWrite1h
	out = body.AppendCount(out, `{"input_tokens":`, max(u.Input-u.Cached-written, 0))
	out = body.AppendCount(out, `,"cache_creation_input_tokens":`, written)
	out = body.AppendCount(out, `,"cache_read_input_tokens":`, u.Cached)
	out = body.AppendCount(out, `,"cache_creation":{"ephemeral_5m_input_tokens":`, u.CacheWrite)
	out = body.AppendCount(out, `,"ephemeral_1h_input_tokens":`, u.CacheWrite1h)
	out = body.AppendCount(out, `},"output_tokens":`, u.Output)
	if u.Reasoning > 0 {
		out = body.AppendCount(out, `,"output_tokens_details":{"thinking_tokens":`, u.Reasoning)
		out = append(out, '}')
	}
	if u.WebSearches > 0 { // the schema requires both members
		out = body.AppendCount(out, `,"server_tool_use":{"web_search_requests":`, u.WebSearches)
		out = append(out, `,"web_fetch_requests":0}`...)
	}
	switch tier {
	case "standard", "priority", "batch":
		out = body.AppendMember(out, `,"service_tier":`, tier)
	}
	return append(out, '}')
}
