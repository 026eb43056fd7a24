package emulator

import (
	"encoding/json"
	"iter"
	"net/http"
	"strings"
)

// event is one event of a stream.
type event struct {
	name string // may be empty
	data any    // a json.RawMessage is sent unchanged
}

// stream is a streamed answer of a wire format.
type stream struct {
	framing framing
	comment string // the first line; may be empty
	events  iter.Seq[event]
	// failure is an error within the stream.
	failure func() []event
	// unknown is an event that no client knows.
	unknown event
}

// stream sends a stream, with the faults of the behaviour.
func (x *exchange) stream(s stream) {
	x.status = 200
	contentType := "text/event-stream; charset=utf-8"
	switch s.framing {
	case framingCRLF:
		contentType = "text/event-stream"
	case framingArray:
		contentType = "application/json; charset=UTF-8"
	}
	if x.do.ContentType != "" {
		contentType = x.do.ContentType
	}
	x.w.Header().Set("Content-Type", contentType)
	x.w.Header().Set("Cache-Control", "no-cache")
	if x.p.dress != nil {
		x.p.dress(x.w.Header(), 200, NoHint)
	}
	x.w.WriteHeader(200)
	out := newOutput(x)
	out.framing = s.framing
	out.flush()
	if !x.pause(x.do.BodyDelayMs) {
		return
	}
	if x.do.ErrorIn200 {
		for _, e := range s.failure() {
			out.event(e.name, encode(e.data))
		}
		out.end()
		return
	}
	if s.comment != "" {
		out.comment(s.comment)
	}
	if x.play(s, out) {
		out.finish()
	}
	out.end()
}

// play sends the events. It returns false if the stream ended early.
func (x *exchange) play(s stream, out *output) bool {
	sent := 0
	for e := range s.events {
		data, raw := e.data.(json.RawMessage)
		if !raw {
			data = encode(e.data)
		}
		if !x.pause(x.do.EventMs) || sent == x.do.After && x.breakOff(s, out, event{e.name, data}) {
			return false
		}
		if sent == 0 && x.do.HugeBytes > 0 {
			data = extend(data, "huge", strings.Repeat("x", x.do.HugeBytes))
		}
		if x.do.Unknown {
			out.event(s.unknown.name, encode(s.unknown.data))
			data = extend(data, "nobody_knows", unknownValue())
		}
		out.event(e.name, data)
		sent++
		if x.r.Context().Err() != nil {
			return false
		}
	}
	return true
}

func unknownValue() any { return object{"this": []int{1, 2, 3}} }

// breakOff ends the stream before the next event, if the behaviour says so.
func (x *exchange) breakOff(s stream, out *output, next event) bool {
	switch {
	case x.do.Cut == CutReset:
		out.flush()
		panic(http.ErrAbortHandler)
	case x.do.Cut == CutEOF:
		return true
	case x.do.Garbage:
		data := next.data.(json.RawMessage)
		out.event(next.name, data[:len(data)/2])
		return true
	case x.do.ErrorEvent:
		for _, e := range s.failure() {
			out.event(e.name, encode(e.data))
		}
		return true
	}
	return false
}
