package gateway

import (
	"context"
	"errors"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// Count returns the number of input tokens of a request. It reserves nothing: providers that count for free are asked;
// if none is or none answers, the number is an estimate and exact is false. Errors: Unauthorized, NoEligibleKey,
// NotFound (nobody has the model), Validation (the provider rejects the request), Unavailable.
func (g *Gateway) Count(ctx context.Context, request Request) (n int64, exact bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.settings.FirstEvent)
	defer cancel()
	e, status, err := g.admit(ctx, request.Principal)
	if err != nil {
		return 0, false, err
	}
	c := &Call{g: g, req: request, entry: e}
	if err := e.allowsEndpoint(request.Endpoint); err != nil {
		return 0, false, err
	}
	c.asked = request.Chat.Model
	if c.choose(); len(c.candidates) == 0 {
		return 0, false, c.noCandidate()
	}
	now := c.nowMs()
	for _, k := range c.candidates {
		if !status.Ready(k.target(), now) {
			continue
		}
		n, err := g.countAt(ctx, k, request)
		if err == nil {
			return n, true, nil
		}
		var failure *chat.Error
		if errors.As(err, &failure) && failure.CallerCaused() {
			return 0, false, c.providerFault(&attempt{key: k, failure: failure})
		}
	}
	return estimateInput(&request), false, nil
}

var errNoCounter = errors.New("the provider does not count")

func (g *Gateway) countAt(ctx context.Context, k candidate, request Request) (int64, error) {
	req := *request.Chat
	req.Model = k.model
	counter := k.provider.Counter(k.model, &req)
	if counter == nil {
		return 0, errNoCounter
	}
	body.FitTools(&req, body.Target{Provider: k.provider.ID, Traits: counter.Traits(k.model),
		Same: request.Dialect == counter.Dialect()})
	enc, err := counter.EncodeCount(&req)
	if err != nil {
		return 0, err
	}
	resp, err := g.Upstream.Do(ctx, k.provider, k.secret, enc,
		provider.Options{IdleTimeout: g.settings.IdleTimeout, Header: request.Header})
	if err != nil {
		return 0, err
	}
	data, err := resp.ReadAll()
	if err != nil {
		return 0, err
	}
	return counter.DecodeCount(data)
}
