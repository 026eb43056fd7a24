package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// ServedModel is a model that a principal can use.
type ServedModel struct {
	ID string // as requests name it
	// Providers serve it, in the order in which their keys are tried.
	Providers []string
	// Known is the catalogue's entry for the first of them. If there is none, only Provider and ID are set.
	Known catalog.Model
}

// Models lists the models that the principal's enabled keys may serve, by id. It includes keys that are spent or cooling
// down, so that the list does not change with the hour. Errors: Unauthorized, Unavailable.
func (g *Gateway) Models(ctx context.Context, c Principal) ([]ServedModel, error) {
	e, _, err := g.admit(ctx, c)
	if err != nil {
		return nil, err
	}
	return g.models(ctx, e), nil
}

func (g *Gateway) models(ctx context.Context, e *entry) []ServedModel {
	today := g.Now().UTC().Format(time.DateOnly)
	byID := map[string]*ServedModel{}
	lists := g.listsOf(ctx, e.table.keys)
	for _, k := range e.table.keys {
		if !k.usable() {
			continue
		}
		for _, m := range k.models(today, lists[k.id]) {
			if !e.allows(candidate{key: k, model: m.ID}) {
				continue
			}
			id := k.listed(m.ID)
			s := byID[id]
			if s == nil {
				s = &ServedModel{ID: id, Known: m}
				byID[id] = s
			}
			if !slices.Contains(s.Providers, k.providerID) {
				s.Providers = append(s.Providers, k.providerID)
			}
		}
	}
	for i := range e.table.aliases {
		name := e.table.aliases[i].Name
		if e.table.alias(name) != &e.table.aliases[i] {
			continue // the user's own comes before it
		}
		delete(byID, name)
		if s := e.served(name); len(s.Providers) > 0 {
			byID[name] = &s
		}
	}
	models := make([]ServedModel, 0, len(byID))
	for _, s := range byID {
		models = append(models, *s)
	}
	slices.SortFunc(models, func(a, b ServedModel) int { return strings.Compare(a.ID, b.ID) })
	return models
}

// Model finds a model that the principal can use, by any name that a request may use. Errors: those of Models, and
// NotFound.
func (g *Gateway) Model(ctx context.Context, c Principal, id string) (ServedModel, error) {
	e, _, err := g.admit(ctx, c)
	if err != nil {
		return ServedModel{}, err
	}
	s := ServedModel{ID: id}
	if id != "" {
		s = e.served(id)
	}
	if len(s.Providers) == 0 {
		return s, &fault.Error{Code: fault.NotFound, Message: fmt.Sprintf("none of your keys may serve the model %q", clip(id, maxModel)),
			Details: map[string]any{"class": chat.ModelUnknown}}
	}
	return s, nil
}

// served returns what serves the name: a model, or an alias. It has no providers if nothing does.
func (e *entry) served(name string) ServedModel {
	s := ServedModel{ID: name}
	targets := e.table.targetsOf(name)
	for i := range targets {
		fit, _ := e.candidates(&targets[i], dialect.Route{}, conversations)
		for _, k := range fit {
			if len(s.Providers) == 0 {
				s.Known = known(k.providerID, k.model)
			}
			if !slices.Contains(s.Providers, k.providerID) {
				s.Providers = append(s.Providers, k.providerID)
			}
		}
	}
	return s
}

// usable reports whether the key can serve any request.
func (k *key) usable() bool {
	if k.provider == nil || k.disabled || k.undecryptable != "" {
		return false
	}
	ok, _ := k.provider.Callable()
	return ok
}

// models returns the catalogue's models that the key may serve and that its provider still answers to, and those
// that its owner named. Of a custom endpoint, they are those of its own list.
func (k *key) models(today string, list []string) []catalog.Model {
	var out []catalog.Model
	for _, name := range list {
		if len(k.allowed) == 0 || k.allowed.Match(name) || k.allowed.Match(k.listed(name)) {
			out = append(out, known(k.providerID, name))
		}
	}
	for m := range catalog.Of(k.providerID) {
		if m.Ended(today) {
			continue
		}
		if _, fit := k.provider.Serves(k.allowed, m.ID); fit != provider.NoFit {
			out = append(out, m)
		}
	}
	for _, name := range k.allowed {
		id, fit := k.provider.Serves(k.allowed, name)
		if strings.HasSuffix(name, "*") || fit == provider.NoFit {
			continue
		}
		if _, listed := catalog.Lookup(k.providerID, id); !listed && !slices.Contains(list, id) {
			out = append(out, known(k.providerID, id))
		}
	}
	return out
}

func known(providerID, id string) catalog.Model {
	m, ok := catalog.Lookup(providerID, id)
	if !ok {
		return catalog.Model{Provider: providerID, ID: id, Mode: catalog.Chat}
	}
	return m
}
