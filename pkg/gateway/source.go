package gateway

import (
	"errors"
	"io"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// source reads the stream of a provider.
type source struct {
	body          io.Closer
	events        *sse.Reader
	clock         *clock // stopped by the first sign of life; nil after it
	decoder       dialect.StreamDecoder
	forms         *body.ToolForms
	callIDs       *turns.IDs
	thinkSplitter *body.ThinkSplitter
	halves        body.Halves
	ended         bool

	// passthrough, if not nil, writes the events that next returned to raw, as the client gets them.
	passthrough dialect.StreamPassthrough
	raw         []byte
	eventNames  eventNames
}

// next appends the events of the next server-sent event that has any. After EventEnd or EventError it must not be called
// again.
func (s *source) next(out []chat.Event) []chat.Event {
	for n := len(out); len(out) == n && !s.ended; {
		name, data, err := s.events.Next()
		switch {
		case err == nil:
			if s.clock != nil && isSignOfLife(name, data) {
				s.clock.alive()
				s.clock = nil
			}
			data = s.halves.Join(data)
			before := len(out)
			out = s.translate(s.decoder.Decode(out, name, data), before)
			s.keepRaw(name, data, out[before:])
		case err == io.EOF:
			out = s.translate(s.decoder.Close(out), n)
		default:
			out = append(out, chat.Event{Kind: chat.EventError, Err: streamError(err)})
		}
		if len(out) > n {
			last := out[len(out)-1].Kind
			s.ended = last == chat.EventEnd || last == chat.EventError
		}
	}
	return out
}

// translate restores the calls of the client's tools in the events from the index on, gives calls ids of their own, and
// splits reasoning from text.
func (s *source) translate(events []chat.Event, from int) []chat.Event {
	events = s.forms.RestoreEvents(events, from)
	s.callIDs.FitEvents(events[from:])
	if s.thinkSplitter != nil {
		events = s.thinkSplitter.Split(events, from)
	}
	return events
}

// keepRaw keeps an event's bytes, unless it is a failure, which the client gets in the gateway's words.
func (s *source) keepRaw(name string, data []byte, meaning []chat.Event) {
	if s.passthrough == nil || len(meaning) > 0 && meaning[len(meaning)-1].Kind == chat.EventError {
		return
	}
	s.raw = s.passthrough.Append(s.raw, s.eventNames.redacted(name), data)
}

// eventNames takes the key out of the names of a stream's events, which are few.
type eventNames struct {
	secret string
	known  map[string]string
}

const maxEventNames = 64

func (n *eventNames) redacted(name string) string {
	if name == "" {
		return ""
	}
	shown, ok := n.known[name]
	if !ok {
		shown = provider.RedactWord(name, n.secret)
		if n.known == nil {
			n.known = map[string]string{}
		}
		if len(n.known) < maxEventNames {
			n.known[name] = shown
		}
	}
	return shown
}

// nextReady appends events that have already arrived, so that they go out in one piece.
func (s *source) nextReady(out []chat.Event) []chat.Event {
	for len(out) < maxBatch && !s.ended && s.events.Ready() {
		out = s.next(out)
	}
	return out
}

// maxBatch bounds how many events go out in one piece.
const maxBatch = 256

func streamError(err error) *chat.Error {
	var known *chat.Error
	if errors.As(err, &known) {
		return known
	}
	return &chat.Error{Class: chat.Transport, Message: "the provider's stream broke off", Cause: err}
}

func (s *source) close() { s.body.Close() }
