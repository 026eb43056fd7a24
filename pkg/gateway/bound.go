package gateway

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// What a strict limit holds is an upper bound. The input is bounded by its bytes, as no tokenizer makes a token of less than
// a byte, and the output by the maximum that the provider is told.

const (
	// leastStrictOutput is the output that a request with a larger maximum needs at least.
	leastStrictOutput = 64
	// leastMaxOutput is the smallest maximum that a provider may be told: OpenAI's Responses takes no less.
	leastMaxOutput = 16
	// mostOutput bounds a caller's maximum where that of the model is not known.
	mostOutput = 10_000_000
	// mostCost bounds the cost of input: no amount of a limit comes near it, and sums do not overflow.
	mostCost = 100 * store.MaxAmount

	// What providers add to the input: to each message, to a request with tools (Anthropic documents up to 804 tokens), to
	// each tool, and to a tool of a type that the provider defines (up to 735 tokens at Anthropic).
	messageOverhead   = 16
	requestOverhead   = 64
	toolsOverhead     = 1024
	toolOverhead      = 32
	typedToolOverhead = 1024
	schemaOverhead    = 512
)

// neutralFields are fields of one dialect alone that change neither tokens nor prices.
var neutralFields = []string{"betas", "cache_control", "chat_template_kwargs", "client_metadata", "include", "include_reasoning", "labels", "logit_bias",
	"metadata", "min_p", "min_tokens", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "prompt_mode",
	"reasoning_format", "repetition_penalty", "safe_prompt", "safetySettings", "safety_identifier", "safety_settings", "store", "stream_options", "text",
	"top_a", "truncation", "user", "verbosity"}

// bound returns at most what the request takes of strict limits, whichever of the keys serves it. Errors: Validation, which
// names what has no bound.
func (c *Call) bound(limits []*store.Limit, keys []candidate) (n store.Need, err error) {
	l := strictAmong(limits)
	if l == nil {
		return n, nil
	}
	if f := c.unbounded(); f != "" {
		return n, errUnbounded(l, f)
	}
	answers := c.answers()
	cost := slices.ContainsFunc(limits, func(l *store.Limit) bool { return l.Strict && l.Metric == store.MetricCost })
	for _, k := range keys {
		input, problem := c.inputBound(k)
		if problem != "" {
			return n, errUnbounded(l, problem)
		}
		n.Tokens = max(n.Tokens, input)
		if c.req.Embedding == nil {
			most := c.mostOutput(k)
			if most < 0 {
				return n, errUnbounded(l, fmt.Sprintf("the maximum of output tokens of %s/%s is not known: set max_tokens", k.providerID, k.model))
			}
			n.Most = max(n.Most, most)
		}
		if !cost {
			continue
		}
		price, err := c.ceiling(l, k, input)
		if err != nil {
			return n, err
		}
		n.Cost = max(n.Cost, costOf(input, price.Input))
		n.CostEach = max(n.CostEach, int64(price.Output)*answers)
	}
	if n.Most > 0 {
		n.Most = max(n.Most, leastMaxOutput)
	}
	n.Least = min(n.Most, leastStrictOutput)
	if r := c.req.Chat.Reasoning; r != nil && r.Budget != nil {
		n.Least = max(n.Least, min(n.Most, *r.Budget+1)) // the answer is more than thinking
	}
	return n, nil
}

// strictAmong returns a strict limit of tokens or cost among the limits; nil if there is none.
func strictAmong(limits []*store.Limit) *store.Limit {
	i := slices.IndexFunc(limits, func(l *store.Limit) bool { return bounds(l) })
	if i < 0 {
		return nil
	}
	return limits[i]
}

// bounds reports whether what the limit holds is an upper bound of an amount that is not known before.
func bounds(l *store.Limit) bool {
	return l.Strict && (l.Metric == store.MetricTokens || l.Metric == store.MetricCost)
}

// costOf returns the cost of so many tokens in nano-dollars, rounded up.
func costOf(tokens int64, price catalog.Pico) int64 {
	if price <= 0 || tokens <= 0 {
		return 0
	}
	if tokens > mostCost/int64(price) {
		return mostCost
	}
	return (tokens*int64(price) + 999) / 1000
}

