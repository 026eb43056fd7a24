package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/outbound"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// customBody is what the body of a key of a custom endpoint has beside the fields of all keys. A header whose value is null
// keeps the value that is stored.
type customBody struct {
	Slug    jsonx.Optional[string]                  `json:"slug"`
	BaseURL jsonx.Optional[string]                  `json:"baseUrl"`
	Preset  jsonx.Optional[string]                  `json:"preset"`
	Dialect jsonx.Optional[string]                  `json:"dialect"`
	Auth    jsonx.Optional[string]                  `json:"auth"`
	Headers jsonx.Optional[map[string]*auth.Secret] `json:"headers"`
	Prices  jsonx.Optional[json.RawMessage]         `json:"prices"`
}

// refuse notes the fields that only keys of custom endpoints have.
func (b *customBody) refuse(issues *fault.Issues) {
	for _, field := range []struct {
		name string
		set  bool
	}{{"slug", b.Slug.Set}, {"baseUrl", b.BaseURL.Set}, {"preset", b.Preset.Set}, {"dialect", b.Dialect.Set}, {"auth", b.Auth.Set},
		{"headers", b.Headers.Set}, {"prices", b.Prices.Set}} {
		if field.set {
			issues.Add(field.name, "only keys of the provider %q have it", provider.CustomID)
		}
	}
}

func (b *customBody) any() bool {
	var issues fault.Issues
	b.refuse(&issues)
	return issues.Err() != nil
}

// customKeyView is what of an endpoint is shown. Of its headers, that is the names.
type customKeyView struct {
	Slug    string                     `json:"slug"`
	BaseURL string                     `json:"baseUrl"`
	Preset  *string                    `json:"preset"`
	Dialect dialect.Name               `json:"dialect"`
	Auth    provider.AuthName          `json:"auth"`
	Headers []string                   `json:"headers"`
	Prices  map[string]json.RawMessage `json:"prices"`
}

func viewCustom(k store.Key) *customKeyView {
	if k.Custom == "" {
		return nil
	}
	var s gateway.CustomSettings
	// What cannot be read is shown empty, and the key's state says why.
	_ = json.Unmarshal([]byte(k.Custom), &s)
	v := &customKeyView{Slug: k.Provider, BaseURL: s.BaseURL, Dialect: s.Dialect, Auth: s.Auth, Headers: orEmpty(s.Headers), Prices: s.Prices}
	if s.Preset != "" {
		v.Preset = &s.Preset
	}
	return v
}

// providerName is the provider of a key as the API names it.
func providerName(k store.Key) string {
	if k.Custom != "" {
		return provider.CustomID
	}
	return k.Provider
}

func slugOf(k store.Key) string {
	if k.Custom != "" {
		return k.Provider
	}
	return ""
}

// providerOf returns the row of a key's provider, and its secret. The error says why there is none, in words for the key's
// owner.
func (a *App) providerOf(k store.Key, byAdmin bool) (*provider.Provider, string, error) {
	secret, err := a.openKey(k)
	if err != nil {
		return nil, "", fmt.Errorf("%w; enter the key again", err)
	}
	if k.Custom == "" {
		p := a.Providers.ByID(k.Provider)
		if p == nil {
			return nil, "", fmt.Errorf("this version of the gateway does not know the provider %s", k.Provider)
		}
		return p, secret, nil
	}
	custom, err := a.Gateway.ReadCustom(k.Provider, k.Custom, secret, byAdmin)
	if err != nil {
		return nil, "", err
	}
	return custom.Provider, custom.APIKey, nil
}

// keyAtProvider finds the user's key in the path, with the row of its provider and its secret.
func (a *App) keyAtProvider(c *call) (k store.KeyUse, p *provider.Provider, secret string, err error) {
	if k, err = a.key(c); err != nil {
		return k, nil, "", err
	}
	if p, secret, err = a.providerOf(k.Key, c.who.user.Role == store.RoleAdmin); err != nil {
		return k, nil, "", fault.New(fault.Conflict, "%s", err)
	}
	return k, p, secret, nil
}

