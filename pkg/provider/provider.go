// Package provider is the table of the providers that the gateway knows, and the
// only code that talks to them. A provider is a row: where it lives, which dialect
// it speaks, how a key is shown to it, how its fields differ from the dialect's own
// (the rules of its dialect), what its errors mean and what they do to a key. Nothing outside
// this package and the catalogue asks for a provider by its name.
package provider

import (
	"net/http"
	"net/url"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/redact"
)

// Auth is how a key is shown to a provider. It is always a header: a key in a
// query string ends up in logs.
type Auth uint8

// The ways.
const (
	Bearer      Auth = iota + 1 // Authorization: Bearer KEY
	XAPIKey                     // x-api-key: KEY
	XGoogAPIKey                 // x-goog-api-key: KEY
)

// Header returns the name and the value of the header that carries the key.
func (a Auth) Header(secret string) (name, value string) {
	switch a {
	case XAPIKey:
		return "X-Api-Key", secret
	case XGoogAPIKey:
		return "X-Goog-Api-Key", secret
	}
	return "Authorization", "Bearer " + secret
}

// Provider is a row of the table. It is immutable once NewTable has returned it,
// and safe for concurrent use.
type Provider struct {
	ID      string // as in POST /api/keys: "openai"
	Name    string // for people: "OpenAI"
	BaseURL string // without a trailing slash; requests append dialect.Encoded.Path
	// Client is the dialect's half towards the provider, and holds its rules. It is nil while the
	// gateway cannot speak the dialect: keys are kept and checked all the same, but routing skips
	// them (Callable).
	Client dialect.Client
	Auth   Auth
	// Header goes with every request, checks included: Anthropic's version.
	Header map[string]string
	// ForwardedRequestHeaders names the headers of a caller that the provider may see, in
	// canonical form. Credentials, cookies and organisation headers are never among them.
	ForwardedRequestHeaders []string
	// RequestID is the header in which the provider names a request, in canonical
	// form; empty if it has none. It is recorded for all but Groq, Together and Fireworks,
	// where the usual name is taken.
	RequestID string
	// second is nil if the provider speaks one dialect only.
	alternate *alternateProtocol
	// HasEmbeddings says whether the provider serves POST /embeddings, or its like.
	HasEmbeddings bool

	check   check
	signals []signal
	limits  []limitHeader
	// dayReset is the UTC hour at which the provider's quotas of a day begin anew.
	dayReset int

	base *url.URL
}

// Callable says whether the gateway can send chats to the provider. If not, reason
// says why, for people.
func (p *Provider) Callable() (ok bool, reason string) {
	if p.Client == nil {
		return false, "this gateway cannot speak to " + p.Name + " yet"
	}
	return true, ""
}

// Embedder is the provider's dialect as far as embeddings go, or nil if it serves none.
func (p *Provider) Embedder() dialect.Embedder {
	e, ok := p.Client.(dialect.Embedder)
	if !ok || !p.HasEmbeddings {
		return nil
	}
	return e
}

// RequestIDOf returns the provider's name for the request that it answered, without pieces of the key.
func (p *Provider) RequestIDOf(h http.Header, secret string) string {
	if p.RequestID == "" {
		return ""
	}
	return redact.Pieces(clean(h.Get(p.RequestID), maxHeader), secret)
}

// maxHeader bounds the value of a header that comes down, in bytes.
const maxHeader = 200
