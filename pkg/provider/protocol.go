package provider

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// alternateProtocol is a dialect that a provider serves beside its usual one.
type alternateProtocol struct {
	client dialect.Client
	// needed says whether a request for the model has to be sent in it. A caller of the same dialect
	// gets it where serves says so.
	needed func(model string, req *chat.Request) bool
	serves func(model string) bool
	// counts says whether it counts the tokens of a request that would be sent in the usual one.
	counts func(model string, req *chat.Request) bool
}

// Protocol returns the client of the dialect in which to send a request for the model. Asked is the
// caller's dialect, empty if providers have none like it. The provider must be Callable.
func (p *Provider) Protocol(model string, req *chat.Request, asked dialect.Name) dialect.Client {
	if alt := p.alternate; alt != nil && (alt.needed(model, req) || asked == alt.client.Dialect() && alt.serves(model)) {
		return alt.client
	}
	return p.Client
}

// Counter returns what counts the tokens of a request for the model without answering it; nil if the
// provider has nothing that does. The provider must be Callable.
func (p *Provider) Counter(model string, req *chat.Request) dialect.Counter {
	client := p.Protocol(model, req, "")
	if alt := p.alternate; alt != nil && alt.counts(model, req) {
		client = alt.client
	}
	counter, _ := client.(dialect.Counter)
	return counter
}

// Compactor returns what shortens conversations with the model; nil if the provider has nothing that does.
func (p *Provider) Compactor(model string) dialect.Compactor {
	if p.alternate == nil || !p.alternate.serves(model) {
		return nil
	}
	compactor, _ := p.alternate.client.(dialect.Compactor)
	return compactor
}

// clients returns the clients of all the dialects that the provider serves.
func (p *Provider) clients() []dialect.Client {
	var list []dialect.Client
	if p.Client != nil {
		list = append(list, p.Client)
	}
	if p.alternate != nil {
		list = append(list, p.alternate.client)
	}
	return list
}

// WantsReasoning says whether the provider wants reasoning back with the results of tool calls.
func (p *Provider) WantsReasoning() bool {
	return slices.ContainsFunc(p.clients(), func(c dialect.Client) bool { return c.Traits("").WantsReasoning })
}

// ReasoningBoundToAccount says whether such reasoning is worth nothing to another account's key.
func (p *Provider) ReasoningBoundToAccount() bool {
	return slices.ContainsFunc(p.clients(), func(c dialect.Client) bool { return c.Traits("").ReasoningBoundToAccount })
}

// ReasoningBoundToContext says whether such reasoning is refused beside other system text, tools or messages than
// those that it was made with.
func (p *Provider) ReasoningBoundToContext(model string) bool {
	return slices.ContainsFunc(p.clients(), func(c dialect.Client) bool { return c.Traits(model).ReasoningBoundToContext })
}