// ceiling returns the highest prices that the key's provider may charge.
func (c *Call) ceiling(l *store.Limit, k candidate, input int64) (catalog.Ceiling, error) {
	billing := k.provider.Billing
	if billing.PricesVary {
		return catalog.Ceiling{}, errUnbounded(l, fmt.Sprintf("the cost of %s/%s, as %s serves it at the price of whatever host it chooses",
			k.providerID, k.model, k.provider.Name))
	}
	r := catalog.Request{Provider: k.providerID, Model: k.model, ServiceTier: c.req.Chat.ServiceTier, AtMs: c.req.ID.Time()}
	if billing.TierOfAccount && (r.ServiceTier == "" || r.ServiceTier == "auto") {
		r.ServiceTier = catalog.TierUndecided
	}
	price, err := c.g.dearest(k.key, r, input)
	switch {
	case errors.Is(err, catalog.ErrUnknownTier):
		return price, errUnbounded(l, fmt.Sprintf("the service tier %q, as its price at %s/%s is not known", clip(r.ServiceTier, 64), k.providerID, k.model))
	case err != nil || price.Output < 0 && c.req.Embedding == nil:
		return price, errUnpriced(l, k)
	}
	if billing.Percent > 100 {
		price.Input = (price.Input*catalog.Pico(billing.Percent) + 99) / 100
		price.Output = (price.Output*catalog.Pico(billing.Percent) + 99) / 100
	}
	// No sum of what a statement computes of it overflows.
	price.Output = max(0, min(price.Output, math.MaxInt64/1000/mostOutput/maxAnswers))
	return price, nil
}

// mostOutput returns the maximum of the output tokens of one answer: the caller's or the model's; below 0 if neither is
// known.
func (c *Call) mostOutput(k candidate) int64 {
	most := int64(-1)
	if m, ok := catalog.Related(k.providerID, k.model); ok && m.MaxOutput > 0 {
		most = m.MaxOutput
	}
	if asked := c.maxTokens(k); asked != nil && (most < 0 || *asked < most) {
		most = max(0, min(*asked, mostOutput))
	}
	return most
}

// inputBound returns at most how many tokens the input has, or what has no bound.
func (c *Call) inputBound(k candidate) (tokens int64, problem string) {
	if e := c.req.Embedding; e != nil {
		for _, in := range e.Inputs {
			tokens += int64(len(in.Text)+len(in.Tokens)) + messageOverhead
		}
		return tokens + requestOverhead, ""
	}
	req, _ := c.requestFor(k)
	b := inputBounder{image: k.provider.MostImageTokens()}
	if m, ok := catalog.Related(k.providerID, k.model); ok {
		b.context = m.Context
	}
	b.request(req)
	// The provider may get the caller's bytes, with members that nobody here knows.
	return max(b.text, int64(len(c.req.Body))-b.data) + b.more, b.problem
}

// inputBounder adds up a request.
type inputBounder struct {
	image, context int64 // tokens of a picture, and of the model's context; 0: unknown

	text    int64 // bytes
	data    int64 // bytes of media
	more    int64 // tokens that text does not count
	problem string
}

func (b *inputBounder) request(req *chat.Request) {
	b.more += requestOverhead
	for i := range req.Messages {
		m := &req.Messages[i]
		b.more += messageOverhead
		b.text += int64(len(m.Name))
		b.parts(m.Parts)
	}
	b.tools(req.Tools)
	if f := req.ResponseFormat; f != nil {
		b.more += schemaOverhead
		b.text += int64(len(f.Name) + len(f.Description) + len(f.Schema))
	}
}

