package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// An encoder writes one request.
type encoder struct {
	body.Writer
	Rules *Rules
	Model ModelRules // the exceptions of the request's model

	role         string            // of the open turn; empty if none is open
	signed       bool              // the open turn has a call, so that its next calls need no signature
	names        map[string]string // the functions of the calls so far, by the calls' ids
	afterResults []chat.Part       // media of tools' results that a functionResponse cannot hold: they follow the results
}

func (e *encoder) request() {
	e.Begin()
	rest := e.instructions()
	e.contents(rest)
	e.tools()
	e.generationConfig()
	e.serviceTier()
	e.Raw("}")
	e.unsupported()
}

// unsupported warns of fields that the dialect lacks. Google answers an unknown name with 400 ("Unknown name ...
// Cannot find field").
func (e *encoder) unsupported() {
	r := e.Req
	for _, f := range [...]struct {
		name  string
		given bool
	}{
		{"logit_bias", len(r.LogitBias) > 0}, {"user", r.User != ""}, {"metadata", len(r.Metadata) > 0},
		{"verbosity", r.Verbosity != ""}, {"the cache key", r.CacheKey != ""},
		{"parallel_tool_calls", r.ParallelToolCalls != nil && !*r.ParallelToolCalls && len(r.Tools) > 0},
	} {
		if f.given {
			e.Warn("%s is not supported by %s: dropped", f.name, e.Provider())
		}
	}
}

// serviceTier writes one of the tiers standard, which OpenAI names default, flex and priority.
func (e *encoder) serviceTier() {
	tier := e.Req.ServiceTier
	switch tier {
	case "", "auto":
		return
	case "default":
		tier = "standard"
	case "standard", "flex", "priority":
	default:
		e.Warn("the service tier %s is not known to %s: dropped", tier, e.Provider())
		return
	}
	e.FieldString("serviceTier", tier)
}
