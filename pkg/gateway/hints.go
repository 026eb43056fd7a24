package gateway

import (
	"maps"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// hints remember which keys were found spent or resting, so that not every request
// asks for them again. They only order the asking: the database decides, and before
// a request is refused for good it is asked once more.
type hints struct {
	mu      sync.Mutex
	keys    map[store.ID]hint
	unknown map[keyModel]int64 // until when a key is taken not to serve a model
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
	// maxHints bounds each map; beyond it what is over is forgotten, and if that is little everything, which costs a few refusals.
	maxHints = 50_000
	// unknownFor is how long a model that a provider did not know is asked of other keys first.
	unknownFor = 10 * 60 * 1000
)

func newHints() *hints {
	return &hints{keys: map[store.ID]hint{}, unknown: map[keyModel]int64{}}
}

// ready says whether nothing is known against the key.
func (h *hints) ready(id store.ID, revision, now int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, ok := h.keys[id]
	return !ok || k.revision != revision || k.until <= now
}

// learn takes over what the database says of all keys of a user.
func (h *hints) update(v quota.Status, now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.keys) > maxHints {
		clear(h.keys)
	}
	for id, k := range v.Keys {
		switch {
		case k.Spent():
			h.keys[id] = hint{max(nextMidnight(now), k.CooldownUntil), v.Revision}
		case k.CoolingDown(now):
			h.keys[id] = hint{k.CooldownUntil, v.Revision}
		default:
			delete(h.keys, id)
		}
	}
}

func nextMidnight(now int64) int64 { return store.DayStart(store.DayOf(now) + 1) }

// rest notes that this process has put a key to rest.
func (h *hints) coolDown(id store.ID, until, revision int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys[id] = hint{until, revision}
}

// gaveBack forgets that a key is spent: there is a place again.
func (h *hints) released(id store.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.keys, id)
}

func (h *hints) setUnknown(id store.ID, model string, now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.unknown) > maxHints {
		maps.DeleteFunc(h.unknown, func(_ keyModel, until int64) bool { return until <= now })
		if len(h.unknown) > maxHints/2 {
			clear(h.unknown)
		}
	}
	h.unknown[keyModel{id, model}] = now + unknownFor
}

func (h *hints) mayServe(id store.ID, model string, now int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unknown[keyModel{id, model}] <= now
}