func (b *inputBounder) tools(tools []chat.Tool) {
	if len(tools) > 0 {
		b.more += toolsOverhead
	}
	for i := range tools {
		t := &tools[i]
		b.more += toolOverhead
		b.text += int64(len(t.Name) + len(t.Description) + len(t.Parameters) + len(t.Raw))
		b.tools(t.Tools)
		switch {
		case t.Hosted != nil:
			b.refuse("the tool %q, which the provider runs", clip(t.Name, 64))
		case len(t.Raw) == 0 || len(t.Tools) > 0:
		case t.Description == "" && len(t.Parameters) == 0:
			b.refuse("the tool %q, of which nobody knows who runs it", clip(t.Name, 64))
		default:
			b.more += typedToolOverhead
		}
	}
}

func (b *inputBounder) refuse(format string, args ...any) {
	if b.problem == "" {
		b.problem = fmt.Sprintf(format, args...)
	}
}

func (b *inputBounder) parts(parts []chat.Part) {
	for i := range parts {
		p := &parts[i]
		b.text += int64(len(p.Text))
		b.tools(p.Tools)
		if s := p.State; s != nil {
			b.text += int64(len(s.Signature) + len(s.Redacted) + len(s.Encrypted))
		}
		if call := p.ToolCall; call != nil {
			b.text += int64(len(call.ID) + len(call.Name) + len(call.Arguments) + len(call.Signature))
			b.more += messageOverhead
		}
		if p.ToolResult != nil {
			b.text += int64(len(p.ToolResult.CallID) + len(p.ToolResult.Name))
			b.more += messageOverhead
			b.parts(p.ToolResult.Parts)
		}
		if p.Media != nil {
			b.media(p.Kind, p.Media)
		}
		for _, citation := range p.Citations {
			b.text += int64(len(citation.Text) + len(citation.Title) + len(citation.URL) + len(citation.Raw))
		}
		if p.Kind == chat.Unrendered {
			b.text += int64(len(p.Raw))
			if len(p.Tools) == 0 {
				b.refuse("a part that only the caller's API has")
			}
		}
	}
}

func (b *inputBounder) media(kind chat.PartKind, m *chat.Media) {
	b.data += int64(len(m.Data))
	b.text += int64(len(m.Context) + len(m.Filename) + len(m.URL))
	switch {
	case strings.HasPrefix(m.MIMEType, "video/"):
		b.refuse("a video")
	case m.FileID != "":
		b.refuse("a file that the provider keeps")
	case kind == chat.Image:
		b.more += b.image
	case m.Data == "":
		b.refuse("a file by its URL")
	case kind == chat.Audio, strings.HasPrefix(m.MIMEType, "audio/"), strings.HasPrefix(m.MIMEType, "text/"):
		b.more += int64(len(m.Data)) // a second of sound has fewer tokens than bytes
	case b.context > 0:
		b.more += b.context // no document has more
	default:
		b.refuse("a document, as the size of the model's context is not known")
	}
}

// unbounded names a field of the request that may cost anything; "" if there is none.
func (c *Call) unbounded() string {
	fields := c.req.Chat.Foreign
	for _, f := range fields {
		if !slices.Contains(neutralFields, f.Name) {
			return "the field " + f.Name
		}
	}
	if len(fields) > len(neutralFields)/2 {
		return "so many fields that only the caller's API has"
	}
	return ""
}

func errUnbounded(l *store.Limit, what string) error {
	return &fault.Error{Code: fault.Validation,
		Message: fmt.Sprintf("a strict limit of %s holds for this request, and what it may spend has no bound: %s", metricName(l.Metric), what),
		Details: map[string]any{"unbounded": what, "limit": map[string]any{"subject": limitSubject(l, false), "metric": metricName(l.Metric)}}}
}

// lowered returns the maximum of output tokens that the provider is to be told; nil if no strict limit holds.
func (c *Call) lowered(a *attempt) *int64 {
	if c.req.Embedding != nil {
		return nil
	}
	for _, h := range a.reservation.Holds {
		if l := c.entry.table.limit(h.Limit); l != nil && bounds(l) {
			own := c.mostOutput(a.key)
			most := min(own, h.Output)
			if most < own {
				a.lowered = fmt.Sprintf("max_tokens is %d: a strict limit leaves no more", most)
			}
			return &most
		}
	}
	return nil
}
