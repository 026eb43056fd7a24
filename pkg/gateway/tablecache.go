package gateway

import (
	"sync"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// The bounds of the cache. Beyond them arbitrary entries are dropped.
const (
	maxGrants     = 10_000
	maxTableBytes = 64 << 20
)

// tableCache keeps the grants of credentials, and each user's routing table once, however many credentials the user has.
type tableCache struct {
	maxBytes int64

	mu     sync.RWMutex
	grants map[credential]*grant
	tables map[store.ID]*table
	bytes  int64 // of the tables
}

func newTableCache() *tableCache {
	return &tableCache{maxBytes: maxTableBytes, grants: map[credential]*grant{}, tables: map[store.ID]*table{}}
}

// get returns the entry of a credential; nil if it is not there or older than the user's table.
func (tc *tableCache) get(id credential) *entry {
	tc.mu.RLock()
	defer tc.mu.RUnlock()
	g := tc.grants[id]
	if g == nil {
		return nil
	}
	t := tc.tables[g.user]
	if t == nil || t.revision != g.revision {
		return nil
	}
	return &entry{g, t}
}

// put keeps an entry that was loaded, and returns it with the table that is kept: that of the same revision, if another
// credential's load has brought it.
func (tc *tableCache) put(id credential, e *entry) *entry {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	known := tc.tables[e.user]
	switch {
	case known != nil && known.revision == e.revision:
		known.latencies.takeFrom(&e.table.latencies)
		e = &entry{e.grant, known}
	case known != nil && known.revision > e.revision:
		return e // another load was later
	case !tc.keep(e.table):
		return e
	}
	if _, ok := tc.grants[id]; !ok && len(tc.grants) >= maxGrants {
		for old := range tc.grants {
			delete(tc.grants, old)
			break
		}
	}
	tc.grants[id] = e.grant
	return e
}

// keep replaces the user's table. It reports whether there is room.
func (tc *tableCache) keep(t *table) bool {
	tc.forget(t.user)
	t.bytes = t.size()
	if t.bytes > tc.maxBytes {
		return false
	}
	for user := range tc.tables {
		if tc.bytes+t.bytes <= tc.maxBytes {
			break
		}
		tc.forget(user)
	}
	tc.tables[t.user] = t
	tc.bytes += t.bytes
	return true
}

func (tc *tableCache) forget(user store.ID) {
	if t := tc.tables[user]; t != nil {
		tc.bytes -= t.bytes
		delete(tc.tables, user)
	}
}

func (tc *tableCache) drop(id credential) {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	delete(tc.grants, id)
}

// The memory of the fixed parts, in bytes, rounded up.
const (
	tableBytes   = 256
	keyBytes     = 512
	limitBytes   = 256
	stringBytes  = 32
	latencyBytes = 128
)

// size returns about how much memory the table takes.
func (t *table) size() int64 {
	n := tableBytes + limitBytes*len(t.limits)
	n += latencyBytes * t.latencies.count()
	for _, k := range t.keys {
		n += keyBytes + len(k.name) + len(k.defaultModel) + len(k.secret) + len(k.undecryptable)
		for _, p := range k.allowed {
			n += stringBytes + len(p)
		}
	}
	return int64(n)
}
