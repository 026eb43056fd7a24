package gateway

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// candidate is a key that may serve the request, and the model to ask its provider for.
type candidate struct {
	*key
	model string
	// sure is false if nothing but "*" says that the provider may have the model.
	sure bool
	// named reports that the model's first segment names the provider and was cut off.
	named bool
}

// skippedKey is a key that was considered and not used.
type skippedKey struct {
	key    *key
	reason string
}

// service is what a request needs of a provider.
type service uint8

const (
	conversations service = iota
	embeddings
)

func (r *Request) service() service {
	if r.Embedding != nil {
		return embeddings
	}
	return conversations
}

// candidates returns the keys that may serve the request, in the order of trying, and the others with the reason.
func (t *table) candidates(model string, route dialect.Route, want service) (fit []candidate, skipped []skippedKey) {
	var named, sure, guessed bool
	for _, k := range t.keys {
		c, reason := k.fits(model, route, want)
		if reason != "" {
			skipped = append(skipped, skippedKey{k, reason})
			continue
		}
		named, sure, guessed = named || c.named, sure || c.sure, guessed || !c.sure
		fit = append(fit, c)
	}
	switch {
	case named:
		// "provider/model" names the provider: keys of others that happen to know an id of this form (OpenRouter)
		// are not meant.
		return skipUnless(fit, skipped, "another provider is named by the model's prefix", func(c candidate) bool { return c.named })
	case guessed && (sure || t.hasOwner(model, route)):
		return skipUnless(fit, skipped, "the model is another provider's, of which there is a key",
			func(c candidate) bool { return c.sure })
	}
	return fit, skipped
}

// hasOwner reports whether there is a key, in whatever state, of a provider that has the model and that the route allows.
func (t *table) hasOwner(model string, route dialect.Route) bool {
	return slices.ContainsFunc(t.keys, func(k *key) bool {
		return k.provider != nil && route.Allows(k.providerID) && k.provider.Has(model)
	})
}

// skipUnless moves the candidates for which keep is false to the skipped keys.
func skipUnless(fit []candidate, skipped []skippedKey, reason string, keep func(candidate) bool) ([]candidate, []skippedKey) {
	kept := fit[:0]
	for _, c := range fit {
		if keep(c) {
			kept = append(kept, c)
			continue
		}
		skipped = append(skipped, skippedKey{c.key, reason})
	}
	return kept, skipped
}

// fits returns the candidate that the key is, or the reason why the key cannot serve the request.
func (k *key) fits(model string, route dialect.Route, want service) (c candidate, reason string) {
	switch {
	case k.provider == nil:
		return c, "this version does not know the provider " + k.providerID
	case k.disabled:
		return c, "disabled"
	case k.undecryptable != "":
		return c, "its secret cannot be decrypted; enter it again"
	case !route.Allows(k.providerID):
		return c, "another provider was asked for"
	case route.Priorities != nil && !slices.Contains(route.Priorities, k.priority):
		return c, "its priority is not among allowedPriorities"
	}
	if ok, why := k.provider.Callable(); !ok {
		return c, why
	}
	if want == embeddings && k.provider.Embedder() == nil {
		return c, "its provider has no embeddings"
	}
	if model == "" {
		if k.defaultModel == "" {
			return c, "no model was asked for and the key has no default model"
		}
		return candidate{key: k, model: k.defaultModel, sure: true}, ""
	}
	id, fit := k.provider.Serves(k.allowed, model)
	if fit == provider.NoFit {
		return c, "does not serve the model " + model
	}
	named := id != model && strings.HasPrefix(model, k.providerID+"/")
	return candidate{key: k, model: id, sure: fit == provider.Sure, named: named}, ""
}

// pick returns the keys to reserve next: one, or several of equal priority to rotate among. It is empty if no candidate
// is left.
func (c *Call) pick(now int64) []candidate {
	if k, ok := c.preferred(now); ok {
		return []candidate{k}
	}
	if keys := c.pickWhere(now, func(k candidate) bool { return c.g.hints.mayServe(k.id, k.model, now) }); len(keys) > 0 {
		return keys
	}
	// A provider that did not know the model may know it now.
	return c.pickWhere(now, func(candidate) bool { return true })
}

// preferred returns the key that made the latest saved turn of the conversation, if it can be tried.
func (c *Call) preferred(now int64) (candidate, bool) {
	for _, k := range c.candidates {
		if !c.affinity.IsZero() && k.id == c.affinity && !c.tried[k.id] && c.g.hints.ready(k.id, c.entry.table.revision, now) &&
			c.g.hints.mayServe(k.id, k.model, now) {
			return k, true
		}
	}
	return candidate{}, false
}

func (c *Call) pickWhere(now int64, also func(candidate) bool) []candidate {
	var equal []candidate
	for _, k := range c.candidates {
		if len(equal) > 0 && k.priority != equal[0].priority {
			break
		}
		if c.tried[k.id] || !c.g.hints.ready(k.id, c.entry.table.revision, now) || !also(k) {
			continue
		}
		equal = append(equal, k)
		if c.strategy() == ExhaustFirst {
			break
		}
	}
	// The rotation cursor belongs to the set of ids, in order.
	slices.SortFunc(equal, func(a, b candidate) int { return bytes.Compare(a.id[:], b.id[:]) })
	return equal
}

func (c *Call) strategy() Strategy {
	return cmp.Or(c.entry.table.strategy, c.g.settings.Strategy, ExhaustFirst)
}

func idsOf(keys []candidate) []store.ID {
	ids := make([]store.ID, len(keys))
	for i, k := range keys {
		ids[i] = k.id
	}
	return ids
}