// endpointChange takes the fields of a body over into the settings and the secret of an endpoint, which are those of a new
// key if old is nil.
func (a *App) endpointChange(c *call, issues *fault.Issues, in *keyBody, old *gateway.CustomKey, slug string) (gateway.CustomKey, string) {
	var k gateway.CustomKey
	if old != nil {
		k.CustomSettings, k.CustomSecret = old.CustomSettings, old.CustomSecret
	}
	reach := a.Config.CustomEndpoints.Of(c.who.user.Role == store.RoleAdmin)
	if reach == outbound.Off {
		issues.Add("provider", "custom endpoints are turned off; the operator can set %s", outbound.Variable)
		return k, slug
	}
	in.customBody.endpoint(issues, &k)
	if in.Slug.Set {
		slug = in.Slug.Value
	}
	if slug == "" && k.Preset != "" && a.Providers.CheckSlug(k.Preset) == nil {
		slug = k.Preset
	}
	if err := a.Providers.CheckSlug(slug); err != nil {
		issues.Add("slug", "%s", err)
	}
	if k.BaseURL == "" {
		issues.Add("baseUrl", "required; such as http://127.0.0.1:11434/v1")
	} else if err := provider.CheckBaseURL(k.BaseURL, reach); err != nil {
		issues.Add("baseUrl", "%s", err)
	}
	if in.APIKey.Set {
		k.APIKey = ""
		if secret := trimSecret(in.APIKey.Value.Reveal()); secret != "" {
			k.APIKey = checkSecret(issues, secret)
		}
	}
	in.customBody.header(issues, &k)
	if old != nil && !sameServer(old.BaseURL, k.BaseURL) && (keepsSecret(in, old, &k)) {
		issues.Add("baseUrl", "leads to another host: send apiKey and the values of all headers again with it")
	}
	k.Prices = in.customBody.prices(issues, slug, k.Prices)
	return k, slug
}

// endpoint takes over what says where the endpoint is and how it is spoken to.
func (b *customBody) endpoint(issues *fault.Issues, k *gateway.CustomKey) {
	custom := provider.Custom{Preset: k.Preset, BaseURL: k.BaseURL, Dialect: k.Dialect, Auth: k.Auth}
	if b.Preset.Set {
		custom.Preset = b.Preset.Value
		if custom.Preset != "" && provider.PresetByID(custom.Preset) == nil {
			var ids []string
			for _, p := range provider.Presets() {
				ids = append(ids, p.ID)
			}
			issues.Add("preset", "must be one of %s, or null", strings.Join(ids, ", "))
		}
	}
	if b.BaseURL.Set {
		custom.BaseURL = strings.TrimRight(strings.TrimSpace(b.BaseURL.Value), "/")
	}
	if b.Dialect.Set {
		custom.Dialect = dialect.Name(b.Dialect.Value)
		if names := provider.Dialects(); custom.Dialect != "" && !slices.Contains(names, custom.Dialect) {
			issues.Add("dialect", "must be one of %v", names)
		}
	}
	if b.Auth.Set {
		custom.Auth = provider.AuthName(b.Auth.Value)
		if custom.Auth != "" && !slices.Contains(provider.AuthNames(), b.Auth.Value) {
			issues.Add("auth", "must be one of %s", strings.Join(provider.AuthNames(), ", "))
		}
	}
	custom.Complete()
	k.Preset, k.BaseURL, k.Dialect, k.Auth = custom.Preset, custom.BaseURL, custom.Dialect, custom.Auth
}

func (b *customBody) header(issues *fault.Issues, k *gateway.CustomKey) {
	if b.Headers.Set {
		header := map[string]string{}
		for name, value := range b.Headers.Value {
			stored, known := k.Header[http.CanonicalHeaderKey(name)]
			switch {
			case value != nil:
				header[http.CanonicalHeaderKey(name)] = value.Reveal()
			case known:
				header[http.CanonicalHeaderKey(name)] = stored
			default:
				issues.Add("headers", "null keeps the value that is stored, and there is none of %q", printableText(name))
			}
		}
		if len(header) < len(b.Headers.Value) && issues.Err() == nil {
			issues.Add("headers", "a header is given twice")
		}
		k.Header = header
		if err := provider.CheckHeader(header); err != nil {
			issues.Add("headers", "%s", err)
		}
	}
	k.Headers = slices.Sorted(maps.Keys(k.Header))
}

// keepsSecret reports whether a stored secret would be sent to the endpoint that k has now.
func keepsSecret(in *keyBody, old, k *gateway.CustomKey) bool {
	if old.APIKey != "" && !in.APIKey.Set {
		return true
	}
	if !in.Headers.Set {
		return len(old.Header) > 0
	}
	for name, value := range in.Headers.Value {
		if value == nil && k.Header[http.CanonicalHeaderKey(name)] != "" {
			return true
		}
	}
	return false
}

func sameServer(a, b string) bool {
	u, errA := url.Parse(a)
	v, errB := url.Parse(b)
	return errA == nil && errB == nil && u.Scheme == v.Scheme && strings.EqualFold(u.Host, v.Host)
}

const maxPrices = 200

