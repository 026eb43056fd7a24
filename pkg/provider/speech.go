package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Speech is a way to talk to a provider.
type Speech struct {
	Dialect Dialect
	Client  dialect.Client
	Rules   *dialect.Rules
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
	return Speech{p.Dialect, p.Client, &p.Rules}
}

// Counting is how the provider counts the tokens of a request for the model without answering it; not ok if it cannot.
// The provider must be Callable.
func (p *Provider) Counting(model string, req *chat.Request) (counter dialect.Counter, rules *dialect.Rules, ok bool) {
	speech := p.Speech(model, req, "")
	if s := p.second; s != nil && s.counts(model, req) {
		speech = s.Speech
	}
	counter, ok = speech.Client.(dialect.Counter)
	return counter, speech.Rules, ok
}

// Stateful says whether the provider wants reasoning back with the results of tool calls.
func (p *Provider) Stateful() bool {
	switch {
	case p.Dialect == Anthropic, p.Dialect == Gemini, p.second != nil:
		return true
	}
	return p.Rules.ReasoningBack == dialect.ReasoningBackContent || p.Rules.ReasoningBack == dialect.ReasoningBackDetails
}

// StateBoundToAccount says whether such reasoning is worth nothing to another account's key: thinking of
// Anthropic's newer models (platform.claude.com, preserved thinking), OpenAI's encrypted items.
func (p *Provider) StateBoundToAccount() bool { return p.Dialect == Anthropic || p.second != nil }

// StateBoundToContext says whether such reasoning is refused beside other system text, tools or messages than those
// it was made with: thinking of Anthropic's newer models, which OpenRouter serves too (platform.claude.com,
// preserved thinking).
func (p *Provider) StateBoundToContext(model string) bool {
	return p.Dialect == Anthropic || strings.HasPrefix(model, "anthropic/")
}
