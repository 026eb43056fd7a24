package gateway

import (
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// steering is what made another model serve than the one asked for.
type steering struct {
	limit *store.Limit
	asked string // the model
}

// steerHint bounds how long requests are steered without asking whether the limit is still reached.
const steerHint = 10 * time.Second

// steer makes the fallback of a limit serve that keeps a candidate from serving. It reports whether there is one.
func (c *Call) steer(now int64) bool {
	for _, k := range c.candidates {
		b := c.limited[k.identity()]
		if b == nil || b.fallback == nil || !c.steerBy(b.fallback) {
			continue
		}
		if s := c.quotaStatus.Limits[c.steered.limit.ID]; s.Used >= c.steered.limit.Amount {
			c.g.hints.change(c.entry.table, func(u *userHints) {
				if u.steered == nil {
					u.steered = map[store.ID]int64{}
				}
				u.steered[c.steered.limit.ID] = now + steerHint.Milliseconds()
			})
		}
		return true
	}
	return false
}

// steerByHint steers the request if a limit that holds for its first candidate was found reached a moment ago.
func (c *Call) steerByHint(now int64) {
	for _, l := range c.binding(c.candidates[0]) {
		if l.Fallback != "" && c.g.hints.steers(c.entry.table, l.ID, now) && c.steerBy(l) {
			return
		}
	}
}

// steerBy makes the limit's fallback serve, unless another did already or no key has it.
func (c *Call) steerBy(l *store.Limit) bool {
	if c.steered != nil || len(c.trace.attempts) > 0 {
		return false
	}
	targets := []target{{AliasTarget: store.AliasTarget{Model: l.Fallback}}}
	fit, skipped := c.entry.candidates(&targets[0], c.req.Route, c.req.service())
	if len(fit) == 0 {
		return false
	}
	c.steered = &steering{l, c.req.Chat.Model}
	request := *c.req.Chat
	request.Model = l.Fallback
	c.req.Chat, c.targets, c.skipped, c.limited, c.ranks, c.names = &request, targets, skipped, nil, nil, 0
	strategy := c.strategyOf(&targets[0])
	for i := range fit {
		fit[i].strategy = strategy
	}
	c.rank(fit, strategy)
	c.candidates = fit
	return true
}

// steers reports whether the limit was found reached a moment ago.
func (h *hints) steers(t *table, limit store.ID, now int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[t.user]
	return u != nil && u.revision == t.revision && u.steered[limit] > now
}

// SteeredFrom returns the model that the caller asked for if a limit made another serve; else "".
func (c *Call) SteeredFrom() string {
	if c.steered == nil {
		return ""
	}
	return c.steered.asked
}