// prices reads null (unpriced), 0 (free), the prices of every model, or those by model.
func (b *customBody) prices(issues *fault.Issues, slug string, old map[string]json.RawMessage) map[string]json.RawMessage {
	if !b.Prices.Set {
		return old
	}
	if b.Prices.Null {
		return nil
	}
	const form = `must be null (unpriced), 0 (free), {"input": 0.1, "output": 0.2} in USD per million tokens, or such prices by model: {"name*": {..}}`
	text := bytes.TrimSpace(b.Prices.Value)
	if string(text) == "0" {
		text = []byte(`{"input":0,"output":0}`)
	}
	var prices map[string]json.RawMessage
	if json.Unmarshal(text, &prices) != nil || len(prices) > maxPrices {
		issues.Add("prices", form)
		return nil
	}
	if row := prices["input"]; row != nil && !bytes.HasPrefix(bytes.TrimSpace(row), []byte("{")) {
		prices = map[string]json.RawMessage{"*": text}
	}
	if len(prices) == 0 {
		return nil
	}
	if _, err := gateway.CustomPrices(slug, prices); err != nil {
		issues.Add("prices", "%s; it "+form, err)
	}
	return prices
}

// encryptCustom returns the settings and the encrypted secret of an endpoint.
func (a *App) encryptCustom(k *gateway.CustomKey, id, user store.ID) (settings string, secret store.Secret) {
	open, _ := json.Marshal(k.CustomSettings) // texts always encode
	hidden, _ := json.Marshal(k.CustomSecret)
	secret = a.encryptFor(id, user)(string(hidden))
	secret.LastFour = lastFour(k.APIKey)
	return string(open), secret
}

// customOf reads a key's endpoint as it is stored.
func (a *App) customOf(c *call, k store.Key) (*gateway.CustomKey, error) {
	secret, err := a.openKey(k)
	if err != nil {
		return nil, fault.New(fault.Conflict, "%s; delete the key and add it again", err)
	}
	custom, err := a.Gateway.ReadCustom(k.Provider, k.Custom, secret, c.who.user.Role == store.RoleAdmin)
	if err != nil {
		return nil, fault.New(fault.Conflict, "%s", err)
	}
	return custom, nil
}

// slugTaken refuses a slug that another key of the user has.
func (a *App) slugTaken(c *call, slug string, id store.ID) error {
	keys, err := store.Keys(c.r.Context(), a.DB, c.who.user.ID, store.KeyFilter{Provider: slug, Custom: true}, store.DayOf(c.now()))
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.ID != id {
			return errSlugTaken(slug)
		}
	}
	return nil
}

func errSlugTaken(slug string) error {
	return fault.New(fault.Conflict, "you have an endpoint with the slug %q already; change that one, or choose another slug", slug)
}

// slugConflict tells the conflict of two requests at the same time.
func slugConflict(err error, slug string) error {
	if store.CodeOf(err) == store.CodeConflict {
		return errSlugTaken(slug)
	}
	return err
}

type presetView struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	BaseURL string            `json:"baseUrl"`
	Auth    provider.AuthName `json:"auth"`
	Dialect dialect.Name      `json:"dialect"`
	Tested  bool              `json:"tested"`
}

// keyPresets lists what custom endpoints are known to be.
func (a *App) keyPresets(c *call) error {
	views := []presetView{}
	for _, p := range provider.Presets() {
		custom := provider.Custom{Preset: p.ID}
		custom.Complete()
		views = append(views, presetView{p.ID, p.Name, p.BaseURL, custom.Auth, custom.Dialect, p.Tested})
	}
	return c.replyCached(struct {
		Presets []presetView `json:"presets"`
	}{views})
}

// listTimeout bounds how long a server may take for its list of models when a person asks for it.
const listTimeout = 10 * time.Second

type keyModelView struct {
	ID string `json:"id"`
}

// keyModels asks the provider of a key for its models.
func (a *App) keyModels(c *call) error {
	k, p, secret, err := a.keyAtProvider(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), listTimeout)
	defer cancel()
	ids, err := a.Upstream.ListModels(ctx, p, secret)
	if err != nil {
		if err := c.r.Context().Err(); err != nil {
			return err
		}
		return fault.New(fault.Provider, "%s", provider.RedactText(err.Error(), secret))
	}
	a.Gateway.KeepList(k.ID, k.UserID, p, ids)
	views := make([]keyModelView, len(ids))
	for i, id := range ids {
		views[i].ID = id
	}
	return c.reply(http.StatusOK, struct {
		Models []keyModelView `json:"models"`
	}{views})
}

// slugs lists the slugs of the user's endpoints.
func (a *App) slugs(ctx context.Context, user store.ID, now int64) ([]string, error) {
	keys, err := store.Keys(ctx, a.DB, user, store.KeyFilter{Custom: true}, store.DayOf(now))
	list := make([]string, len(keys))
	for i := range keys {
		list[i] = keys[i].Provider
	}
	return list, err
}
