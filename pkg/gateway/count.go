package gateway

import (
	"context"
	"errors"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// Count tells how many input tokens a request has. It takes no place in a quota: the provider is asked if it counts
// for nothing, else, or if it does not answer, the number is an estimate and exact is false. Errors:
// Unauthorized, NoEligibleKey, Validation (the provider says that the request is at fault), Unavailable.
func (g *Gateway) Count(ctx context.Context, ask Ask) (n int64, exact bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.settings.FirstEvent)
	defer cancel()
	e, verdict, err := g.admit(ctx, ask.Caller)
	if err != nil {
		return 0, false, err
	}
	c := &Call{g: g, ask: ask, entry: e}
	if c.fit, c.passed = e.table.candidates(ask.Request.Model, ask.Route, conversations); len(c.fit) == 0 {
		return 0, false, c.noEligibleKey(c.passed)
	}
	now := c.nowMs()
	for _, k := range c.fit {
		if !verdict.Keys[k.id].Ready(now) {
			continue
		}
		n, err := g.countAt(ctx, k, ask)
		if err == nil {
			return n, true, nil
		}
		var failure *chat.Error
		if errors.As(err, &failure) && failure.CallerCaused() {
			return 0, false, c.providerFault(&attempt{key: k, failure: failure})
		}
	}
	return estimateInput(&ask), false, nil
}

var errNoCounter = errors.New("the provider does not count")

func (g *Gateway) countAt(ctx context.Context, k candidate, ask Ask) (int64, error) {
	req := *ask.Request
	req.Model = k.model
	counter := k.provider.Counter(k.model, &req)
	if counter == nil {
		return 0, errNoCounter
	}
	body.FitToolNames(&req, counter.Traits(k.model).ToolNames)
	enc, err := counter.EncodeCount(&req)
	if err != nil {
		return 0, err
	}
	resp, err := g.Upstream.Do(ctx, k.provider, k.secret, enc,
		provider.Options{IdleTimeout: g.settings.Silence, Header: ask.Header})
	if err != nil {
		return 0, err
	}
	data, err := resp.ReadAll()
	if err != nil {
		return 0, err
	}
	return counter.DecodeCount(data)
}
