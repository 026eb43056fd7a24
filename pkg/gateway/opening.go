package gateway

import (
	"context"
	"time"

	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// openStream opens a stream, but returns without it after Settings.HeartbeatAfter: the call is pending then.
func (c *Call) openStream() error {
	if c.g.settings.HeartbeatAfter <= 0 {
		return c.openContained()
	}
	opened := make(chan error, 1)
	contain.Go(c.g.Log, "a stream", func() { opened <- c.openContained() })
	timer := time.NewTimer(c.g.settings.HeartbeatAfter)
	defer timer.Stop()
	select {
	case err := <-opened:
		return err
	case <-timer.C:
		c.opening, c.statusSent = opened, true
		return nil
	}
}

// Pending reports whether no key has answered yet, although it is time to tell the client that the request is being worked
// on. Until [Call.Wait] has returned, only Cancel and Close may be called besides.
func (c *Call) Pending() bool { return c.opening != nil }

// Wait waits until a key answers. Its error is settled already, and the last: there is no answer.
func (c *Call) Wait() error {
	if c.opening == nil {
		return nil
	}
	err := <-c.opening
	c.opening = nil
	if err == nil {
		return nil
	}
	return c.fail(err)
}

// endOpening ends a call whose client left while it was pending.
func (c *Call) endOpening() {
	if c.opening == nil {
		return
	}
	err := <-c.opening // the context is over: it ends at once
	c.opening = nil
	if err != nil {
		c.fail(fault.Wrap(context.Canceled, fault.Cancelled, "the client closed the connection"))
	}
}
