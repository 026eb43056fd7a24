package server

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// conversation is how callers of a route ask.
type conversation struct {
	dialect.Server
	// dialect is the server's name as that of a provider's, if providers speak it, too.
	dialect provider.Dialect
	// contentType of a streamed answer.
	contentType string
}

const eventStream = "text/event-stream; charset=utf-8"

// chat answers POST /api/chat.
func (a *App) chat(c *call) error {
	return a.converse(c, conversation{Server: a.native, contentType: eventStream})
}

// converse takes a request its whole way. Errors that it returns came before the first byte of an answer.
func (a *App) converse(c *call, d conversation) error {
	body, err := a.conversationBody(c)
	if err != nil {
		return err
	}
	req, route, err := d.DecodeRequest(body)
	if err != nil {
		return err
	}
	if err := a.routeByHeader(c, &route); err != nil {
		return err
	}
	call, err := a.Gateway.Start(c.r.Context(), gateway.Ask{
		ID: c.id, Caller: c.who.gateway(), Request: req, Route: route, Header: c.r.Header, Dialect: d.dialect, Body: body,
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
		if raw := call.RawResponse(); raw != nil {
			return c.replyRaw(http.StatusOK, raw)
		}
		return c.replyRaw(http.StatusOK, d.EncodeResponse(call.Response(), served))
	}
	a.relay(c, call, d.NewStreamEncoder(served), d.contentType)
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
