package server

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// count tells how many input tokens a request has, and marks the answer if that is a guess.
func (a *App) count(c *call, req *chat.Request, route dialect.Route, spoken dialect.Name) (int64, error) {
	if err := a.routeByHeader(c.r.Header, &route); err != nil {
		return 0, err
	}
	n, exact, err := a.Gateway.Count(c.r.Context(), gateway.Request{
		ID: c.id, Principal: c.who.gateway(), Chat: req, Route: route, Header: c.r.Header, Dialect: spoken,
	})
	if err == nil && !exact {
		c.w.Header()["X-Llm-Warnings"] = []string{"no provider counted: the number is estimated from the length of the text"}
	}
	return n, err
}
