package server

import (
	"cmp"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// answer reads a request to the endpoint and answers it. Model is what the path says. An error that it
// returns came before the first byte of an answer.
func (a *App) answer(c *call, e endpointOf, model string) error {
	body, err := a.conversationBody(c)
	if err != nil {
		return err
	}
	if e.Count != nil {
		return a.count(c, e, model, body)
	}
	d, err := a.decode(c.r.Context(), c.who.gateway(), e, model, c.r.Header, body)
	if err != nil {
		return err
	}
	if len(d.req.Body) > len(body) { // with the conversation that it goes on with
		if err := c.hold(int64(len(d.req.Body) - len(body))); err != nil {
			return err
		}
		if err := c.holdDecoded(d.req.Body); err != nil {
			return err
		}
	}
	if d.async || prefersAsync(c.r.Header) {
		return a.submit(c, d)
	}
	return a.converse(c, d)
}

func (a *App) converse(c *call, d *decodedRequest) error {
	d.req.ID, d.req.Arrived, d.req.Principal = c.id, c.begun, c.who.gateway()
	name := cmp.Or(d.req.Route.RequestID, c.requestID())
	if d.storing != nil {
		d.storing.begin(d, func(call *gateway.Call) ([]byte, error) { return a.encode(c, d, call, name) })
	}
	call, err := a.Gateway.Start(c.r.Context(), d.req)
	if err != nil {
		return err
	}
	defer call.Close()
	if !d.req.Chat.Stream {
		answer, err := a.encode(c, d, call, name)
		if err != nil {
			return err
		}
		c.describe(call)
		return c.replyRaw(http.StatusOK, answer)
	}
	if !call.Pending() {
		c.describe(call)
	}
	a.relay(c, call, d, name)
	return nil
}

// encode writes a whole answer. The request is settled already: a panic of the codec is an answer that cannot be given.
func (a *App) encode(c *call, d *decodedRequest, call *gateway.Call, name string) (answer []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.Log.Error("panic", "request", c.requestID(), "what", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fault.New(fault.Provider, "the gateway failed to translate the provider's answer")
		}
	}()
	return d.encode(call, name, c.begun)
}

// describe sets the headers of an answer, with the limits of the token.
func (c *call) describe(call *gateway.Call) {
	describe(c.w.Header(), call)
	c.tellRateLimits(call.RateLimits())
}

// tellRateLimits sets the headers in which the dialect's clients look for the limits of their token.
func (c *call) tellRateLimits(limits []dialect.RateLimit) {
	if c.dialect.RateLimit == nil {
		return
	}
	told := http.Header{}
	for _, l := range limits {
		c.dialect.RateLimit(told, l)
	}
	h := c.w.Header()
	for name, value := range told {
		h[name] = value
		if exposed := h.Get(exposeHeader); exposed != "" {
			h.Set(exposeHeader, exposed+", "+name)
		}
	}
}

// describe sets the headers that name the provider, the model and the key of the answer.
func describe(h http.Header, call *gateway.Call) {
	h["X-Llm-Provider"] = []string{headerValue(call.Provider())}
	h["X-Llm-Model"] = []string{headerValue(call.Model())}
	h["X-Llm-Key-Id"] = []string{call.KeyID().String()}
	h["X-Llm-Latency-Ms"] = []string{strconv.FormatInt(call.Latency().Milliseconds(), 10)}
	h["X-Llm-Attempts"] = []string{strconv.Itoa(call.Attempts())}
	if alias := call.Alias(); alias != "" {
		h["X-Llm-Alias"] = []string{headerValue(alias)}
	}
	if w := call.Warnings(); len(w) > 0 {
		h["X-Llm-Warnings"] = []string{headerValue(strings.Join(w, "; "))}
	}
	if asked := call.SteeredFrom(); asked != "" {
		h["X-Llm-Steered-From"] = []string{headerValue(asked)}
	}
}

// maxHeaderValue bounds the X-LLM-* headers, in bytes.
const maxHeaderValue = 1024

// headerValue returns s as printable ASCII of at most 1 kB.
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
