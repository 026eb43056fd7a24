package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// Two clocks end what a provider does not answer. Until the first content of an answer a failure fails over: that is the
// commitment. A provider that says nothing has not failed, and may bill what we leave: an attempt is abandoned only if no
// event of the provider's protocol has come for a time, and one attempt of a request at most. After the first sign of life
// nothing but the idle timeout and the deadline ends an attempt.

// clock abandons an attempt that shows no sign of life.
type clock struct {
	timer  *time.Timer // nil: the attempt is not abandoned
	cancel context.CancelCauseFunc
}

// startClock starts the clock of an attempt and returns the context of its call.
func (c *Call) startClock(a *attempt, request Request) context.Context {
	ctx, cancel := context.WithCancelCause(c.ctx)
	a.clock.cancel = cancel
	if c.abandoned {
		return ctx // it has all the time that is left
	}
	timeout := c.g.settings.FirstEvent
	if !a.stream || reasons(a.key, request.Chat) {
		timeout = c.g.settings.ReasoningFirstEvent
	}
	if timeout <= 0 {
		return ctx
	}
	timeout = min(timeout, c.timeLeft()/2)
	a.clock.timer = time.AfterFunc(timeout, func() { cancel(provider.ErrNoEvent) })
	return ctx
}

// alive stops the clock: the provider works on the request.
func (k *clock) alive() {
	if k.timer != nil {
		k.timer.Stop()
	}
}

// stop stops the clock and ends what is left of the call.
func (k *clock) stop() {
	k.alive()
	if k.cancel != nil {
		k.cancel(nil)
	}
}

// reasons reports whether the model may think for minutes before it says anything.
func reasons(k candidate, req *chat.Request) bool {
	if req.Reasoning != nil {
		return true
	}
	m, ok := catalog.Related(k.providerID, k.model)
	return ok && m.Caps.Has(catalog.Reasoning)
}

// isAbandoned reports whether we ended the attempt although the provider may be working on the request, and may bill it.
func (a *attempt) isAbandoned() bool {
	return a.failure != nil && a.sent && !a.refused && !a.answerBegun &&
		(errors.Is(a.failure, provider.ErrNoEvent) || errors.Is(a.failure, provider.ErrIdleTimeout))
}

// isSignOfLife reports whether a server-sent event is one of the provider's protocol, and not there to keep the connection
// open alone: Anthropic sends ping. No recording has keepalive, an event that is said to come from OpenAI's Responses.
func isSignOfLife(name string, data []byte) bool {
	if name == "ping" || name == "keepalive" || len(bytes.TrimSpace(data)) <= len("{}") {
		return false
	}
	return len(data) > maxKeepAlive ||
		!bytes.Contains(data, []byte(`"ping"`)) && !bytes.Contains(data, []byte(`"keepalive"`))
}

// maxKeepAlive is more than the events have whose only purpose is to keep the connection open, in bytes.
const maxKeepAlive = 100

// lifeReader stops the clock at the first byte that is no white space, with which some providers keep a connection open.
type lifeReader struct {
	io.ReadCloser
	clock *clock
}

func (r *lifeReader) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	if r.clock != nil && len(bytes.TrimLeft(b[:n], " \t\r\n")) > 0 {
		r.clock.alive()
		r.clock = nil
	}
	return n, err
}
