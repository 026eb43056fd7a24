package gateway

import (
	"context"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Explanation says what would become of a request.
type Explanation struct {
	Chosen *ExplainedChoice `json:"chosen"` // null: the request would be refused
	// Candidates are all keys that were considered, in the order in which they would be tried, and then those that would not
	// be tried. A key is there for each of the request's targets.
	Candidates      []ExplainedCandidate `json:"candidates"`
	EstimatedTokens int64                `json:"estimatedTokens"` // of input
	Alias           string               `json:"alias,omitempty"` // by which the model is chosen
	Refusal         *ExplainedRefusal    `json:"refusal,omitempty"`
}

// ExplainedChoice is the key that would be tried first.
type ExplainedChoice struct {
	KeyID    store.ID `json:"keyId"`
	Provider string   `json:"provider"`
	Model    string   `json:"model"`
}

// ExplainedCandidate is a key that was considered.
type ExplainedCandidate struct {
	KeyID    store.ID `json:"keyId"`
	Name     string   `json:"name"`
	Provider string   `json:"provider"`
	Model    string   `json:"model"`
	Usable   bool     `json:"usable"`
	Reason   string   `json:"reason,omitempty"` // why it is not usable
	Warnings []string `json:"warnings"`         // what would be lost in translation
	// EstimatedCost is for the estimated input and up to 1,000 tokens of output; nil: unpriced, or not usable.
	EstimatedCost *ExplainedCost `json:"estimatedCostUsd,omitempty"`
}

// ExplainedCost is an amount in nano-dollars, which JSON shows in dollars.
type ExplainedCost int64

// MarshalJSON writes dollars, without loss.
func (c ExplainedCost) MarshalJSON() ([]byte, error) { return []byte(store.Dollars(int64(c))), nil }

// ExplainedRefusal is the error that the request would get.
type ExplainedRefusal struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
}

// Explain says which keys would be tried for the request, and why others would not. It decides as [Gateway.Start] does, but
// reserves nothing and calls no provider. Errors: Unauthorized, Forbidden, Unavailable.
func (g *Gateway) Explain(ctx context.Context, request Request) (*Explanation, error) {
	ctx, cancel := context.WithTimeout(ctx, g.settings.Timeout)
	defer cancel()
	_, status, err := g.admit(ctx, request.Principal)
	if err != nil {
		return nil, err
	}
	c := &Call{g: g, req: request, ctx: ctx, cancel: cancel, started: g.Now(), tried: map[candidateID]bool{}, asked: request.Chat.Model}
	if err := c.route(); err != nil {
		return nil, err
	}
	if err := c.restoreSaved(); err != nil {
		return nil, err
	}
	out := &Explanation{Candidates: []ExplainedCandidate{}, EstimatedTokens: c.inputEstimate()}
	now := c.nowMs()
	c.quotaStatus = status
	err = c.useStatus(now)
	var order []candidate
	if err == nil {
		order, err = c.plan(now)
	}
	if err != nil && store.CodeOf(err) != "" {
		return nil, unavailable(err)
	}
	c.explain(out, order, now)
	if out.Chosen == nil {
		if err == nil {
			err = c.refusal()
		}
		f := fault.From(err)
		out.Refusal = &ExplainedRefusal{f.Code, f.Message}
	}
	return out, nil
}

// plan returns the candidates in the order in which they would be tried if each failed.
func (c *Call) plan(now int64) (order []candidate, err error) {
	for len(order) < len(c.candidates) {
		pick := c.pick(now)
		if pick.empty() || pick.passesTransient && len(order) > 0 {
			return order, nil // after so many failures, time has passed
		}
		if _, err := c.demandFor(&pick, now); err != nil {
			if len(order) > 0 || c.exclude(pick.keys, err) {
				if len(order) > 0 {
					return order, nil
				}
				continue
			}
			return nil, err
		}
		if len(pick.keys) > 1 && !slices.ContainsFunc(order, func(k candidate) bool { return k.rank == pick.keys[0].rank }) {
			turn, err := c.g.Quota.NextTurn(c.ctx, quota.Request{Principal: c.principal(), Now: now, Targets: targetsOf(pick.keys),
				Conversation: c.keptConversation()})
			if err != nil {
				return nil, err
			}
			pick.keys = slices.Concat(pick.keys[turn:], pick.keys[:turn])
		}
		for _, k := range pick.keys {
			c.tried[k.identity()] = true
			order = append(order, k)
		}
	}
	return order, nil
}

// explain describes the candidates, those of the order first.
func (c *Call) explain(out *Explanation, order []candidate, now int64) {
	warnings := map[candidateID]*attempt{}
	var others []ExplainedCandidate
	describe := func(k candidate, reason string) {
		e := ExplainedCandidate{KeyID: k.id, Name: k.name, Provider: k.providerID, Model: k.model, Reason: reason, Warnings: []string{}}
		if reason == "" {
			a := c.translate(k, warnings)
			e.Warnings = append(e.Warnings, a.warnings...)
			if a.failure != nil {
				e.Reason = "the request cannot be expressed for its provider: " + clip(a.failure.Message, maxMessage)
			}
		}
		if e.Reason != "" {
			others = append(others, e)
			return
		}
		e.Usable = true
		if cost := c.costOf(k); cost != noPrice {
			e.EstimatedCost = (*ExplainedCost)(&cost)
		}
		if out.Chosen == nil {
			out.Chosen = &ExplainedChoice{k.id, k.providerID, k.model}
			if k.of != nil {
				out.Alias = k.of.alias
			}
		}
		out.Candidates = append(out.Candidates, e)
	}
	for _, k := range order {
		describe(k, "")
	}
	for _, k := range c.candidates {
		if !slices.ContainsFunc(order, func(o candidate) bool { return o.identity() == k.identity() }) {
			describe(k, c.reasonFor(k, now))
		}
	}
	for _, s := range c.skipped {
		model := s.model
		if model == "" {
			model = c.req.Chat.Model
		}
		others = append(others, ExplainedCandidate{KeyID: s.key.id, Name: s.key.name, Provider: s.key.providerID, Model: model,
			Reason: s.reason, Warnings: []string{}})
	}
	out.Candidates = append(out.Candidates, others...)
}

// reasonFor returns why a candidate would not be tried. Only a session learns the amounts of limits.
func (c *Call) reasonFor(k candidate, now int64) string {
	reason := c.blockedBy(k, now).reason
	if b := c.limited[k.identity()]; b != nil && !c.req.Principal.Session.IsZero() {
		reason += ": " + LimitAmount{b.Metric, b.Used}.String() + " used and " + LimitAmount{b.Metric, b.Held}.String() + " held of " +
			LimitAmount{b.Metric, b.Amount}.String() + "; this request may need " + LimitAmount{b.Metric, b.needs}.String()
	}
	if reason == "" {
		reason = "it would be tried only if the others fail, and has to wait for the outcome of another request"
	}
	return reason
}

// translate encodes the request for the candidate, and sends nothing. Keys of one provider share the result.
func (c *Call) translate(k candidate, done map[candidateID]*attempt) *attempt {
	id := candidateID{k.host, k.model}
	if a := done[id]; a != nil {
		return a
	}
	a := &attempt{key: k, stream: c.req.Chat.Stream}
	func() {
		defer c.g.contain(a)
		a.encode(c.requestOf(k))
	}()
	done[id] = a
	return a
}
