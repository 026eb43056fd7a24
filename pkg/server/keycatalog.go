package server

import (
	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

type catalogModelView struct {
	ID              string   `json:"id"`
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

// keyCatalog lists the providers for which keys can be added, with the known models of each, aliases left out.
func (a *App) keyCatalog(c *call) error {
	providers := []catalogProviderView{}
	for _, p := range a.Providers.All() {
		if ok, _ := p.Callable(); !ok {
			continue
		}
		view := catalogProviderView{ID: p.ID, Name: p.Name, Models: []catalogModelView{}}
		for m := range catalog.Of(p.ID) {
			if m.AliasOf != "" || m.Caps.Has(catalog.Deprecated) {
				continue
			}
			view.Models = append(view.Models, catalogModelView{
				ID: m.ID, Mode: string(m.Mode), ContextWindow: dialect.Known(m.Context), MaxOutputTokens: dialect.Known(m.MaxOutput), Capabilities: m.Caps.Names(),
			})
		}
		providers = append(providers, view)
	}
	return c.replyCached(struct {
		Providers []catalogProviderView `json:"providers"`
	}{providers})
}
