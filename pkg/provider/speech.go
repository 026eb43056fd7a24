package provider

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Speech is a way to talk to a provider.
type Speech struct {
	Dialect Dialect
	Client  dialect.Client
}

// second is a dialect that a provider speaks beside its usual one.
type second struct {
	Speech
	// needed says whether a request for the model has to be sent in it. A caller who speaks it gets it
	// where serves says so.
	needed func(model string, req *chat.Request) bool
	serves func(model string) bool
	// counts says whether it counts the tokens of a request that would be sent in the usual one.
	counts func(model string, req *chat.Request) bool
}

// Speech chooses how to send a request for the model, asked in the dialect spoken (empty: none that providers speak). The provider
// must be Callable.
func (p *Provider) Speech(model string, req *chat.Request, spoken Dialect) Speech {
	if s := p.second; s != nil && (s.needed(model, req) || spoken == s.Dialect && s.serves(model)) {
		return s.Speech
	}
	return Speech{p.Dialect, p.Client}
}

// Counting is how the provider counts the tokens of a request for the model without answering it; not ok if it cannot.
// The provider must be Callable.
func (p *Provider) Counting(model string, req *chat.Request) (counter dialect.Counter, ok bool) {
	speech := p.Speech(model, req, "")
	if s := p.second; s != nil && s.counts(model, req) {
		speech = s.Speech
	}
	counter, ok = speech.Client.(dialect.Counter)
	return counter, ok
}

// clients are the clients of all the dialects that the provider speaks.
func (p *Provider) clients() []dialect.Client {
	var list []dialect.Client
	if p.Client != nil {
		list = append(list, p.Client)
	}
	if p.second != nil {
		list = append(list, p.second.Client)
	}
	return list
}

// Stateful says whether the provider wants reasoning back with the results of tool calls.
func (p *Provider) Stateful() bool {
	return slices.ContainsFunc(p.clients(), func(c dialect.Client) bool { return c.Traits("").WantsReasoning })
}

// StateBoundToAccount says whether such reasoning is worth nothing to another account's key.
func (p *Provider) StateBoundToAccount() bool {
	return slices.ContainsFunc(p.clients(), func(c dialect.Client) bool { return c.Traits("").ReasoningBoundToAccount })
}
