package server

import (
	"sync/atomic"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
)

// budget is the memory that all requests' bodies may take together. Beyond it a
// request is refused: waiting would hold what it already has.
type budget struct {
	free atomic.Int64
}

func newBudget(bytes int64) *budget {
	b := &budget{}
	b.free.Store(bytes)
	return b
}

const budgetRetry = 2 * time.Second

// take takes n bytes, or refuses with Unavailable.
func (b *budget) take(n int64) error {
	if b.free.Add(-n) < 0 {
		b.free.Add(n)
		e := fault.New(fault.Unavailable, "the gateway is holding as many request bodies as it can; try again shortly")
		e.RetryAfter = budgetRetry
		return e
	}
	return nil
}

func (b *budget) give(n int64) { b.free.Add(n) }
