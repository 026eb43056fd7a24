package provider

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/outbound"
)

// CustomID is what keys of custom endpoints have in the place of a provider's id.
const CustomID = "custom"

// AuthName says how a custom endpoint takes a key.
type AuthName string

// The names.
const (
	AuthBearer  AuthName = "bearer"
	AuthAPIKey  AuthName = "api-key"
	AuthXAPIKey AuthName = "x-api-key"
	AuthGoogle  AuthName = "x-goog-api-key"
	AuthNone    AuthName = "none"
)

// AuthNames lists the names.
func AuthNames() []string {
	return []string{string(AuthBearer), string(AuthAPIKey), string(AuthXAPIKey), string(AuthGoogle), string(AuthNone)}
}

func (n AuthName) auth() Auth {
	switch n {
	case AuthAPIKey:
		return APIKeyHeader
	case AuthXAPIKey:
		return XAPIKey
	case AuthGoogle:
		return XGoogAPIKey
	case AuthNone:
		return NoAuth
	}
	return Bearer
}

// Custom describes the endpoint of one user's key.
type Custom struct {
	Slug    string // the provider's id, and the prefix of its models
	Preset  string // empty: none
	BaseURL string
	Dialect dialect.Name // empty: that of the preset, or the usual one
	Auth    AuthName     // empty: that of the preset, or the dialect's
	// Header is sent with every request. Its values are as secret as the key.
	Header map[string]string
	// Reach is where connections may go.
	Reach outbound.Reach
}

// Dialects lists the dialects that custom endpoints may have, the usual one first.
func Dialects() []dialect.Name {
	return []dialect.Name{openai.Name, responses.Name, anthropic.Name, gemini.Name}
}

// Complete fills what the preset and the dialect decide.
func (c *Custom) Complete() {
	preset := PresetByID(c.Preset)
	if preset != nil {
		if c.BaseURL == "" && !strings.Contains(preset.BaseURL, "RESOURCE") {
			c.BaseURL = preset.BaseURL
		}
		if c.Dialect == "" {
			c.Dialect = preset.Dialect
		}
		if c.Auth == "" && (c.Dialect == "" || c.Dialect == openai.Name || c.Dialect == responses.Name) {
			c.Auth = preset.Auth
		}
	}
	if c.Dialect == "" {
		c.Dialect = openai.Name
	}
	if c.Auth != "" {
		return
	}
	switch c.Dialect {
	case anthropic.Name:
		c.Auth = AuthXAPIKey
	case gemini.Name:
		c.Auth = AuthGoogle
	default:
		c.Auth = AuthBearer
	}
}

// headerName is a token of RFC 9110.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

var slugForm = regexp.MustCompile(`^[a-z0-9-]{2,32}$`)

// IsSlug reports whether the text has the form of a slug.
func IsSlug(s string) bool { return slugForm.MatchString(s) }

// vendors are the first segments of the catalogue's ids, in lower case.
var vendors = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for m := range catalog.All() {
		if vendor, _, ok := strings.Cut(m.ID, "/"); ok {
			set[strings.ToLower(strings.TrimPrefix(vendor, "~"))] = true
		}
	}
	return set
})

// CheckSlug says what is wrong with a slug; nil: nothing.
func (t *Table) CheckSlug(s string) error {
	switch {
	case !IsSlug(s):
		return errors.New("must be 2 to 32 lower-case letters, digits and hyphens: it is the prefix of the endpoint's models")
	case t.byID[s] != nil:
		return errors.New("is the id of a provider; choose another name")
	case s == CustomID, s == dialect.Auto, t.isAuthor(s), vendors()[s]:
		return errors.New("begins the ids of other providers' models, or is reserved; choose another name")
	}
	return nil
}

const (
	maxBaseURL     = 2048 // bytes
	maxHeaders     = 32
	maxHeaderName  = 128  // bytes
	maxHeaderValue = 4096 // bytes
)

// CheckBaseURL says what is wrong with the base URL of a custom endpoint; nil: nothing. What its host resolves to is
// checked when it is called.
func CheckBaseURL(s string, reach outbound.Reach) error {
	if len(s) > maxBaseURL {
		return fmt.Errorf("must be at most %d characters long", maxBaseURL)
	}
	u, err := parseBase(s)
	if err != nil {
		return err
	}
	host := u.Hostname()
	if host == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return errors.New("must be an http or https URL with a host")
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return outbound.Check(reach, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return outbound.Check(reach, a)
	}
	return nil
}

// forbiddenHeaders are those that the connection, the gateway or a proxy decides about.
var forbiddenHeaders = []string{"Host", "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Forwarded",
	"Expect", "Via", "Accept", "Accept-Encoding", "User-Agent", ViaHeader}

// forbiddenPrefixes are the beginnings of such headers, and of those that open the metadata services of clouds.
var forbiddenPrefixes = []string{"Proxy-", "Content-", "X-Forwarded-", "Metadata", "X-Aws-Ec2-Metadata-", "X-Google-Metadata-", "Sec-"}

