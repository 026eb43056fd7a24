package gateway

import (
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/share"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// slots bound the requests that are with providers at one time, and how many of them are one user's.
type slots struct{ *share.Pool[store.ID] }

// defaultSlots are those of Settings without UpstreamRequests.
const defaultSlots = 1000

func newSlots(n int) slots {
	if n <= 0 {
		n = defaultSlots
	}
	return slots{share.NewPool[store.ID](int64(n), 1)}
}

const slotRetry = 2 * time.Second

// take takes a slot for the user. Errors: RateLimit (the user has a share), Unavailable (there is none left).
func (s slots) take(user store.ID) error {
	switch s.Take(user, 1) {
	case share.Over:
		return &fault.Error{Code: fault.RateLimit, RetryAfter: slotRetry, Message: "as many of your requests are with providers " +
			"as one user may have at one time; try again when some of them are answered"}
	case share.Empty:
		return &fault.Error{Code: fault.Unavailable, RetryAfter: slotRetry,
			Message: "as many requests are with providers as the gateway may have (UPSTREAM_REQUESTS); try again shortly"}
	}
	return nil
}

// takeSlot takes the slot of the call, which has one from its start to its end.
func (c *Call) takeSlot() error {
	if err := c.g.slots.take(c.entry.table.user); err != nil {
		return err
	}
	c.slotOf = c.entry.table.user
	return nil
}

func (c *Call) giveSlot() {
	if !c.slotOf.IsZero() {
		c.g.slots.Give(c.slotOf, 1)
		c.slotOf = store.ID{}
	}
}
