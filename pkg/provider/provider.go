// Package provider is the table of the providers that the gateway knows, and the only code
// that calls them. A provider is a row of the table: its base URL, its dialect and the rules by
// which its fields differ from the dialect's own, how it takes a key, and what its errors mean.
// Nothing outside this package and the catalogue asks for a provider by its name.
package provider

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// Auth is how a provider takes a key. It is always a header: a key in a query string ends up
// in logs.
type Auth uint8

// The headers.
const (
	Bearer       Auth = iota + 1 // Authorization: Bearer KEY
	XAPIKey                      // x-api-key: KEY
	XGoogAPIKey                  // x-goog-api-key: KEY
	APIKeyHeader                 // api-key: KEY
	NoAuth                       // none
)

// Header returns the name and the value of the header that carries the key. The name is empty if none does.
func (a Auth) Header(secret string) (name, value string) {
	switch a {
	case XAPIKey:
		return "X-Api-Key", secret
	case XGoogAPIKey:
		return "X-Goog-Api-Key", secret
	case APIKeyHeader:
		return "Api-Key", secret
	case NoAuth:
		return "", ""
	}
	return "Authorization", "Bearer " + secret
}

// Provider is a row of the table. It does not change once NewTable has returned it, and is
// safe for concurrent use.
type Provider struct {
	ID   string // as in POST /api/keys: "openai"
	Name string // for people: "OpenAI"
	// system is the name in OpenTelemetry's semantic conventions, if it is not the id.
	system  string
	BaseURL string // without a trailing slash; requests append dialect.Encoded.Path
	// Client is the codec of the provider's dialect, and holds the rules. It is nil while the gateway
	// has no such codec: keys are stored and checked all the same, but routing skips them (Callable).
	Client dialect.Client
	Auth   Auth
	// Header is sent with every request, checks included: Anthropic's version.
	Header map[string]string
	// ForwardedRequestHeaders names the headers of a caller that the provider may see, in
	// canonical form. Credentials, cookies and organisation headers are never among them.
	ForwardedRequestHeaders []string
	// RequestID is the header with the provider's id of a request, in canonical form; empty if it
	// has none. It is known from recordings, except for Groq, Together and Fireworks, where it is
	// assumed to be the usual one.
	RequestID string
	// alternate is nil if the provider serves one dialect only.
	alternate *alternateProtocol
	// Billing is what bounds of costs reckon with.
	Billing Billing
	// HasEmbeddings says whether the provider serves POST /embeddings, or its like.
	HasEmbeddings bool

	// OwnFallbacks says that the provider takes a list of models itself: OpenRouter's models.
	OwnFallbacks bool

	modelIDs modelIDs
	check    check
	// errors are the formats of the provider's error bodies: an answer in no such format came from
	// something else.
	errors  errorFormat
	signals []signal
	limits  []limitHeader
	// dayReset is the UTC hour at which the provider's daily quotas are reset.
	dayReset int

	base  *url.URL
	table *Table
	// custom says that a user has named the base URL; connections to it stay within reach.
	custom bool
	preset string // its id, if it has one
	reach  outbound.Reach
	hidden []string // values of Header that are secret
	// elsewhere says that BaseURL is at the host of no provider of the table: a proxy, or another gateway.
	elsewhere bool
}

// Elsewhere says whether requests go to a host that is no provider's own.
func (p *Provider) Elsewhere() bool { return p.elsewhere }

// Callable says whether the gateway can send chats to the provider. If not, reason says why.
func (p *Provider) Callable() (ok bool, reason string) {
	if p.custom && p.reach == outbound.Off {
		return false, "custom endpoints are turned off (" + outbound.Variable + ")"
	}
	if p.Client == nil {
		return false, "this gateway cannot speak to " + p.Name + " yet"
	}
	return true, ""
}

// Embedder returns the codec of the provider's embeddings, or nil if it serves none.
func (p *Provider) Embedder() dialect.Embedder {
	e, ok := p.Client.(dialect.Embedder)
	if !ok || !p.HasEmbeddings {
		return nil
	}
	return e
}

// RequestIDOf returns the provider's id of the request that it answered, without pieces of the key.
func (p *Provider) RequestIDOf(h http.Header, secret string) string {
	if p.RequestID == "" {
		return ""
	}
	return RedactWord(h.Get(p.RequestID), secret)
}

// maxHeader bounds the value of a forwarded response header, in bytes.
const maxHeader = 200

// System returns the provider's name in OpenTelemetry's semantic conventions (gen_ai.provider.name).
func (p *Provider) System() string { return cmp.Or(p.system, p.ID) }
