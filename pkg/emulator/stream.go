package emulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// stream answers with server-sent events.
func (x *exchange) stream(a *answer) {
	x.status = 200
	contentType := "text/event-stream; charset=utf-8"
	if x.do.ContentType != "" {
		contentType = x.do.ContentType
	}
	x.w.Header().Set("Content-Type", contentType)
	x.w.Header().Set("Cache-Control", "no-cache")
	x.w.WriteHeader(200)
	out := newOutput(x)
	out.flush()
	if !x.pause(x.do.SilentMs) {
		return
	}
	if x.do.ErrorIn200 {
		x.errorEvent(out)
		return
	}
	if x.p.comment != "" {
		out.comment(x.p.comment)
	}
	s := &streamer{x: x, a: a, out: out}
	if s.play() {
		out.event("", []byte("[DONE]"))
	}
	out.end()
}

// streamer sends an answer's chunks.
type streamer struct {
	x    *exchange
	a    *answer
	out  *output
	sent int
}

// play is false if the stream ended early.
func (s *streamer) play() bool {
	a, p := s.a, s.x.p
	steps := []object{{"role": "assistant", "content": ""}}
	for _, piece := range pieces(a.reasoning) {
		d := object{}
		p.reason(d, piece, "")
		steps = append(steps, d)
	}
	for _, piece := range pieces(a.text) {
		steps = append(steps, s.delta(piece))
	}
	if a.refusal != "" {
		steps = append(steps, object{"refusal": a.refusal})
	}
	for s.x.do.Endless {
		if !s.chunk(s.delta("word "), nil) {
			return false
		}
	}
	if !p.wholeCalls {
		steps = append(steps, callSteps(a.calls)...)
	}
	for _, d := range steps {
		if !s.chunk(d, nil) {
			return false
		}
	}
	return s.finish()
}

// delta is a piece of text, with what some providers repeat in each chunk (recorded).
func (s *streamer) delta(text string) object {
	d := object{"content": text}
	switch s.x.p.id {
	case "openrouter", "together":
		d["role"] = "assistant"
	}
	if s.x.p.id == "together" {
		d["token_id"] = 42
	}
	return d
}

// callSteps sends each call's name first and then its arguments in pieces.
func callSteps(calls []call) []object {
	var steps []object
	for i, c := range calls {
		steps = append(steps, object{"tool_calls": []any{object{"index": i, "id": c.id, "type": "function", "function": object{"name": c.name, "arguments": ""}}}})
		args := []rune(c.arguments)
		for len(args) > 0 {
			n := min(5, len(args))
			steps = append(steps, object{"tool_calls": []any{object{"index": i, "function": object{"arguments": string(args[:n])}}}})
			args = args[n:]
		}
	}
	return steps
}

// finish sends the chunk with the finish reason, and usage where the provider has it.
func (s *streamer) finish() bool {
	p, a := s.x.p, s.a
	asked := s.x.req.StreamOptions != nil && s.x.req.StreamOptions.IncludeUsage
	usage := p.usageOf(a)
	extra := object{}
	switch {
	case p.usage == usageOnFinish || p.usage == usageIfAsked && asked:
		extra["usage"] = usage
	case p.usage == usageGroq:
		extra["x_groq"], extra["usage"] = object{"id": "req_emulated", "usage": usage}, usage
	}
	last := object{}
	if p.id == "mistral" {
		last["content"] = ""
	}
	if p.wholeCalls && len(a.calls) > 0 {
		last["tool_calls"] = callsOf(a.calls)
	}
	extra["finish"] = p.finish(a.finish)
	if !s.chunk(last, extra) {
		return false
	}
	switch {
	case p.usage == usageRepeating:
		return s.chunk(object{"role": "assistant", "content": ""}, object{"finish": a.finish, "usage": usage})
	case (p.usage == usageOwnChunk || p.usage == usageGroq) && asked:
		return s.chunk(nil, object{"usage": usage})
	}
	return true
}

// chunk sends one chunk, or what the behaviour has instead. A nil delta is a chunk without choices.
func (s *streamer) chunk(delta object, extra object) bool {
	x := s.x
	if !x.pause(x.do.EventMs) {
		return false
	}
	if s.sent == x.do.After && s.breakOff() {
		return false
	}
	c := x.frame("chat.completion.chunk")
	var finish any
	for k, v := range extra {
		if k == "finish" {
			finish = v
		} else {
			c[k] = v
		}
	}
	c["choices"] = []any{}
	if delta != nil {
		choice := object{"index": 0, "delta": delta, "finish_reason": finish}
		if x.p.id == "together" {
			choice["text"] = delta["content"]
		}
		c["choices"] = []any{choice}
	}
	if x.p.id == "openai" && x.req.StreamOptions != nil && x.req.StreamOptions.IncludeUsage {
		if c["usage"] == nil {
			c["usage"] = nil
		}
		c["obfuscation"] = "a1B2c3"
	}
	if x.p.id == "mistral" {
		c["p"] = "abcdefgh"
	}
	if s.sent == 0 && x.do.HugeBytes > 0 {
		c["huge"] = strings.Repeat("x", x.do.HugeBytes)
	}
	if x.do.Unknown {
		s.out.event("nobody.knows", []byte(`{"object":"nobody.knows","choices":[]}`))
	}
	data, _ := json.Marshal(c)
	s.out.event("", data)
	s.sent++
	return x.r.Context().Err() == nil
}

// breakOff ends the stream as the behaviour wants it.
func (s *streamer) breakOff() bool {
	switch {
	case s.x.do.Cut == CutReset:
		s.out.flush()
		panic(http.ErrAbortHandler)
	case s.x.do.Cut == CutEOF:
		return true
	case s.x.do.Garbage:
		s.out.event("", []byte(`{"choices":[{"index":0,"del`))
		return true
	case s.x.do.ErrorEvent:
		s.x.errorEvent(s.out)
		return true
	}
	return false
}

// errorEvent is an error in the middle of a stream, in the provider's form.
func (x *exchange) errorEvent(out *output) {
	name, body := "", x.p.errorIn200()
	switch x.p.id {
	case "groq":
		name, body = "error", object{"error": object{"message": "Upstream is overloaded", "type": "server_error", "status_code": 503}}
	case "openrouter":
		c := x.frame("chat.completion.chunk")
		c["error"] = object{"code": 503, "message": "Upstream is overloaded"}
		c["choices"] = []any{object{"index": 0, "delta": object{"content": ""}, "finish_reason": "error"}}
		body = c
	}
	data, _ := json.Marshal(body)
	out.event(name, data)
	out.end()
}

// pieces cuts a text after each space, as tokens would.
func pieces(s string) []string {
	if s == "" {
		return nil
	}
	return strings.SplitAfter(s, " ")
}
