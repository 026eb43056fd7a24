package server

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// chat answers POST /api/chat.
func (a *App) chat(c *call) error { return a.converse(c, a.native) }

// converse takes a request in a dialect its whole way. Errors that it returns came before
// the first byte of an answer.
func (a *App) converse(c *call, d dialect.Server) error {
	if err := c.jsonOnly(); err != nil {
		return err
	}
	body, err := c.readBody(a.Config.Limits.MaxBodyBytes)
	if err != nil {
		return err
	}
	req, route, err := d.DecodeRequest(body)
	if err != nil {
		return err
	}
	call, err := a.Gateway.Start(c.r.Context(), gateway.Ask{
		ID: c.id, Caller: c.who.gateway(), Request: req, Route: route, Header: c.r.Header,
	})
	if err != nil {
		return err
	}
	defer call.Close()
	served := dialect.Served{
		RequestID: route.RequestID, Provider: call.Provider(), Model: call.Model(), Created: c.begun.Unix(),
		Request: req,
	}
	if served.RequestID == "" {
		served.RequestID = c.requestID()
	}
	c.describe(call)
	if !req.Stream {
		return c.replyRaw(http.StatusOK, d.EncodeResponse(call.Response(), served))
	}
	a.relay(c, call, d.NewStreamEncoder(served))
	return nil
}

// describe sets the headers that say who answered.
func (c *call) describe(call *gateway.Call) {
	h := c.w.Header()
	h["X-Llm-Provider"] = []string{headerValue(call.Provider())}
	h["X-Llm-Model"] = []string{headerValue(call.Model())}
	h["X-Llm-Key-Id"] = []string{call.KeyID().String()}
	h["X-Llm-Latency-Ms"] = []string{strconv.FormatInt(call.Latency().Milliseconds(), 10)}
	if w := call.Warnings(); len(w) > 0 {
		h["X-Llm-Warnings"] = []string{headerValue(strings.Join(w, "; "))}
	}
}

// maxHeaderValue bounds the X-LLM-* headers, in bytes.
const maxHeaderValue = 1024

// headerValue is s as printable ASCII of at most 1 kB.
func headerValue(s string) string {
	if len(s) <= maxHeaderValue && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), maxHeaderValue)]
}

// relay streams the answer: what comes in one piece goes out in one write and one flush.
func (a *App) relay(c *call, call *gateway.Call, enc dialect.StreamEncoder) {
	out := &relayWriter{
		stream: c.stream("text/event-stream; charset=utf-8"), enc: enc, every: a.Config.Limits.Heartbeat, gone: call.Cancel,
	}
	defer out.stop()
	out.start()
	var events []chat.Event
	for {
		events = call.Next(events[:0])
		if len(events) == 0 {
			return
		}
		if !out.events(events, call.Fault) {
			return
		}
	}
}

// relayWriter writes events and, when there are none for a while, heartbeats.
type relayWriter struct {
	stream *streamWriter
	enc    dialect.StreamEncoder
	every  time.Duration // 0: no heartbeats
	gone   func()        // called when the caller is gone, or does not read

	mu    sync.Mutex
	buf   []byte
	timer *time.Timer
	ended bool
}

func (w *relayWriter) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.every > 0 {
		w.timer = time.AfterFunc(w.every, w.beat)
	}
}

func (w *relayWriter) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *relayWriter) beat() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.send(w.enc.Heartbeat(w.buf[:0]))
	}
}

// events says whether the caller is still there.
func (w *relayWriter) events(events []chat.Event, failure func() *fault.Error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	buf := w.buf[:0]
	for i := range events {
		if events[i].Kind == chat.EventError {
			buf = w.enc.Error(buf, failure())
			continue
		}
		buf = w.enc.Encode(buf, &events[i])
	}
	return w.send(buf)
}

// maxKept bounds the buffer that is used again.
const maxKept = 64 << 10

func (w *relayWriter) send(buf []byte) bool {
	if cap(buf) <= maxKept {
		w.buf = buf
	}
	if err := w.stream.write(buf); err != nil {
		w.ended = true
		w.gone()
		return false
	}
	if w.timer != nil {
		w.timer.Reset(w.every)
	}
	return true
}
