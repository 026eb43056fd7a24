package server

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

type catalogModelView struct {
	ID              string   `json:"id"`
	EndOfLife       *string  `json:"endOfLife"` // a date; null: none is known
	Mode            string   `json:"mode"`
	Released        *string  `json:"released"` // a date
	ContextWindow   *int64   `json:"contextWindow"`
	MaxOutputTokens *int64   `json:"maxOutputTokens"`
	Capabilities    []string `json:"capabilities"`
}

type catalogProviderView struct {
	ID     string             `json:"id"`
	Name   string             `json:"name"`
	Models []catalogModelView `json:"models"`
}

// keyCatalog lists the providers for which keys can be added, with the known models of each. Aliases, and models whose end
// has come, are left out.
func (a *App) keyCatalog(c *call) error {
	today := a.today()
	providers := []catalogProviderView{}
	for _, p := range a.Providers.All() {
		if ok, _ := p.Callable(); !ok {
			continue
		}
		view := catalogProviderView{ID: p.ID, Name: p.Name, Models: []catalogModelView{}}
		for m := range catalog.Of(p.ID) {
			if m.AliasOf != "" || m.Caps.Has(catalog.Deprecated) || !m.Listed(today) {
				continue
			}
			view.Models = append(view.Models, catalogModelView{
				ID: m.ID, EndOfLife: textOrNull(m.EndOfLife), Mode: string(m.Mode), Released: textOrNull(m.Released), ContextWindow: dialect.Known(m.Context), MaxOutputTokens: dialect.Known(m.MaxOutput), Capabilities: m.Caps.Names(),
			})
		}
		providers = append(providers, view)
	}
	return c.replyCached(struct {
		Providers []catalogProviderView `json:"providers"`
	}{providers})
}

// ownModelView is a model that the caller's keys may serve. Prices are in USD per million tokens.
type ownModelView struct {
	ID              string   `json:"id"` // as requests name it
	Providers       []string `json:"providers"`
	Mode            string   `json:"mode"`
	Released        *string  `json:"released"` // a date
	ContextWindow   *int64   `json:"contextWindow"`
	MaxOutputTokens *int64   `json:"maxOutputTokens"`
	Capabilities    []string `json:"capabilities"`
	InputUSD        *float64 `json:"inputUsd"` // null: unknown
	OutputUSD       *float64 `json:"outputUsd"`
	EndOfLife       *string  `json:"endOfLife"`
	Successor       *string  `json:"successor"`
}

// ownModels lists the models that the caller's keys may serve, and suggests one to begin with.
func (a *App) ownModels(c *call) error {
	models, suggested, err := a.Gateway.ModelsAndSuggestion(c.r.Context(), c.who.gateway())
	if err != nil {
		return err
	}
	views := make([]ownModelView, len(models))
	for i, m := range models {
		k := &m.Known
		v := ownModelView{ID: m.ID, Providers: m.Providers, Mode: string(k.Mode), Released: textOrNull(k.Released), ContextWindow: dialect.Known(k.Context), MaxOutputTokens: dialect.Known(k.MaxOutput),
			Capabilities: k.Caps.Names(), EndOfLife: textOrNull(k.EndOfLife), Successor: textOrNull(k.Successor())}
		if p, ok := k.PricesAt("", 0, c.now()); ok {
			v.InputUSD, v.OutputUSD = perMillion(p.Input), perMillion(p.Output)
		}
		views[i] = v
	}
	return c.reply(http.StatusOK, struct {
		Suggested *string        `json:"suggested"`
		Models    []ownModelView `json:"models"`
	}{textOrNull(suggested), views})
}

// perMillion is the price of a million tokens in USD; nil: unknown.
func perMillion(p catalog.Pico) *float64 {
	if p == catalog.Unknown {
		return nil
	}
	usd := float64(p) / 1e6
	return &usd
}
