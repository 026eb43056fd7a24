package gateway

import (
	"maps"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// hints remember which keys are spent or cooling down, so that not every request tries to reserve them. They only
// order the tries: the database decides, and it is asked again before a request is refused.
type hints struct {
	mu     sync.Mutex
	keys   map[store.ID]hint
	models map[keyModel]int64 // until when other keys come first for a model
}

type hint struct {
	until    int64
	revision int64 // of the routing table: a person's change voids the hint
}

type keyModel struct {
	key   store.ID
	model string
}

const (
	// maxHints bounds each map. Beyond it expired hints are dropped, or all of them, which costs a few refused reservations.
	maxHints = 50_000
)

func newHints() *hints {
	return &hints{keys: map[store.ID]hint{}, models: map[keyModel]int64{}}
}

// ready reports whether the key is neither spent nor cooling down as far as is known.
func (h *hints) ready(id store.ID, revision, now int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, ok := h.keys[id]
	return !ok || k.revision != revision || k.until <= now
}

// update takes over the status of all keys of a user.
func (h *hints) update(s quota.Status, now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.keys) > maxHints {
		clear(h.keys)
	}
	for id, k := range s.Keys {
		switch {
		case k.Spent():
			h.keys[id] = hint{max(nextMidnight(now), k.CooldownUntil), s.Revision}
		case k.CoolingDown(now):
			h.keys[id] = hint{k.CooldownUntil, s.Revision}
		default:
			delete(h.keys, id)
		}
	}
}

func nextMidnight(now int64) int64 { return store.DayStart(store.DayOf(now) + 1) }

// coolDown records a cooldown that this process has started.
func (h *hints) coolDown(id store.ID, until, revision int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys[id] = hint{until, revision}
}

// released forgets that a key is spent, as a reservation was released.
func (h *hints) released(id store.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.keys, id)
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
