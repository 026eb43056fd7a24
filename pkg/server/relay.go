package server

import (
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// relay streams the answer: what comes in one piece goes out in one write and one flush.
func (a *App) relay(c *call, call *gateway.Call, enc dialect.StreamEncoder, contentType string) {
	out := &relayWriter{
		stream: c.stream(contentType), enc: enc, every: a.Config.Limits.Heartbeat, gone: call.Cancel,
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
			ok = out.passed(raw, &events[len(events)-1], call.Fault)
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

// passed writes what the provider sent in the caller's own dialect; last is the last event of it.
func (w *relayWriter) passed(raw []byte, last *chat.Event, failure func() *fault.Error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
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
