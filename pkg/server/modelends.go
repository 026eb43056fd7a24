package server

import (
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// endsSoon is how long before the end of a model its users are warned.
const endsSoon = 60 * 24 * time.Hour

// endingModelView is a model that a key names and that its provider stops, or has stopped, to serve.
type endingModelView struct {
	Model       string  `json:"model"`
	EndOfLife   string  `json:"endOfLife"`   // a date
	Replacement *string `json:"replacement"` // what the provider recommends or serves instead; null: unknown
}

// today returns the date in UTC.
func (a *App) today() string { return a.Now().UTC().Format(time.DateOnly) }

// endingModels returns the models that the key names and that end within 60 days, or have ended.
func (a *App) endingModels(k *store.Key) []endingModelView {
	until := a.Now().UTC().Add(endsSoon).Format(time.DateOnly)
	views := []endingModelView{}
	for i, name := range append([]string{k.DefaultModel}, k.AllowedModels...) {
		if name == "" || strings.HasSuffix(name, "*") || i > 0 && name == k.DefaultModel {
			continue
		}
		id := strings.TrimPrefix(name, k.Provider+"/")
		if m, ok := catalog.Related(k.Provider, id); ok && m.EndOfLife != "" && m.EndOfLife <= until {
			views = append(views, endingModelView{Model: name, EndOfLife: m.EndOfLife, Replacement: textOrNull(m.Successor())})
		}
	}
	return views
}

// textOrNull returns nil for an empty text.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
