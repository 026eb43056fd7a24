package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An encoder writes one request.
type encoder struct {
	body.Writer
	Rules *Rules
	Model ModelRules // the exceptions of the request's model

	role   string            // of the turn that is open; empty if none is
	signed bool              // the open turn has a call, so that its next calls need no signature
	names  map[string]string // the functions of the calls so far, by the calls' ids
	beside []chat.Part       // what tools returned and a functionResponse cannot hold
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

// unsupported names what the dialect has no field for: an unknown name is a 400
// ("Unknown name ... Cannot find field").
func (e *encoder) unsupported() {
	r := e.Req
	for _, f := range [...]struct {
		name string
		said bool
	}{
		{"logit_bias", len(r.LogitBias) > 0}, {"user", r.User != ""}, {"metadata", len(r.Metadata) > 0},
		{"verbosity", r.Verbosity != ""}, {"the cache key", r.CacheKey != ""},
		{"parallel_tool_calls", r.ParallelToolCalls != nil && !*r.ParallelToolCalls && len(r.Tools) > 0},
	} {
		if f.said {
			e.Warn("%s is not supported by %s: dropped", f.name, e.Provider())
		}
	}
}

// serviceTier knows standard, flex and priority. Default is OpenAI's word for the first.
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
	if e.accepts("serviceTier") {
		e.member("serviceTier")
		e.Str(tier)
	}
}

// accepts says whether the model takes the field; if not, it warns.
func (e *encoder) accepts(name string) bool {
	if !e.Accepts(name) {
		e.Lost(name, body.Warns)
		return false
	}
	return true
}

// member begins a member of the object that is open.
func (e *encoder) member(name string) { e.Out = member(e.Out, name) }

func member(out []byte, name string) []byte {
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	return append(jsonx.AppendString(out, name), ':')
}

// element begins an element of the array that is open.
func (e *encoder) element() { e.Out = element(e.Out) }

func element(out []byte) []byte {
	if out[len(out)-1] != '[' {
		out = append(out, ',')
	}
	return out
}
