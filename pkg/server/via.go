package server

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// maxVia is the largest number of gateways that a request may have come through.
const maxVia = 3

// checkVia refuses a request that this gateway has sent itself, or that has come through too many gateways. Error:
// LoopDetected. It needs no credential: a gateway calls itself with the key of a provider, which must not be told that it
// is wrong.
func (a *App) checkVia(c *call) error {
	values := c.r.Header[provider.ViaHeader]
	if len(values) == 0 {
		return nil
	}
	gateways := strings.Split(strings.Join(values, ","), ",")
	for i := range gateways {
		gateways[i] = strings.TrimSpace(gateways[i])
	}
	switch {
	case slices.Contains(gateways, a.Secrets.InstanceID()):
		return loopDetected("the request came back to the gateway that sent it: the base URL of one of its providers " +
			"(OPENAI_BASE_URL and its like) leads to the gateway itself; remove it")
	case len(gateways) > maxVia:
		return loopDetected("the request has come through more than 3 gateways: they may call each other; " +
			"look at the base URLs of their providers")
	}
	return nil
}

func loopDetected(message string) error {
	return &fault.Error{Code: fault.LoopDetected, Message: message, Details: map[string]any{"code": fault.LoopDetected}}
}
