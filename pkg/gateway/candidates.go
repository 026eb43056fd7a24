package gateway

import (
	"bytes"
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
	// of is what it serves, by which strategy, and rank its place in the order of trying, see [Call.rank].
	of       *target
	strategy Strategy
	rank     int
}

// skippedKey is a key that was considered and not used.
type skippedKey struct {
	key    *key
	model  string // for which; empty: the request has one alone
	reason string
}

// service is what a request needs of a provider.
type service uint8

const (
	conversations service = iota
	embeddings
	compactions
)

func (r *Request) service() service {
	switch {
	case r.Embedding != nil:
		return embeddings
	case r.Compact:
		return compactions
	}
	return conversations
}

// candidates returns the keys that may serve the target, in the order of trying, and the others with the reason.
func (t *table) candidates(to *target, route dialect.Route, want service) (fit []candidate, skipped []skippedKey) {
	var named, sure, guessed bool
	slug := t.customNamed(to.Model)
	if !route.Allows(slug) || to.Provider != "" && to.Provider != slug {
		slug = ""
	}
	for _, k := range t.keys {
		if slug != "" && k.providerID != slug {
			skipped = append(skipped, skippedKey{key: k, reason: otherNamed})
			continue
		}
		c, reason := k.fits(to, route, want)
		if reason != "" {
			skipped = append(skipped, skippedKey{key: k, reason: reason})
			continue
		}
		c.of = to
		named, sure, guessed = named || c.named, sure || c.sure, guessed || !c.sure
		fit = append(fit, c)
	}
	switch {
	case named:
		// "provider/model" names the provider: keys of others that happen to know an id of this form (OpenRouter)
		// are not meant.
		return skipUnless(fit, skipped, otherNamed, func(c candidate) bool { return c.named })
	case guessed && (sure || t.hasOwner(to, route)):
		return skipUnless(fit, skipped, "the model is another provider's, of which there is a key",
			func(c candidate) bool { return c.sure })
	}
	return fit, skipped
}

// otherNamed is why keys are skipped whose provider is not the one that the model's prefix names.
const otherNamed = "another provider is named by the model's prefix"

// hasOwner reports whether there is a key, in whatever state, of a provider that has the model and that the route allows.
func (t *table) hasOwner(to *target, route dialect.Route) bool {
	return slices.ContainsFunc(t.keys, func(k *key) bool {
		return k.provider != nil && route.Allows(k.providerID) && to.narrows(k) == "" && k.provider.Has(to.Model)
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
		skipped = append(skipped, skippedKey{key: c.key, reason: reason})
	}
	return kept, skipped
}

// fits returns the candidate that the key is, or the reason why the key cannot serve the request.
func (k *key) fits(to *target, route dialect.Route, want service) (c candidate, reason string) {
	model := to.Model
	switch {
	case k.provider == nil && k.undecryptable == "":
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
	if why := to.narrows(k); why != "" {
		return c, why
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
		model = k.defaultModel
		if k.custom {
			model = strings.TrimPrefix(model, k.providerID+"/")
		}
		if want == compactions && k.provider.Compactor(model) == nil {
			return c, noCompaction
		}
		return candidate{key: k, model: model, sure: true}, ""
	}
	id, fit := k.provider.Serves(k.allowed, model)
	if fit == provider.NoFit && k.custom && len(k.allowed) == 0 && (route.Provider == k.providerID || to.Provider == k.providerID) {
		id, fit = model, provider.Sure // whatever it is called: no other key is meant
	}
	if fit == provider.NoFit {
		return c, "does not serve the model " + model
	}
	if want == compactions && k.provider.Compactor(id) == nil {
		return c, noCompaction
	}
	named := id != model && strings.HasPrefix(model, k.providerID+"/")
	return candidate{key: k, model: id, sure: fit == provider.Sure, named: named}, ""
}

// noCompaction is why a candidate is skipped that would serve the model otherwise.
const noCompaction = "its provider does not shorten conversations with this model"

// choice is what to reserve next: one key, or several of equal priority to rotate among. It is empty if no candidate is
// left.
type choice struct {
	keys            []candidate
	probes          bool // takes the lease of a half-open cooldown
	passesTransient bool // every candidate cools down after a transient failure: the soonest is tried rather than refusing
}

func (p choice) empty() bool { return len(p.keys) == 0 }

// pick returns what to reserve next.
func (c *Call) pick(now int64) choice {
	for rank := range c.ranks {
		mayServe := func(k candidate) bool { return k.rank == rank && c.g.hints.mayServe(k.id, k.model, now) }
		preferred := func(k candidate) bool { return c.stays(k, rank) && c.g.hints.mayServe(k.id, k.model, now) }
		if !c.affinity.IsZero() { // the key that made the latest saved turn of the conversation
			if p := c.pickWhere(now, preferred); !p.empty() {
				return p
			}
		}
		if p := c.pickWhere(now, mayServe); !p.empty() {
			return p
		}
	}
	// A provider that did not know the model may know it now.
	if p := c.pickWhere(now, func(candidate) bool { return true }); !p.empty() {
		return p
	}
	return c.pickSoonest(now)
}

func (c *Call) pickWhere(now int64, also func(candidate) bool) choice {
	var equal []candidate
	for _, k := range c.candidates {
		if len(equal) > 0 && (k.rank != equal[0].rank || k.priority != equal[0].priority) {
			break
		}
		if c.tried[k.identity()] || c.hostHasFailed(k) || c.limited[k.identity()] != nil || !also(k) {
			continue
		}
		r := c.g.hints.readiness(c.entry.table, k, now)
		if !r.now(now) {
			continue
		}
		if r.probe {
			return choice{keys: []candidate{k}, probes: true}
		}
		equal = append(equal, k)
		if k.strategy != RoundRobin {
			break
		}
	}
	// The rotation cursor belongs to the set of ids, in order.
	slices.SortFunc(equal, func(a, b candidate) int { return bytes.Compare(a.id[:], b.id[:]) })
	return choice{keys: equal}
}

// pickSoonest returns the key whose transient cooldown ends first, if it has no other.
func (c *Call) pickSoonest(now int64) choice {
	var (
		soonest candidate
		until   int64
	)
	for _, k := range c.candidates {
		if c.tried[k.identity()] || c.hostHasFailed(k) || c.limited[k.identity()] != nil {
			continue
		}
		if r := c.g.hints.readiness(c.entry.table, k, now); r.transient && !r.now(now) && (until == 0 || r.until < until) {
			soonest, until = k, r.until
		}
	}
	if until == 0 {
		return choice{}
	}
	return choice{keys: []candidate{soonest}, passesTransient: true}
}

func targetsOf(keys []candidate) []store.Target {
	targets := make([]store.Target, len(keys))
	for i, k := range keys {
		if i > 0 && k.model == keys[0].model {
			targets[i] = store.Target{Key: k.id, Host: k.host, Model: targets[0].Model}
			continue
		}
		targets[i] = k.target()
	}
	return targets
}
