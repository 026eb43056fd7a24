package gateway

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

var errPanic = errors.New("panic")

// contain makes a panic while the attempt is encoded, sent or decoded a failure of the attempt. It must be deferred. The
// stack goes to the log; the client's error tells nothing of it.
func (g *Gateway) contain(a *attempt) {
	v := recover()
	if v == nil {
		return
	}
	if a.source != nil {
		a.source.close()
	}
	a.response, a.raw, a.early = nil, nil, nil
	a.failure = g.panicked(a, v)
}

func (g *Gateway) panicked(a *attempt, v any) *chat.Error {
	g.Log.Error("panic", "provider", a.key.providerID, "model", a.key.model, "what", fmt.Sprint(v), "stack", string(debug.Stack()))
	return &chat.Error{Class: chat.Transport, Message: "the gateway failed to translate", Cause: errPanic}
}

// nextOf returns the next events of the attempt's stream; a panic of a decoder is a failure of the stream.
func (c *Call) nextOf(a *attempt) (events []chat.Event) {
	defer func() {
		if v := recover(); v != nil {
			events = []chat.Event{{Kind: chat.EventError, Err: c.g.panicked(a, v)}}
		}
	}()
	return a.source.nextReady(a.source.next(c.buf[:0]))
}

// openContained is open, with an error instead of a panic.
func (c *Call) openContained() (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.g.Log.Error("panic", "request", c.req.ID.String(), "what", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fault.Wrap(errPanic, fault.Provider, "the gateway failed to translate the request")
		}
	}()
	return c.open()
}
