package server

import (
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// listModels answers with the models that the caller's keys may serve, in the shape of the caller's dialect.
func (a *App) listModels(c *call) error {
	served, err := a.Gateway.Models(c.r.Context(), c.who.gateway())
	if err != nil {
		return err
	}
	models := make([]dialect.Model, len(served))
	for i, m := range served {
		models[i] = listed(m)
	}
	list, err := c.dialect.Models.List(models, c.query())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, list)
}

// getModel answers with the model that the path names.
func (a *App) getModel(c *call) error {
	name, err := c.model()
	if err != nil {
		return err
	}
	m, err := a.Gateway.Model(c.r.Context(), c.who.gateway(), name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, c.dialect.Models.Model(listed(m)))
}

func listed(m gateway.ServedModel) dialect.Model {
	return dialect.Model{
		ID: m.ID, Providers: m.Providers, Mode: string(m.Known.Mode), Embeds: m.Known.Mode == catalog.Embedding,
		Reasons: m.Known.Caps.Has(catalog.Reasoning), Released: released(m.Known), Context: m.Known.Context,
		MaxOutput: m.Known.MaxOutput, Capabilities: m.Known.Caps.Names(),
	}
}

// released returns the day of a model's release; 1970-01-01 if unknown.
func released(m catalog.Model) time.Time {
	day, err := time.Parse(time.DateOnly, m.Released)
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	return day
}
