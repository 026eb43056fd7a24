package native

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A decoder reads one request, and goes on after an issue.
type decoder struct {
	body.Reader
	providers []string
	req       *chat.Request
	route     dialect.Route
}

// Limits of a request that no provider sets.
const (
	maxRequestID = 128
	maxStops     = 16
)

func (d *decoder) request(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	messages := false
	for m := v.First(); m.Exists() && !d.Full(); m = m.Next() {
		switch {
		case string(m.Key()) == "messages":
			messages = true
			d.messages(m)
		case !m.Given():
			d.known(m)
		case d.routing(m), d.sampling(m), d.shape(m), d.extras(m):
		default:
			d.unknown(m)
		}
	}
	if !messages {
		d.AddMember(v, "messages", "required")
	}
	d.CheckChoice(v, "toolChoice", d.req)
}

// fields are the members that a request may have.
func fields() []string {
	return []string{
		"messages", "model", "provider", "allowedProviders", "allowedPriorities", "temperature", "maxTokens", "topP", "topK",
		"stop", "seed", "n", "frequencyPenalty", "presencePenalty", "logitBias", "logprobs", "topLogprobs", "stream", "async", "requestId",
		"tools", "toolChoice", "parallelToolCalls", "responseFormat", "reasoning", "verbosity", "serviceTier", "user", "metadata", "cacheKey",
	}
}

// known notes an issue if there is no such member.
func (d *decoder) known(m jsonx.Value) {
	if !slices.Contains(fields(), string(m.Key())) {
		d.unknown(m)
	}
}

func (d *decoder) unknown(m jsonx.Value) {
	switch string(m.Key()) {
	case "max_completion_tokens", "maxCompletionTokens", "maxOutputTokens":
		d.Add(m, "unknown field; did you mean %q?", "maxTokens")
	case "reasoning_effort", "reasoningEffort":
		d.Add(m, "unknown field; did you mean %q?", "reasoning.effort")
	case "prompt_cache_key", "promptCacheKey":
		d.Add(m, "unknown field; did you mean %q?", "cacheKey")
	default:
		d.Unknown(m, slices.Values(fields()))
	}
}

// routing reads what says where the request may go.
func (d *decoder) routing(m jsonx.Value) bool {
	switch string(m.Key()) {
	case "model":
		d.req.Model = d.Name(m)
	case "provider":
		d.route.Provider = d.provider(m, true)
	case "allowedProviders":
		d.List(m, "allow every provider", func(e jsonx.Value) {
			d.route.Providers = append(d.route.Providers, d.provider(e, false))
		})
	case "allowedPriorities":
		d.List(m, "allow every priority", func(e jsonx.Value) {
			n, _ := d.Int64(e)
			d.route.Priorities = append(d.route.Priorities, n)
		})
	case "requestId":
		d.route.RequestID = d.requestID(m)
	case "stream":
		d.req.Stream = d.Bool(m)
	case "async":
		d.route.Async = d.Bool(m)
	default:
		return false
	}
	return true
}

// sampling reads the numbers.
func (d *decoder) sampling(m jsonx.Value) bool {
	r := d.req
	switch string(m.Key()) {
	case "temperature":
		r.Temperature = d.Float(m, 0, 2)
	case "topP":
		r.TopP = d.Float(m, 0, 1)
	case "topK":
		r.TopK = d.Int(m, 1, 1<<53)
	case "maxTokens":
		r.MaxTokens = d.Int(m, 1, 1<<53)
	case "seed":
		r.Seed = d.Int(m, -1<<63, 1<<63-1)
	case "n":
		r.N = d.Int(m, 1, 128)
	case "frequencyPenalty":
		r.FrequencyPenalty = d.Float(m, -2, 2)
	case "presencePenalty":
		r.PresencePenalty = d.Float(m, -2, 2)
	case "logprobs":
		b := d.Bool(m)
		r.Logprobs = &b
	case "topLogprobs":
		r.TopLogprobs = d.Int(m, 0, 20)
	default:
		return false
	}
	return true
}

// extras reads what only some providers know.
func (d *decoder) extras(m jsonx.Value) bool {
	r := d.req
	switch string(m.Key()) {
	case "logitBias":
		d.Object(m, func(e jsonx.Value) {
			if f := d.Float(e, -100, 100); f != nil {
				if r.LogitBias == nil {
					r.LogitBias = make(map[string]float64, m.Len())
				}
				r.LogitBias[string(e.Key())] = *f
			}
		})
	case "metadata":
		d.Object(m, func(e jsonx.Value) {
			if r.Metadata == nil {
				r.Metadata = make(map[string]string, m.Len())
			}
			r.Metadata[string(e.Key())] = d.Str(e)
		})
	case "reasoning":
		d.reasoning(m)
	case "verbosity":
		r.Verbosity = d.OneOf(m, "low", "medium", "high")
	case "serviceTier":
		r.ServiceTier = d.Name(m)
	case "user":
		r.User = d.Str(m)
	case "cacheKey":
		r.CacheKey = d.Str(m)
	default:
		return false
	}
	return true
}

func (d *decoder) reasoning(v jsonx.Value) {
	r := new(chat.Reasoning)
	d.Object(v, func(m jsonx.Value) {
		switch key := string(m.Key()); {
		case !m.Given() && slices.Contains([]string{"effort", "budget", "summary", "hide"}, key):
		case key == "effort":
			r.Effort = d.OneOf(m, "none", "minimal", "low", "medium", "high", "xhigh", "max")
		case key == "budget":
			r.Budget = d.Int(m, 0, 1<<53)
		case key == "summary":
			r.Summary = d.OneOf(m, "auto", "concise", "detailed")
		case key == "hide":
			r.Hide = d.Bool(m)
		default:
			d.Unknown(m, slices.Values([]string{"effort", "budget", "summary", "hide"}))
		}
	})
	d.req.Reasoning = r
}

// provider reads the id of a provider; auto, where it may be, is empty.
func (d *decoder) provider(v jsonx.Value, auto bool) string {
	if v.Kind() != jsonx.String {
		d.Expected(v, "a string")
		return ""
	}
	id := v.Str()
	switch {
	case auto && id == "auto":
		return ""
	case slices.Contains(d.providers, id):
		return id
	}
	first := ""
	if auto {
		first = "auto, "
	}
	d.Add(v, "unknown provider %s: expected one of %s%s", body.Quote(id), first, strings.Join(d.providers, ", "))
	return ""
}

func (d *decoder) requestID(v jsonx.Value) string {
	id := d.Str(v)
	if v.Kind() == jsonx.String && (id == "" || len(id) > maxRequestID || !body.Printable(id)) {
		d.Add(v, "expected 1 to %d printable ASCII characters", maxRequestID)
	}
	return id
}
