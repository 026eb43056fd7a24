package postgres

import "github.com/alicetears/llm-gateway/pkg/store"

// PoolStats implements [store.Pooled].
func (db *DB) PoolStats() store.PoolStats {
	p := db.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	return store.PoolStats{Max: p.max, Open: p.open, InUse: p.inUse, Waiting: len(p.waiters)}
}
