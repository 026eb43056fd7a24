package gateway

import (
	"fmt"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// maxEstimatedOutput is how many tokens of output are held at most, unless the limit is strict: callers ask for large
// maxima that their answers do not come near.
const maxEstimatedOutput = 4096

// mediaTokens is what a picture, a sound or a document is estimated at.
const mediaTokens = 1000

// estimate returns what the request needs of the limits, at the prices of the dearest of the keys.
func (c *Call) estimate(limits []*store.Limit, keys []candidate, now int64) (n store.Need, err error) {
	if !slices.ContainsFunc(limits, func(l *store.Limit) bool { return l.Metric == store.MetricTokens || l.Metric == store.MetricCost }) {
		return n, nil
	}
	n.Tokens = c.inputEstimate()
	answers := c.answers()
	if c.req.Embedding == nil {
		n.TokensEach, n.Most = 1000*answers, maxEstimatedOutput
		if most := c.maxTokens(keys[0]); most != nil {
			n.Most = max(0, min(*most, maxEstimatedOutput))
		}
	}
	i := slices.IndexFunc(limits, func(l *store.Limit) bool { return l.Metric == store.MetricCost })
	if i < 0 {
		return n, nil
	}
	for _, k := range keys {
		input, each, ok := c.prices(k, n.Tokens, now)
		if !ok {
			return n, errUnpriced(limits[i], k)
		}
		n.Cost, n.CostEach = max(n.Cost, input), max(n.CostEach, each*answers)
	}
	return n, nil
}

// answers is how many the request wants.
func (c *Call) answers() int64 {
	if c.req.Chat.N == nil {
		return 1
	}
	return max(1, min(*c.req.Chat.N, maxAnswers))
}

// maxAnswers bounds the number of answers that is believed: no provider gives more.
const maxAnswers = 128

// prices returns the cost of so many tokens of input and of 1,000 tokens of output, in nano-dollars. The service tier is
// the one that the request asks for, if its prices are known.
func (c *Call) prices(k candidate, input, now int64) (inputCost, outputCost int64, ok bool) {
	r := catalog.Request{Provider: k.providerID, Model: k.model, ServiceTier: c.req.Chat.ServiceTier, AtMs: now}
	whole := c.g.cost(k.key, r, &chat.Usage{Input: input, Output: 1000})
	if !whole.Priced && r.ServiceTier != "" {
		r.ServiceTier = ""
		whole = c.g.cost(k.key, r, &chat.Usage{Input: input, Output: 1000})
	}
	in := c.g.cost(k.key, r, &chat.Usage{Input: input})
	if !whole.Priced && c.req.Embedding != nil { // its price has no output
		whole = in
	}
	return in.Nanos, max(0, whole.Nanos-in.Nanos), whole.Priced && in.Priced
}

// inputEstimate estimates the input tokens, once.
func (c *Call) inputEstimate() int64 {
	if c.input == 0 {
		c.input = max(1, estimateInput(&c.req)+mediaTokens*countMedia(c.req.Chat))
	}
	return c.input
}

func countMedia(req *chat.Request) (n int64) {
	for i := range req.Messages {
		n += mediaIn(req.Messages[i].Parts)
	}
	return n
}

func mediaIn(parts []chat.Part) (n int64) {
	for i := range parts {
		if parts[i].Media != nil {
			n++
		}
		if parts[i].ToolResult != nil {
			n += mediaIn(parts[i].ToolResult.Parts)
		}
	}
	return n
}

func errUnpriced(l *store.Limit, k candidate) error {
	model := k.providerID + "/" + k.model
	return &fault.Error{Code: fault.Validation,
		Message: fmt.Sprintf("a limit of cost holds for this request, and the price of %s is not known: the operator can set it in MODEL_PRICES, "+
			`such as {%q: {"input": 1, "output": 2}} in USD per million tokens`, model, model),
		Details: map[string]any{"provider": k.providerID, "model": k.model, "limit": map[string]any{"subject": limitSubject(l, false), "metric": metricName(l.Metric)}}}
}
