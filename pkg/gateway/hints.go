package gateway

import (
	"maps"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// hints remember what is spent or cooling down, so that not every request tries to reserve it. They only order the
// tries: the database decides, and it is asked again before a request is refused.
type hints struct {
	mu     sync.Mutex
	users  map[store.ID]*userHints
	models map[keyModel]int64 // until when other keys come first for a model
	pages  map[store.ID]int   // by host: requests in a row that met a page of status 4xx
}

// userHints are those of one user, for one revision of the routing table: a person's change voids them.
type userHints struct {
	revision  int64
	spent     map[store.ID]int64 // keys, until when
	cooldowns map[store.CooldownID]cooldownHint
	steered   map[store.ID]int64 // limits that are reached, and until when another model serves without asking
}

type cooldownHint struct {
	until     int64
	probe     bool // after until, the cooldown has to be probed
	leased    bool // until is the end of the lease of a request of this process
	transient bool
}

// maxLeaseHint is how long, in milliseconds, another process's lease is believed in: it mostly ends earlier.
const maxLeaseHint = 30_000

type keyModel struct {
	key   store.ID
	model string
}

// maxHints bounds each map. Beyond it expired hints are dropped, or all of them, which costs a few refused reservations.
const maxHints = 50_000

func newHints() *hints {
	return &hints{users: map[store.ID]*userHints{}, models: map[keyModel]int64{}, pages: map[store.ID]int{}}
}

// readiness says when a candidate can be used, as far as is known.
type readiness struct {
	until int64 // not before; 0: now
	probe bool  // then by a probe
	// transient reports that nothing but cooldowns of transient failures keep the candidate from being used now.
	transient bool
}

func (r readiness) now(now int64) bool { return r.until <= now }

func (h *hints) readiness(t *table, k candidate, now int64) (r readiness) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[t.user]
	if u == nil || u.revision != t.revision {
		return readiness{}
	}
	r.transient = true
	if until := u.spent[k.id]; until > now {
		r.until, r.transient = until, false
	}
	if len(u.cooldowns) == 0 {
		return r
	}
	for _, id := range k.target().Cooldowns() {
		c, ok := u.cooldowns[id]
		switch {
		case !ok:
		case c.until > now:
			r.until = max(r.until, c.until)
			r.transient = r.transient && c.transient
		case c.probe:
			r.probe = true
		}
	}
	return r
}

// update takes over the status of all keys of a user.
func (h *hints) update(user store.ID, s quota.Status, now int64) {
	u := &userHints{s.Revision, map[store.ID]int64{}, map[store.CooldownID]cooldownHint{}, nil}
	for id, k := range s.Keys {
		if k.Spent() {
			u.spent[id] = nextMidnight(now)
		}
	}
	for id, c := range s.Cooldowns {
		if !c.Blocks(now) {
			continue
		}
		until := max(c.Until, min(c.LeaseUntil, now+maxLeaseHint))
		u.cooldowns[id] = cooldownHint{until: until, probe: c.HalfOpen, transient: store.Transient(c.Class)}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.users) > maxHints {
		clear(h.users)
	}
	if old := h.users[user]; old != nil && old.revision == u.revision {
		u.steered = old.steered
	}
	if len(u.spent)+len(u.cooldowns)+len(u.steered) == 0 {
		delete(h.users, user)
		return
	}
	h.users[user] = u
}

func nextMidnight(now int64) int64 { return store.DayStart(store.DayOf(now) + 1) }

// change changes the hints of a user for the routing table's revision.
func (h *hints) change(t *table, f func(u *userHints)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[t.user]
	switch {
	case u == nil || u.revision < t.revision:
		u = &userHints{t.revision, map[store.ID]int64{}, map[store.CooldownID]cooldownHint{}, nil}
		h.users[t.user] = u
	case u.revision > t.revision:
		return
	}
	f(u)
}

// coolDown records a cooldown that this process has started.
func (h *hints) coolDown(t *table, id store.CooldownID, c cooldownHint) {
	h.change(t, func(u *userHints) { u.cooldowns[id] = c })
}

// probe records that a request of this process probes the target until the given time at the latest.
func (h *hints) probe(t *table, target store.Target, until int64) {
	h.change(t, func(u *userHints) {
		for _, id := range target.Cooldowns() {
			if c, ok := u.cooldowns[id]; ok && c.probe {
				c.until, c.leased = max(c.until, until), true
				u.cooldowns[id] = c
			}
		}
	})
}

// probed records that the probe has ended. Where it failed, a cooldown has been recorded already.
func (h *hints) probed(t *table, target store.Target) {
	h.change(t, func(u *userHints) {
		for _, id := range target.Cooldowns() {
			if c, ok := u.cooldowns[id]; ok && c.leased {
				c.until, c.leased = 0, false
				u.cooldowns[id] = c
			}
		}
	})
}

// ended forgets the cooldowns.
func (h *hints) ended(t *table, ids ...store.CooldownID) {
	h.change(t, func(u *userHints) {
		for _, id := range ids {
			delete(u.cooldowns, id)
		}
	})
}

// released forgets that a key is spent, as a reservation was released.
func (h *hints) released(t *table, id store.ID) {
	h.change(t, func(u *userHints) { delete(u.spent, id) })
}

// notBefore records that the key should not be asked for the model before the time, in Unix milliseconds, unless no other
// key is left.
func (h *hints) notBefore(id store.ID, model string, until, now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.models) > maxHints {
		maps.DeleteFunc(h.models, func(_ keyModel, until int64) bool { return until <= now })
		if len(h.models) > maxHints/2 {
			clear(h.models)
		}
	}
	h.models[keyModel{id, model}] = until
}

func (h *hints) mayServe(id store.ID, model string, now int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.models[keyModel{id, model}] <= now
}

// metPage counts a request that met a page of status 4xx at the host, and returns how many did in a row.
func (h *hints) metPage(host store.ID) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.pages) > maxHints {
		clear(h.pages)
	}
	h.pages[host]++
	return h.pages[host]
}

// answered records that the provider itself answered at the host.
func (h *hints) answered(host store.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pages, host)
}
