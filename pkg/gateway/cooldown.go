package gateway

import (
	"math/rand/v2"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// target returns what the candidate uses, as cooldowns see it.
func (k candidate) target() store.Target {
	return store.Target{Key: k.id, Host: k.host, Model: store.ModelKey(k.model)}
}

// hostFailure is a way in which a host can fail.
type hostFailure struct {
	id    store.CooldownID // of the host, or of a model at the host
	class chat.Class
}

// coolDown defers the statements that a failed attempt leaves in the cooldowns to the next round trip.
func (c *Call) coolDown(a *attempt, now int64) {
	defer c.endProbe(a)
	if a.inexpressible || a.cancelled {
		return // the provider did not fail
	}
	if a.failure.Evidence {
		c.g.hints.answered(a.key.host)
		if (a.probes || a.passesTransient) && !store.Transient(string(a.failure.Class)) {
			c.endTransient(a) // the host works
		}
	}
	rule := provider.FailurePolicy(a.failure, now).Cooldown
	switch {
	case rule.None():
	case a.failure.Class == chat.ModelUnknown:
		// The provider may know the model soon, and the caller is told that it does not: a hint is enough.
		c.g.hints.notBefore(a.key.id, a.key.model, rule.End(now, 0), now)
	case rule.Scope == chat.ScopeKey:
		c.startCooldown(a, &rule, a.key.id, "", now)
	case rule.Scope == chat.ScopeModel:
		c.startCooldown(a, &rule, a.key.id, a.key.model, now)
	case rule.Scope == chat.ScopeHostModel:
		c.hostFailed(a, &rule, a.key.model, now)
	case rule.Scope == chat.ScopeHost:
		c.hostFailed(a, &rule, "", now)
	}
}

// hostFailed cools the host down, or the model at the host, if so many keys failed in the same way that it is not the
// keys' fault. Else the key alone cools down for the model.
func (c *Call) hostFailed(a *attempt, rule *provider.CooldownRule, model string, now int64) {
	f := hostFailure{store.CooldownID{Subject: a.key.host, Model: store.ModelKey(model)}, a.failure.Class}
	if c.hostFailures == nil {
		c.hostFailures = map[hostFailure][]candidate{}
	}
	sameKey := func(k candidate) bool { return k.id == a.key.id }
	if !slices.ContainsFunc(c.hostFailures[f], sameKey) {
		c.hostFailures[f] = append(c.hostFailures[f], a.key)
	}
	cools := len(c.hostFailures[f]) >= provider.HostKeys
	if cools {
		c.avoidHost(f.id)
	}
	if rule.Requests > 0 {
		// The request counts once. Its own keys do not tell whether the page is about this request alone.
		if !c.metPage {
			c.metPage = true
			c.pages = c.g.hints.metPage(a.key.host)
		}
		cools = c.pages >= rule.Requests
	}
	switch {
	case cools:
		c.avoidHost(f.id)
		for _, k := range c.hostFailures[f] {
			c.deferred = append(c.deferred, store.EndModelCooldown(k.id, k.model))
			c.g.hints.ended(c.entry.table, store.CooldownID{Subject: k.id, Model: store.ModelKey(k.model)})
		}
		c.startCooldown(a, rule, a.key.host, model, now)
	case rule.Alone == chat.ScopeModel:
		c.startCooldown(a, rule, a.key.id, a.key.model, now)
	case rule.Alone == chat.ScopeKey:
		c.startCooldown(a, rule, a.key.id, "", now)
	}
}

// avoidHost keeps the rest of this request from the host, or from the model at the host.
func (c *Call) avoidHost(id store.CooldownID) {
	if !slices.Contains(c.failedHosts, id) {
		c.failedHosts = append(c.failedHosts, id)
	}
}

// hostHasFailed reports whether the host, or the candidate's model there, has failed this request with several keys.
func (c *Call) hostHasFailed(k candidate) bool {
	return slices.ContainsFunc(c.failedHosts, func(id store.CooldownID) bool {
		return id.Subject == k.host && (id.Model == store.AllModels || id.Model == store.ModelKey(k.model))
	})
}

func (c *Call) startCooldown(a *attempt, rule *provider.CooldownRule, subject store.ID, model string, now int64) {
	f := store.Failure{
		User: c.entry.table.user, Revision: c.entry.table.revision, Subject: subject, Model: model,
		Now: now, Began: a.started.UnixMilli(), Until: rule.Until, HalfOpen: rule.HalfOpen,
		Class: string(a.failure.Class), Message: clip(a.failure.Message, maxMessage),
	}
	jitter := 1.0
	if rule.Scope == chat.ScopeHost || rule.Scope == chat.ScopeHostModel {
		jitter = 0.75 + 0.5*rand.Float64()
	}
	for i, step := range rule.Steps {
		f.Steps[i] = int64(jitter * float64(step.Milliseconds()))
	}
	table, id := c.entry.table, store.CooldownID{Subject: subject, Model: store.ModelKey(model)}
	hint := cooldownHint{until: now + f.Steps[0], probe: true, transient: store.Transient(f.Class)}
	if f.Until > 0 {
		hint.until = min(f.Until, now+store.MaxCooldown)
	}
	c.g.hints.coolDown(table, id, hint)
	stmt := store.StartCooldown(f)
	stmt.Each = func(r store.Row) error { // the end depends on the failures before
		err := r.Scan(&hint.until)
		c.g.hints.coolDown(table, id, hint)
		return err
	}
	c.deferred = append(c.deferred, stmt)
}

// endProbe releases the leases of an attempt that failed, after its failure has started its cooldown.
func (c *Call) endProbe(a *attempt) {
	if a.probes && !a.works() {
		c.releaseLease(a.key)
	}
}

func (c *Call) releaseLease(k candidate) {
	target := k.target()
	c.deferred = append(c.deferred, store.ReleaseLease(target, c.req.ID))
	c.g.hints.probed(c.entry.table, target)
}

// works reports whether the provider answered and nothing but the caller or the deadline ended the answer.
func (a *attempt) works() bool {
	return !a.firstByte.IsZero() && (a.failure == nil || a.cancelled)
}

// succeeded defers the statements by which an attempt that works ends the cooldowns that it passed.
func (c *Call) succeeded(a *attempt) {
	c.g.hints.answered(a.key.host)
	if a.probes {
		target := a.key.target()
		c.deferred = append(c.deferred, store.EndProbe(target, c.req.ID))
		ids := target.Cooldowns()
		c.g.hints.ended(c.entry.table, ids[:]...)
	}
	if a.passesTransient {
		c.endTransient(a)
	}
}

func (c *Call) endTransient(a *attempt) {
	target := a.key.target()
	c.deferred = append(c.deferred, store.EndTransient(target))
	c.g.hints.change(c.entry.table, func(u *userHints) {
		for _, id := range target.Cooldowns() {
			if u.cooldowns[id].transient {
				delete(u.cooldowns, id)
			}
		}
	})
}

// coolingDown returns the cooldown that keeps the candidate from being used longest, by the last refresh.
func (c *Call) coolingDown(k candidate, now int64) (longest store.Cooldown, ok bool) {
	for _, cooldown := range c.quotaStatus.CoolingDown(k.target(), now) {
		if cooldown.Until > longest.Until {
			longest, ok = cooldown, true
		}
	}
	return longest, ok
}
