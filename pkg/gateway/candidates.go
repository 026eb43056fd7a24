package gateway

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// candidate is a key that may serve the request, and the model to ask its provider for.
type candidate struct {
	*key
	model string
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
	prefixed := false
	for _, k := range t.keys {
		c, reason, byPrefix := k.fits(model, route, want)
		if reason != "" {
			skipped = append(skipped, skippedKey{k, reason})
			continue
		}
		if byPrefix && !prefixed {
			// "provider/model" names the provider: keys of others that happen to know an
			// id of this form (OpenRouter) are not meant.
			for _, other := range fit {
				skipped = append(skipped, skippedKey{other.key, "another provider is named by the model's prefix"})
			}
			fit, prefixed = nil, true
		}
		if prefixed && !byPrefix {
			skipped = append(skipped, skippedKey{k, "another provider is named by the model's prefix"})
			continue
		}
		fit = append(fit, c)
	}
	return fit, skipped
}

// fits returns the model to ask the key's provider for, or the reason why the key cannot serve the request. byPrefix
// reports that the model's first segment names the provider and was cut off.
func (k *key) fits(model string, route dialect.Route, want service) (c candidate, reason string, byPrefix bool) {
	switch {
	case k.provider == nil:
		return c, "this version does not know the provider " + k.providerID, false
	case k.disabled:
		return c, "disabled", false
	case k.undecryptable != "":
		return c, "its secret cannot be decrypted; enter it again", false
	case !route.Allows(k.providerID):
		return c, "another provider was asked for", false
	case route.Priorities != nil && !slices.Contains(route.Priorities, k.priority):
		return c, "its priority is not among allowedPriorities", false
	}
	if ok, why := k.provider.Callable(); !ok {
		return c, why, false
	}
	if want == embeddings && k.provider.Embedder() == nil {
		return c, "its provider has no embeddings", false
	}
	if model == "" {
		if k.defaultModel == "" {
			return c, "no model was asked for and the key has no default model", false
		}
		return candidate{k, k.defaultModel}, "", false
	}
	id, ok := k.provider.Serves(k.allowed, model)
	if !ok {
		return c, "does not serve the model " + model, false
	}
	return candidate{k, id}, "", id != model && strings.HasPrefix(model, k.providerID+"/")
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
