package server

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// count answers with the number of input tokens that a request has, and marks the answer if it is an estimate.
func (a *App) count(c *call, e endpointOf, model string, body []byte) error {
	recalled, err := a.recall(c.r.Context(), c.who.gateway(), e, body)
	if err != nil {
		return err
	}
	codec := e.Count(model)
	req, route, err := codec.DecodeCount(recalled.body)
	if err != nil {
		return err
	}
	if err := a.routeByHeader(c.r.Context(), c.who.gateway(), c.r.Header, &route); err != nil {
		return err
	}
	n, exact, err := a.Gateway.Count(c.r.Context(), gateway.Request{
		ID: c.id, Principal: c.who.gateway(), Chat: req, Route: route, Header: c.r.Header, Dialect: e.dialect.Name, Endpoint: e.Name,
	})
	if err != nil {
		return err
	}
	if !exact {
		c.w.Header()["X-Llm-Warnings"] = []string{"no provider counted: the number is estimated from the length of the text"}
	}
	return c.replyRaw(http.StatusOK, codec.EncodeCount(n))
}