// CheckHeader says what is wrong with the headers of a custom endpoint; nil: nothing. The error repeats no value.
func CheckHeader(header map[string]string) error {
	if len(header) > maxHeaders {
		return fmt.Errorf("must hold at most %d headers", maxHeaders)
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		canonical, value := http.CanonicalHeaderKey(name), header[name]
		switch {
		case name == "" || len(name) > maxHeaderName || !headerName.MatchString(name):
			return fmt.Errorf("%q is no name of a header", clean(name, maxHeaderName))
		case seen[canonical]:
			return fmt.Errorf("%s is given twice", canonical)
		case slices.Contains(forbiddenHeaders, canonical), hasPrefix(canonical, forbiddenPrefixes):
			return fmt.Errorf("%s cannot be set: the connection, a proxy or the gateway decides about it", canonical)
		case len(value) > maxHeaderValue || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }):
			return fmt.Errorf("the value of %s must be printable ASCII without line breaks, at most %d bytes", canonical, maxHeaderValue)
		}
		seen[canonical] = true
	}
	return nil
}

// Custom returns the row of a custom endpoint. Only its own table does not have it: ByID does not find it.
func (t *Table) Custom(c Custom) (*Provider, error) {
	c.Complete()
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	preset := PresetByID(c.Preset)
	if preset == nil {
		preset = &Preset{Name: c.Slug, Rules: presetRules{Drop: []string{"store"}}}
	}
	p := &Provider{
		ID: c.Slug, Name: preset.Name, BaseURL: c.BaseURL, Auth: c.Auth.auth(), Header: map[string]string{},
		RequestID: "X-Request-Id", check: check{path: "/models", at: preset.ModelsAt, proves: "the endpoint answers with its list of models"},
		errors:  formatOpenAI | formatFlat | formatBare | formatAnthropic | formatGoogle | formatOpenRouter | formatXAI | formatText,
		signals: preset.signals(),
		limits:  []limitHeader{{"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"}, {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"}},
		base:    base, table: t, custom: true, preset: preset.ID, reach: c.Reach, elsewhere: true,
	}
	p.setDialect(&c, preset)
	for name, value := range c.Header {
		p.Header[http.CanonicalHeaderKey(name)] = value
		p.hidden = append(p.hidden, value)
	}
	for _, client := range p.clients() {
		client.Common().Provider = c.Slug
	}
	return p, nil
}

func (p *Provider) setDialect(c *Custom, preset *Preset) {
	switch c.Dialect {
	case anthropic.Name:
		p.cutBase("/v1") // the dialect's paths begin with it
		p.check.path = "/v1/models"
		p.Header["Anthropic-Version"] = "2023-06-01"
		p.ForwardedRequestHeaders = []string{"Anthropic-Version", "Anthropic-Beta"}
		p.Client = anthropic.Client{Rules: &anthropic.Rules{CacheMarks: true,
			CommonRules: dialect.CommonRules{ToolNames: dialect.ToolNames128, Turns: claudeTurns}}}
	case gemini.Name:
		p.cutBase("/v1beta")
		p.check.path = "/v1beta/models"
		p.Client = gemini.Client{Rules: &gemini.Rules{
			CommonRules: dialect.CommonRules{ToolNames: dialect.ToolNamesDotted, Turns: geminiTurns}}}
		p.HasEmbeddings = true
	case responses.Name:
		p.Client = responses.Client{Rules: &openai.Rules{CommonRules: dialect.CommonRules{Drop: preset.Rules.Drop}}}
	default:
		p.Client = openai.Client{Rules: preset.openAI()}
		p.HasEmbeddings = true
	}
}

// cutBase takes a version off the end of the base URL, which people copy with it.
func (p *Provider) cutBase(version string) {
	if base, ok := strings.CutSuffix(p.BaseURL, version); ok {
		p.BaseURL = base
		p.base, _ = url.Parse(base) // a prefix of a URL that was parsed
	}
}

// openAI returns the rules of the usual dialect.
func (p *Preset) openAI() *openai.Rules {
	r := &openai.Rules{
		CommonRules:     dialect.CommonRules{Drop: p.Rules.Drop},
		MaxTokens:       openai.MaxTokens,
		AsksStreamUsage: true,
		NoDeveloperRole: !p.Rules.DeveloperRole,
		NoAllowedTools:  !p.Rules.Passthrough,
		RewritesAnswers: !p.Rules.Passthrough,
		Models:          []openai.ModelRules{{Match: idPrefix(""), ThinkTags: openai.ThinkTagsSplit}},
	}
	if p.Rules.MaxTokens != "" && p.Rules.MaxTokens != "max_tokens" {
		r.MaxTokens = openai.MaxCompletionTokens
	}
	if p.Rules.ReasoningBack == "reasoning_content" {
		r.ReasoningBack = openai.ReasoningBackContent
	}
	return r
}

// IsCustom reports whether a user has named the base URL.
func (p *Provider) IsCustom() bool { return p.custom }

// RenamesDeveloper reports whether messages of the role developer go as those of the role system.
func (p *Provider) RenamesDeveloper() bool {
	client, ok := p.Client.(openai.Client)
	return ok && client.Rules != nil && client.Rules.NoDeveloperRole
}

// Redact is [Redact] with all that is secret of the provider, headers included.
func (p *Provider) Redact(err *chat.Error, secret string) {
	Redact(err, secret)
	for _, value := range p.hidden {
		Redact(err, value)
	}
}
