package server

import "context"

// Purge deletes what has passed its retention, however much that is, in small batches. Any number of processes may
// do so at once.
func (a *App) Purge(ctx context.Context) (n int64, err error) {
	return newRetention(a.Config, a.DB, a.Log).purge(ctx, a.Now().UnixMilli())
}
