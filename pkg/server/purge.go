package server

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Purge deletes what has passed its retention, however much that is, in small batches. Any number of processes may
// do so at once.
func (a *App) Purge(ctx context.Context) (n int64, err error) {
	r, now := newRetention(a.Config, a.DB, a.Log), a.Now().UnixMilli()
	n, err = store.Purge(ctx, a.DB, store.Retention{
		RequestsFrom: now - r.keep.Milliseconds(), TracesFrom: now - r.traces.Milliseconds(),
	}, retentionBatch)
	for _, expired := range []func(context.Context, store.Runner, int64, int) (int64, error){store.PurgeSessions, store.PurgeTurns} {
		for gone := int64(retentionBatch); err == nil && gone == retentionBatch; {
			gone, err = expired(ctx, a.DB, now, retentionBatch)
			n += gone
		}
	}
	return n, err
}
