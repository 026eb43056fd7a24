package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// CustomSettings are what a key of a custom endpoint stores in the open, beside its slug.
type CustomSettings struct {
	Preset  string            `json:"preset,omitempty"`
	BaseURL string            `json:"baseUrl"`
	Dialect dialect.Name      `json:"dialect"`
	Auth    provider.AuthName `json:"auth"`
	Headers []string          `json:"headers,omitempty"` // their names
	// Prices are USD per million tokens, by model; a name may end in *. Nil: unpriced.
	Prices map[string]json.RawMessage `json:"prices,omitempty"`
}

// CustomSecret is what such a key encrypts.
type CustomSecret struct {
	APIKey string            `json:"apiKey,omitempty"`
	Header map[string]string `json:"header,omitempty"`
}

// CustomKey is the endpoint of a key.
type CustomKey struct {
	CustomSettings
	CustomSecret
	Provider *provider.Provider
	prices   *catalog.Overrides // nil: unpriced
}

// ReadCustom reads a key of a custom endpoint: what it stores in the open, and its decrypted secret. ByAdmin says whose it
// is.
func (g *Gateway) ReadCustom(slug, settings, secret string, byAdmin bool) (*CustomKey, error) {
	var k CustomKey
	if json.Unmarshal([]byte(settings), &k.CustomSettings) != nil || json.Unmarshal([]byte(secret), &k.CustomSecret) != nil {
		return nil, errors.New("the settings of its endpoint cannot be read; enter them again")
	}
	var err error
	k.Provider, err = g.Providers.Custom(provider.Custom{Slug: slug, Preset: k.Preset, BaseURL: k.BaseURL, Dialect: k.Dialect, Auth: k.Auth,
		Header: k.Header, Reach: g.settings.CustomEndpoints.Of(byAdmin)})
	if err != nil {
		return nil, errors.New("the base URL of its endpoint " + err.Error())
	}
	if k.prices, err = CustomPrices(slug, k.Prices); err != nil {
		return nil, errors.New("the prices of its endpoint cannot be read: " + err.Error())
	}
	return &k, nil
}

// CustomPrices reads the prices of an endpoint; nil if there are none.
func CustomPrices(slug string, prices map[string]json.RawMessage) (*catalog.Overrides, error) {
	if prices == nil {
		return nil, nil
	}
	byName := make(map[string]json.RawMessage, len(prices))
	for name, row := range prices {
		byName[slug+"/"+strings.TrimPrefix(name, slug+"/")] = row
	}
	text, err := json.Marshal(byName)
	if err != nil {
		return nil, err
	}
	o, err := catalog.ParseOverrides(string(text))
	return &o, err
}

// setCustom makes the key one of a custom endpoint.
func (g *Gateway) setCustom(k *key, row *store.RoutingKey, user store.ID) {
	custom, err := g.ReadCustom(row.Provider, row.Custom, k.secret, row.ByAdmin)
	if err != nil {
		k.provider, k.undecryptable = nil, err.Error()
		return
	}
	k.provider, k.secret, k.prices = custom.Provider, custom.APIKey, custom.prices
	k.host = store.HostKey(user, k.providerID, k.provider.BaseURL)
}

// cost returns the cost at the key's own prices, if it has any, whatever its server reports.
func (g *Gateway) cost(k *key, r catalog.Request, u *chat.Usage) catalog.Charge {
	if k.prices != nil && u != nil {
		own := *u
		own.HasCost = false
		if charge := k.prices.Cost(r, &own); charge.Priced {
			return charge
		}
	}
	return g.Cost(r, u)
}

// dearest is cost for bounds.
func (g *Gateway) dearest(k *key, r catalog.Request, input int64) (catalog.Ceiling, error) {
	if k.prices != nil {
		if price, err := k.prices.Dearest(r, input); err == nil {
			return price, nil
		}
	}
	return g.Dearest(r, input)
}

// IsSlug reports whether the name is the slug of a custom endpoint of the principal's user, from the cache or with one round
// trip. Errors: Unauthorized, Unavailable.
func (g *Gateway) IsSlug(ctx context.Context, p Principal, name string) (bool, error) {
	e := g.tables.get(p.credential())
	if e != nil && e.table.hasSlug(name) {
		return true, nil
	}
	e, _, err := g.admit(ctx, p) // the key may be newer than the cache
	return err == nil && e.table.hasSlug(name), err
}

func (t *table) hasSlug(name string) bool {
	return slices.ContainsFunc(t.keys, func(k *key) bool { return k.custom && k.providerID == name })
}

// customNamed returns the slug that the model's prefix names; empty if no key of the table has it.
func (t *table) customNamed(model string) string {
	slug, rest, ok := strings.Cut(model, "/")
	if !ok || rest == "" {
		return ""
	}
	if !t.hasSlug(slug) {
		return ""
	}
	return slug
}

// listed returns the model as requests name it.
func (k *key) listed(model string) string {
	if !k.custom || strings.HasPrefix(model, k.providerID+"/") {
		return model
	}
	return k.providerID + "/" + model
}
