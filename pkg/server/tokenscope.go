package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// tokenScope is what a token may be used for. An empty list allows everything.
type tokenScope struct {
	AllowedModels    []string `json:"allowedModels"`
	AllowedProviders []string `json:"allowedProviders"`
	AllowedEndpoints []string `json:"allowedEndpoints"`
	MaxConcurrent    *int64   `json:"maxConcurrent"` // requests at the same time; null: no limit
	EndUsers         bool     `json:"endUsers"`      // whether it tells who is behind a request
	EndUserSource    *string  `json:"endUserSource"` // where; null: wherever one is named first
}

func viewScope(t *store.Token) tokenScope {
	s := tokenScope{t.AllowedModels, t.AllowedProviders, t.AllowedEndpoints, t.MaxConcurrent, t.EndUsers, nil}
	if t.EndUserSource != "" {
		s.EndUserSource = &t.EndUserSource
	}
	return s
}

// scopeBody is the scope in the body of a request.
type scopeBody struct {
	AllowedModels    jsonx.Optional[[]string] `json:"allowedModels"`
	AllowedProviders jsonx.Optional[[]string] `json:"allowedProviders"`
	AllowedEndpoints jsonx.Optional[[]string] `json:"allowedEndpoints"`
	MaxConcurrent    jsonx.Optional[int64]    `json:"maxConcurrent"`
	EndUsers         jsonx.Optional[bool]     `json:"endUsers"`
	EndUserSource    jsonx.Optional[string]   `json:"endUserSource"`
}

// checkScope takes the scope of a body over into the change, and notes what is wrong with it.
func (a *App) checkScope(c *call, issues *fault.Issues, in *scopeBody, change *store.TokenChange) error {
	if in.AllowedModels.Set {
		change.AllowedModels = store.To(checkPatterns(issues, "allowedModels", in.AllowedModels.Value))
	}
	if in.AllowedProviders.Set {
		var known []string
		for _, p := range a.Providers.All() {
			known = append(known, p.ID)
		}
		if slices.ContainsFunc(in.AllowedProviders.Value, func(name string) bool { return !slices.Contains(known, name) }) {
			slugs, err := a.slugs(c.r.Context(), c.who.user.ID, c.now())
			if err != nil {
				return err
			}
			known = append(known, slugs...)
		}
		change.AllowedProviders = store.To(checkNames(issues, "allowedProviders", in.AllowedProviders.Value, known))
	}
	if in.AllowedEndpoints.Set {
		change.AllowedEndpoints = store.To(checkNames(issues, "allowedEndpoints", in.AllowedEndpoints.Value, a.dialects.names()))
	}
	if in.EndUsers.Set {
		change.EndUsers = store.To(in.EndUsers.Value)
	}
	if in.EndUserSource.Set {
		change.EndUserSource = store.To(checkSource(issues, in.EndUserSource))
	}
	if in.MaxConcurrent.Set {
		change.MaxConcurrent = store.To(checkConcurrent(issues, in.MaxConcurrent))
	}
	return nil
}

// names are those of all endpoints, sorted.
func (d *dialects) names() []string {
	names := make([]string, 0, len(d.endpoints))
	for name := range d.endpoints {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func checkNames(issues *fault.Issues, path string, names, known []string) []string {
	checked := []string{}
	for i, name := range names {
		switch {
		case !slices.Contains(known, name):
			issues.Add(fmt.Sprintf("%s[%d]", path, i), "must be one of %s", strings.Join(known, ", "))
			return checked
		case !slices.Contains(checked, name):
			checked = append(checked, name)
		}
	}
	return checked
}

func checkConcurrent(issues *fault.Issues, n jsonx.Optional[int64]) *int64 {
	if n.Null {
		return nil
	}
	if n.Value < 1 || n.Value > store.MaxConcurrent {
		issues.Add("maxConcurrent", "must be a whole number from 1 to %d, or null for no limit", store.MaxConcurrent)
	}
	return &n.Value
}

// orEmpty is a list that JSON shows as [].
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// getToken shows a token with its limits.
func (a *App) getToken(c *call) error {
	id, err := c.objectID()
	if err != nil {
		return err
	}
	t, err := store.TokenByID(c.r.Context(), a.DB, c.who.user.ID, id)
	if err != nil {
		return err
	}
	limits, err := a.limits(c, store.LimitFilter{User: c.who.user.ID}, store.ID{}, func(l *store.Limit) bool { return l.SubjectID == id })
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct {
		tokenView
		Limits []gateway.LimitView `json:"limits"`
	}{viewToken(t), limits})
}
