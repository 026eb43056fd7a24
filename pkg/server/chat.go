package server

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// chat answers POST /api/chat.
func (a *App) chat(c *call) error { return a.answer(c, formChat, "") }

// answer takes what callers of a form ask its whole way. Errors that it returns came before the first byte of an answer.
func (a *App) answer(c *call, f form, model string) error {
	body, err := a.conversationBody(c)
	if err != nil {
		return err
	}
	q, err := a.question(f, model, c.r.Header, body)
	if err != nil {
		return err
	}
	if q.async || prefersAsync(c.r.Header) {
		return a.submit(c, q)
	}
	return a.converse(c, q)
}

func (a *App) converse(c *call, q *question) error {
	q.ask.ID, q.ask.Principal = c.id, c.who.gateway()
	call, err := a.Gateway.Start(c.r.Context(), q.ask)
	if err != nil {
		return err
	}
	defer call.Close()
	name := cmp.Or(q.ask.Route.RequestID, c.requestID())
	if !q.ask.Chat.Stream {
		answer, err := q.encode(call, name, c.begun)
		if err != nil {
			return err
		}
		describe(c.w.Header(), call)
		return c.replyRaw(http.StatusOK, answer)
	}
	describe(c.w.Header(), call)
	a.relay(c, call, q.speech.NewStreamEncoder(q.served(call, name, c.begun)), q.speech.contentType)
	return nil
}

// describe sets the headers that say who answered.
func describe(h http.Header, call *gateway.Call) {
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
