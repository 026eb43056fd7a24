package gateway

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// A suggested model has not ended, and does not end within suggestedFor: nobody should begin with a model that is about to go.
const suggestedFor = 90 * 24 * time.Hour

const (
	// currentFor is how long after its release a model is preferred to older ones, and to those whose release is unknown.
	currentFor = 550 * 24 * time.Hour
	// roomyContext is a context that programs with tools need, in tokens.
	roomyContext = 32_000
)

// ModelsAndSuggestion are [Gateway.Models], and the model with which to begin: the default model of the first key that has
// one it can serve, else the cheapest current model that takes tools. It is empty if there is no model to chat with.
func (g *Gateway) ModelsAndSuggestion(ctx context.Context, c Principal) (models []ServedModel, suggested string, err error) {
	e, _, err := g.admit(ctx, c)
	if err != nil {
		return nil, "", err
	}
	models = g.models(ctx, e)
	for _, k := range e.table.keys {
		if k.usable() && k.defaultModel != "" && len(e.served(k.defaultModel).Providers) > 0 {
			return models, k.defaultModel, nil
		}
	}
	return models, suggest(models, g.Now()), nil
}

// suggest returns the id of the best of the models to begin with: one for chat, that stays, with a price (of models
// without any, and of free ones, which are limited, the last ones), current, that takes tools and schemas, and cheap.
func suggest(models []ServedModel, now time.Time) string {
	day := now.Add(suggestedFor).UTC().Format(time.DateOnly)
	recent := now.Add(-currentFor).UTC().Format(time.DateOnly)
	type ranked struct {
		id    string
		ranks []int64 // the smaller the better, the first decides
	}
	var best *ranked
	for i := range models {
		m := &models[i].Known
		if m.Mode == catalog.Embedding {
			continue
		}
		price := int64(-1)
		if p, ok := m.PricesAt("", 0, now.UnixMilli()); ok && p.Input > 0 && p.Output > 0 {
			price = int64(p.Input)*3 + int64(p.Output) // conversations have more input
		}
		worse := func(is bool) int64 {
			if is {
				return 1
			}
			return 0
		}
		r := ranked{models[i].ID, []int64{
			worse(!m.Listed(day) || m.Caps.Has(catalog.Deprecated)), worse(price < 0), worse(m.Released < recent),
			worse(!m.Caps.Has(catalog.Tools) || m.Context < roomyContext), worse(!m.Caps.Has(catalog.JSONSchema)), worse(m.Mode != catalog.Chat), price,
		}}
		if best == nil || cmp.Or(slices.Compare(r.ranks, best.ranks), cmp.Compare(r.id, best.id)) < 0 {
			best = &r
		}
	}
	if best == nil {
		return ""
	}
	return best.id
}
