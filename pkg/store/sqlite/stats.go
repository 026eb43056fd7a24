package sqlite

import "github.com/alicetears/llm-gateway/pkg/store"

// PoolStats implements [store.Pooled]. Connections stay open once they are: all count as open. Who waits for one is not
// known.
func (db *DB) PoolStats() store.PoolStats {
	n := cap(db.writer) + cap(db.readers)
	return store.PoolStats{Max: n, Open: n, InUse: n - len(db.writer) - len(db.readers)}
}
