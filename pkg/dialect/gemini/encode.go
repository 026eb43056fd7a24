package gemini

import (
	"fmt"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An encoder writes one request.
type encoder struct {
	req      *chat.Request
	rules    *dialect.Rules
	model    dialect.ModelRules // the exceptions of this model
	out      []byte
	warnings []string
	err      *chat.Error

	role   string            // of the turn that is open; empty if none is
	signed bool              // the open turn has a call, so that its next calls need no signature
	names  map[string]string // the functions of the calls so far, by the calls' ids
	beside []chat.Part       // what tools returned and a functionResponse cannot hold
}

func (e *encoder) request() {
	e.raw("{")
	rest := e.instructions()
	e.contents(rest)
	e.tools()
	e.generationConfig()
	e.serviceTier()
	e.raw("}")
	e.unsupported()
}

// unsupported names what the dialect has no field for: an unknown name is a 400
// ("Unknown name ... Cannot find field").
func (e *encoder) unsupported() {
	r := e.req
	for _, f := range [...]struct {
		name string
		said bool
	}{
		{"logit_bias", len(r.LogitBias) > 0}, {"user", r.User != ""}, {"metadata", len(r.Metadata) > 0},
		{"verbosity", r.Verbosity != ""}, {"the cache key", r.CacheKey != ""},
		{"parallel_tool_calls", r.ParallelToolCalls != nil && !*r.ParallelToolCalls && len(r.Tools) > 0},
	} {
		if f.said {
			e.warn("%s is not supported by %s: dropped", f.name, e.provider())
		}
	}
}

// serviceTier knows standard, flex and priority. Default is OpenAI's word for the first.
func (e *encoder) serviceTier() {
	tier := e.req.ServiceTier
	switch tier {
	case "", "auto":
		return
	case "default":
		tier = "standard"
	case "standard", "flex", "priority":
	default:
		e.warn("the service tier %s is not known to %s: dropped", tier, e.provider())
		return
	}
	if e.accepts("serviceTier") {
		e.member("serviceTier")
		e.str(tier)
	}
}

func (e *encoder) warn(format string, args ...any) {
	w := fmt.Sprintf(format, args...)
	if !slices.Contains(e.warnings, w) {
		e.warnings = append(e.warnings, w)
	}
}

// refuse makes the request fail. The first reason counts.
func (e *encoder) refuse(param, format string, args ...any) {
	if e.err == nil {
		e.err = &chat.Error{Class: chat.BadRequest, Param: param, Message: fmt.Sprintf(format, args...)}
	}
}

func (e *encoder) provider() string {
	if e.rules.Provider == "" {
		return "the provider"
	}
	return e.rules.Provider
}

// accepts says whether the model takes the field; if not, it warns.
func (e *encoder) accepts(name string) bool {
	if slices.Contains(e.rules.Drop, name) || slices.Contains(e.model.Drop, name) {
		e.warn("%s is not supported by %s for this model: dropped", name, e.provider())
		return false
	}
	return true
}

// member begins a member of the object that is open.
func (e *encoder) member(name string) { e.out = member(e.out, name) }

func member(out []byte, name string) []byte {
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	return append(jsonx.AppendString(out, name), ':')
}

// element begins an element of the array that is open.
func (e *encoder) element() { e.out = element(e.out) }

func element(out []byte) []byte {
	if out[len(out)-1] != '[' {
		out = append(out, ',')
	}
	return out
}

func (e *encoder) raw(s string) { e.out = append(e.out, s...) }

func (e *encoder) str(s string) { e.out = jsonx.AppendString(e.out, s) }
