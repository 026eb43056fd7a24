package server

import (
	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

type catalogModelView struct {
	ID              string   `json:"id"`
	EndOfLife       *string  `json:"endOfLife"` // a date; null: none is known
	Mode            string   `json:"mode"`
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
				ID: m.ID, EndOfLife: textOrNull(m.EndOfLife), Mode: string(m.Mode), ContextWindow: dialect.Known(m.Context), MaxOutputTokens: dialect.Known(m.MaxOutput), Capabilities: m.Caps.Names(),
			})
		}
		providers = append(providers, view)
	}
	return c.replyCached(struct {
		Providers []catalogProviderView `json:"providers"`
	}{providers})
}
