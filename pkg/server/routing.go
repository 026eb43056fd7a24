package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// The headers by which callers of any dialect say where a request may go. Each takes a list.
const (
	providerHeader   = "X-LLM-Provider"
	prioritiesHeader = "X-LLM-Priorities"
	strategyHeader   = "X-LLM-Strategy" // one
)

// routeByHeader narrows the route to what the headers say, and checks the names of providers that are none of the table's.
// Errors: Validation, and those of the gateway.
func (a *App) routeByHeader(ctx context.Context, who gateway.Principal, h http.Header, route *dialect.Route) error {
	var issues fault.Issues
	var err error
	unknown := func(name string) bool {
		if err != nil || a.Providers.ByID(name) != nil {
			return false
		}
		var is bool
		if provider.IsSlug(name) {
			is, err = a.Gateway.IsSlug(ctx, who, name)
		}
		return !is && err == nil
	}
	if route.Provider != "" && route.Provider != dialect.Auto && unknown(route.Provider) {
		issues.Add("provider", "%s", a.unknownProvider())
	}
	for i, name := range route.Providers {
		if unknown(name) {
			issues.Add(fmt.Sprintf("allowedProviders[%d]", i), "%s", a.unknownProvider())
		}
	}
	if names := list(h, providerHeader); names != nil {
		for _, name := range names {
			if unknown(name) {
				issues.Add(providerHeader, "%s", a.unknownProvider())
			}
		}
		route.Providers = narrow(route.Providers, names)
	}
	if err != nil {
		return err
	}
	if texts := list(h, prioritiesHeader); texts != nil {
		var numbers []int64
		for _, text := range texts {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				issues.Add(prioritiesHeader, "must be whole numbers, separated by commas")
				break
			}
			numbers = append(numbers, n)
		}
		route.Priorities = narrow(route.Priorities, numbers)
	}
	if s := h.Get(strategyHeader); s != "" {
		checkStrategy(&issues, strategyHeader, s)
		route.Strategy = s
	}
	return issues.Err()
}

// checkStrategy notes a name that no strategy has.
func checkStrategy(issues *fault.Issues, path, name string) {
	var names []string
	for _, s := range gateway.Strategies() {
		names = append(names, string(s))
	}
	if !slices.Contains(names, name) {
		issues.Add(path, "must be one of %s", strings.Join(names, ", "))
	}
}

// list is the entries of a header that holds a list; nil if it is absent, empty, or "auto".
func list(h http.Header, header string) []string {
	var out []string
	for _, value := range h.Values(header) {
		for entry := range strings.SplitSeq(value, ",") {
			if entry = strings.TrimSpace(entry); entry != "" && entry != dialect.Auto {
				out = append(out, entry)
			}
		}
	}
	return out
}

// narrow is what is allowed by both; nil allows all.
func narrow[T comparable](a, b []T) []T {
	if a == nil {
		return b
	}
	both := []T{}
	for _, v := range a {
		if slices.Contains(b, v) {
			both = append(both, v)
		}
	}
	return both
}
