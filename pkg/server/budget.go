package server

import (
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/share"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// budget is the memory that all requests' bodies may take together, and of that no user more than a share. Beyond
// either a request is refused: waiting would hold what it already has. The zero id stands for all who are not known.
type budget struct{ *share.Pool[store.ID] }

// newBudget returns a budget. Largest is what a single request may take.
func newBudget(bytes, largest int64) *budget { return &budget{share.NewPool[store.ID](bytes, largest)} }

const budgetRetry = 2 * time.Second

// take takes n bytes for the user, or refuses with Unavailable.
func (b *budget) take(user store.ID, n int64) error {
	return refused(b.Take(user, n))
}

// grow takes n bytes more for a body that holds had, and returns how many it took, or refuses with Unavailable.
func (b *budget) grow(user store.ID, had, n int64) (int64, error) {
	taken, o := b.Grow(user, had, n)
	return taken, refused(o)
}

func refused(o share.Outcome) error {
	message := ""
	switch o {
	case share.Taken:
		return nil
	case share.Empty:
		message = "the gateway is holding as many request bodies as it can (BODY_BUDGET_BYTES); try again shortly"
	case share.Over:
		message = "your other requests hold as much of the gateway's memory as one user may have; " +
			"try again when some of them are answered"
	}
	return &fault.Error{Code: fault.Unavailable, Message: message, RetryAfter: budgetRetry}
}
