package server

import (
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// relay streams the answer to the request, which has the name. It writes and flushes once for each piece that arrives.
func (a *App) relay(c *call, call *gateway.Call, d *decodedRequest, name string) {
	out := &relayWriter{
		stream: c.stream(d.endpoint.StreamType), enc: d.codec.NewStreamEncoder(d.served(call, name, c.begun)),
		every: a.Config.Limits.Heartbeat, cancel: call.Cancel,
	}
	if d.storing != nil {
		out.state = &stateEncoder{StreamEncoder: out.enc, storing: d.storing}
		out.enc, d.storing.relay = out.state, out
	}
	defer out.stop()
	out.start()
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

// relayWriter writes events and, when there are none for a while, heartbeats.
type relayWriter struct {
	stream *streamWriter
	enc    dialect.StreamEncoder
	every  time.Duration // 0: no heartbeats
	cancel func()        // called when the caller has left, or does not read
	state  *stateEncoder // is enc, if the answer may be stored

	mu    sync.Mutex
	buf   []byte
	timer *time.Timer
	ended bool
	last  []byte // not nil: the last events, which were encoded before the end of the request was written
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
	w.state.last = true
	buf := []byte{}
	if passthrough {
		buf = w.state.AppendPassthrough(buf, raw, events[len(events)-1].Kind)
	} else {
		for i := range events {
			buf = w.enc.Encode(buf, &events[i])
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
