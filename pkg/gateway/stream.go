package gateway

import (
	"cmp"
	"context"
	"errors"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Next waits for the next events of a stream and appends them to out. The last are one EventUsage, unless the stream
// failed, and EventEnd or EventError. The request is settled before Next returns these, so that whoever reads a stream
// to its end finds its row. After them, Next returns nothing. An EventError's Err is for the log; the client gets
// [Call.Fault].
func (c *Call) Next(out []chat.Event) []chat.Event {
	for n := len(out); len(out) == n && !c.ended; {
		for _, ev := range c.read() {
			if out = c.deliver(out, ev); c.ended {
				break
			}
		}
	}
	return out
}

// Raw returns the bytes of the events that Next returned last, as the provider sent them in the client's dialect,
// without a failure among them. ok is false if the events have to be encoded. The bytes are valid until the next call of
// Next, and returned once.
func (c *Call) Raw() (raw []byte, ok bool) {
	s := c.current.source
	if s == nil || s.passthrough == nil {
		return nil, false
	}
	raw, s.raw = s.raw, s.raw[:0]
	return raw, true
}

// read waits for the next events of the provider.
func (c *Call) read() []chat.Event {
	a := c.current
	if first := a.early; first != nil {
		a.early = nil
		return first
	}
	c.buf = c.nextOf(a)
	return c.buf
}

// deliver counts an event and appends it to out.
func (c *Call) deliver(out []chat.Event, ev chat.Event) []chat.Event {
	c.meter.count(&ev)
	c.collect(&ev)
	switch ev.Kind {
	case chat.EventUsage:
		return out // it comes once, at the end
	case chat.EventEnd:
		c.ended = true
		usage := c.meter.usage(&c.req)
		out = append(out, chat.Event{Kind: chat.EventUsage, Usage: usage}, ev)
		c.atEnd(out)
		c.settle(outcome{store.Answered, 200, nil}, usage)
		return out
	case chat.EventError:
		c.ended = true
		c.failStream(ev.Err)
	}
	return append(out, ev)
}

// atEnd hands the end of an answer to who wants to store something with it.
func (c *Call) atEnd(last []chat.Event) {
	if c.req.AtEnd == nil {
		return
	}
	raw, passthrough := []byte(nil), false
	if s := c.current.source; s != nil && s.passthrough != nil {
		raw, passthrough = s.raw, true
	}
	c.deferred = append(c.deferred, c.req.AtEnd(c, last, raw, passthrough)...)
}

// failStream settles a stream that failed after it was committed.
func (c *Call) failStream(failure *chat.Error) {
	a := c.current
	if a.failure == nil {
		c.g.setFailure(a, failure)
	}
	a.cancelled = c.ctx.Err() != nil
	c.recordFailure(a, c.nowMs())
	c.settle(c.brokenOutcome(), c.meter.usage(&c.req))
}

func (c *Call) brokenOutcome() outcome {
	switch err := c.ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		return outcome{store.DeadlinePassed, 200, nil}
	case err != nil && !errors.Is(context.Cause(c.ctx), ErrStopping):
		return outcome{store.CallerLeft, 200, nil}
	}
	return outcome{store.Broken, 200, nil}
}

// Fault returns the error that the client gets after an EventError.
func (c *Call) Fault() *fault.Error {
	if err := c.ctx.Err(); err != nil {
		return fault.From(c.contextError(err))
	}
	return c.providerFault(c.current)
}

// Cancel ends the call from another goroutine, as if the client had disconnected.
func (c *Call) Cancel() { c.cancel() }

// Close ends the call. If the answer was not read to its end, the request to the provider is cancelled and settled as
// one whose client has disconnected.
func (c *Call) Close() {
	defer c.giveSlot()
	c.cancel()
	c.endOpening()
	if a := c.current; a != nil && a.source != nil {
		a.source.close()
	}
	if !c.settled {
		c.abandon()
	}
	if c.g.OnSettled != nil {
		first := c.last != nil && c.last.reservation.Used == 1
		c.g.OnSettled(context.WithoutCancel(c.ctx), Settled{At: c.nowMs(), FirstOfDay: first})
	}
}

// abandon settles a committed call whose client did not wait for the end.
func (c *Call) abandon() {
	a := c.current
	for i := range a.early {
		c.meter.count(&a.early[i])
	}
	a.cancelled = true
	if a.failure == nil {
		a.failure = &chat.Error{Class: chat.Transport, Message: "the client closed the connection", Cause: context.Canceled}
		a.answerBegun = true // the provider had the request and was working on it
	}
	c.recordFailure(a, c.nowMs())
	o := outcome{store.CallerLeft, 200, nil}
	if !a.stream {
		o.status = fault.Cancelled.Status()
	}
	c.settle(o, c.meter.usage(&c.req))
}

// finishWhole settles a whole answer.
func (c *Call) finishWhole(a *attempt) {
	if a.vectors != nil {
		c.meter.model = a.vectors.Model
		a.vectors.Model = cmp.Or(a.vectors.Model, a.key.model) // Gemini's answers do not name it
		if a.vectors.Usage == nil {
			a.vectors.Usage = c.meter.usage(&c.req)
		}
		c.ended = true
		c.settle(outcome{store.Answered, 200, nil}, a.vectors.Usage)
		return
	}
	c.response, c.meter.tier, c.meter.model = a.response, a.response.ServiceTier, a.response.Model
	usage := a.response.Usage
	c.collectWhole(a)
	if usage == nil {
		for _, ev := range chat.Events(a.response) {
			c.meter.count(&ev)
		}
		usage = c.meter.usage(&c.req)
		c.response.Usage = usage
	}
	c.ended = true
	c.atEnd(nil)
	c.settle(outcome{store.Answered, 200, nil}, usage)
}
