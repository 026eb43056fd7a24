package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// outsideScope is why a candidate is skipped that the token may not use.
const outsideScope = "the gateway token may not use its provider or this model"

// allows reports whether the token may use the candidate. A token that may use an alias may use its targets.
func (e *entry) allows(k candidate) bool {
	if providers := e.scope.AllowedProviders; len(providers) > 0 && !slices.Contains(providers, k.providerID) {
		return false
	}
	return matchesModel(e.scope.AllowedModels, k) ||
		k.of != nil && k.of.alias != "" && slices.Contains(e.scope.AllowedModels, k.of.alias)
}

// candidates returns the keys that may serve the request and that the token may use, and the others with the reason.
func (e *entry) candidates(to *target, route dialect.Route, want service) ([]candidate, []skippedKey) {
	fit, skipped := e.table.candidates(to, route, want)
	if len(e.scope.AllowedModels)+len(e.scope.AllowedProviders) == 0 {
		return fit, skipped
	}
	return skipUnless(fit, skipped, outsideScope, e.allows)
}

// allowsEndpoint returns an error if the token may not use the endpoint.
func (e *entry) allowsEndpoint(name string) error {
	if allowed := e.scope.AllowedEndpoints; name != "" && len(allowed) > 0 && !slices.Contains(allowed, name) {
		return &fault.Error{Code: fault.Forbidden, Message: fmt.Sprintf("the gateway token may not use the endpoint %s; it may use %s",
			name, strings.Join(allowed, ", "))}
	}
	return nil
}

// outOfScope returns the error for a request that nothing but the token's scope keeps from a key; nil otherwise.
func (c *Call) outOfScope() error {
	if !slices.ContainsFunc(c.skipped, func(s skippedKey) bool { return s.reason == outsideScope }) {
		return nil
	}
	scope := c.entry.scope
	details := map[string]any{}
	if len(scope.AllowedModels) > 0 {
		details["allowedModels"] = scope.AllowedModels
	}
	if len(scope.AllowedProviders) > 0 {
		details["allowedProviders"] = scope.AllowedProviders
	}
	return &fault.Error{Code: fault.Forbidden, Message: fmt.Sprintf("the gateway token may not use the model %q", clip(c.req.Chat.Model, maxModel)),
		Details: details}
}
