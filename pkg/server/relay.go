package server

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// relay streams the answer. It writes and flushes once for each piece that arrives. If no key has answered yet, the client
// gets its status and heartbeats meanwhile, and a comment tells which key answers.
func (a *App) relay(c *call, call *gateway.Call, d *decodedRequest, name string) {
	out := &relayWriter{stream: c.stream(d.endpoint.StreamType), every: a.Config.Limits.Heartbeat, cancel: call.Cancel}
	defer out.stop()
	if call.Pending() {
		out.enc = out.encoder(d, dialect.Served{RequestID: name, Model: d.req.Chat.Model, Created: c.begun.Unix(), Request: d.req.Chat})
		out.pending = strings.HasPrefix(d.endpoint.StreamType, eventStream)
		out.start()
		out.beat()
		if err := call.Wait(); err != nil {
			out.fail(fault.From(err))
			return
		}
		out.name(out.encoder(d, d.served(call, name, c.begun)), answeredBy(d.endpoint.StreamType, call))
	} else {
		out.enc = out.encoder(d, d.served(call, name, c.begun))
		out.start()
	}
	var events []chat.Event
	for {
		events = call.Next(events[:0])
		if len(events) == 0 {
			return
		}
		raw, ok := call.Raw()
		if ok {
			ok = out.passthrough(raw, &events[len(events)-1], call.Fault)
		} else {
			ok = out.events(events, call.Fault)
		}
		if !ok {
			return
		}
	}
}

const eventStream = "text/event-stream"

// relayWriter writes events and, when there are none for a while, heartbeats.
type relayWriter struct {
	stream  *streamWriter
	enc     dialect.StreamEncoder
	pending bool          // no key has answered yet, and the stream has comments
	every   time.Duration // 0: no heartbeats
	cancel  func()        // called when the caller has left, or does not read

	mu    sync.Mutex
	buf   []byte
	timer *time.Timer
	ended bool
	last  []byte // not nil: the last events, which were encoded before the end of the request was written
}

// encoder returns the encoder of the answer to the request.
func (w *relayWriter) encoder(d *decodedRequest, served dialect.Served) dialect.StreamEncoder {
	enc := d.codec.NewStreamEncoder(served)
	if d.storing == nil {
		return enc
	}
	d.storing.relay = w
	return &stateEncoder{StreamEncoder: enc, storing: d.storing}
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
	if w.ended {
		return
	}
	if w.pending {
		w.send(append(w.buf[:0], ": no answer yet\n\n"...)) // a dialect's own heartbeat may not come before its first event
		return
	}
	w.send(w.enc.Heartbeat(w.buf[:0]))
}

// name replaces the encoder by one that knows who answers, and writes the comment.
func (w *relayWriter) name(enc dialect.StreamEncoder, comment string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enc, w.pending = enc, false
	if !w.ended {
		w.send(append(w.buf[:0], comment...))
	}
}

// fail writes an error instead of an answer.
func (w *relayWriter) fail(failure *fault.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.send(w.enc.Error(w.buf[:0], failure))
	}
}

// answeredBy is a comment of server-sent events with what the headers could not tell; other streams have no comments.
func answeredBy(contentType string, call *gateway.Call) string {
	if !strings.HasPrefix(contentType, eventStream) {
		return ""
	}
	h := http.Header{}
	describe(h, call)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, ": %s: %s\n", strings.ToLower(name), h.Get(name))
	}
	return b.String() + "\n"
}

// events writes events in the dialect of the caller. It returns false if the caller has left.
func (w *relayWriter) events(events []chat.Event, failure func() *fault.Error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != nil {
		return w.send(w.last)
	}
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

// prepare encodes the last events of an answer that may be stored. Mark gets them as they would go out, and returns what
// goes out.
func (w *relayWriter) prepare(events []chat.Event, raw []byte, passthrough bool, mark func([]byte) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	enc := w.enc.(*stateEncoder) // nobody else prepares
	enc.last = true
	buf := []byte{}
	if passthrough {
		buf = enc.AppendPassthrough(buf, raw, events[len(events)-1].Kind)
	} else {
		for i := range events {
			buf = enc.Encode(buf, &events[i])
		}
	}
	w.last = mark(buf)
}

// passthrough writes the bytes of a provider of the caller's dialect; last is the last event in them.
func (w *relayWriter) passthrough(raw []byte, last *chat.Event, failure func() *fault.Error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != nil {
		return w.send(w.last)
	}
	buf := w.buf[:0]
	if encoder, ok := w.enc.(dialect.PassthroughEncoder); ok {
		buf = encoder.AppendPassthrough(buf, raw, last.Kind)
	} else {
		buf = append(buf, raw...)
	}
	if last.Kind == chat.EventError {
		buf = w.enc.Error(buf, failure())
	}
	return w.send(buf)
}

// maxKept bounds the size of a buffer that is reused.
const maxKept = 64 << 10

func (w *relayWriter) send(buf []byte) bool {
	if cap(buf) <= maxKept {
		w.buf = buf
	}
	if err := w.stream.write(buf); err != nil {
		w.ended = true
		w.cancel()
		return false
	}
	if w.timer != nil {
		w.timer.Reset(w.every)
	}
	return true
}
