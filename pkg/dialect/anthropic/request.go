package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// purpose is the purpose of a request.
type purpose uint8

const (
	answers purpose = iota // max_tokens is required
	counts
)

// A decoder decodes one request, and continues after an issue.
type decoder struct {
	body.Reader
	purpose purpose
	req     *chat.Request

	thinks string   // thinking.type
	models []string // to serve if the model cannot
}

// maxStops limits the stop sequences; no provider takes more.
const maxStops = 256

func (d *decoder) request(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	for _, name := range [...]string{"model", "messages", "max_tokens"} {
		if !v.Get(name).Given() && (name != "max_tokens" || d.purpose == answers) {
			d.AddMember(v, name, "required")
		}
	}
	if system := v.Get("system"); system.Given() {
		d.system(system)
	}
	for m := v.First(); m.Exists() && !d.Full(); m = m.Next() {
		if m.Given() && !d.conversation(m) && !d.sampling(m) {
			d.extras(m)
		}
	}
	d.settleEffort(v)
	d.checkChoice(v)
	if mark := v.Get("cache_control"); mark.Given() {
		d.markLast(mark)
	}
}

// conversation reads the messages and tools.
func (d *decoder) conversation(m jsonx.Value) bool {
	switch string(m.Key()) {
	case "model":
		d.req.Model = d.Name(m)
		if m.Kind() == jsonx.String && d.req.Model == "" {
			d.Add(m, "must not be empty")
		}
	case "messages":
		d.messages(m)
	case "tools":
		d.tools(m)
	case "tool_choice":
		d.toolChoice(m)
	case "stream":
		d.req.Stream = d.Bool(m)
	default:
		return false
	}
	return true
}

// sampling reads the parameters of sampling, and the limits of the answer.
func (d *decoder) sampling(m jsonx.Value) bool {
	r := d.req
	switch string(m.Key()) {
	case "max_tokens":
		r.MaxTokens = d.Int(m, 0, 1<<53)
	case "temperature":
		r.Temperature = d.Float(m, 0, 1)
	case "top_p":
		r.TopP = d.Float(m, 0, 1)
	case "top_k":
		r.TopK = d.Int(m, 0, 1<<53)
	case "stop_sequences":
		d.req.Stop = d.Stops(m, maxStops)
	default:
		return false
	}
	return true
}

// extras reads the other members. Unlisted ones are for Anthropic alone.
func (d *decoder) extras(m jsonx.Value) {
	switch string(m.Key()) {
	case "thinking":
		d.thinking(m)
	case "output_config":
		d.Others(m, "effort", "format")
		d.Members(m, func(name string, c jsonx.Value) {
			switch name {
			case "effort":
				d.reasoning().Effort = d.OneOf(c, "none", "minimal", "low", "medium", "high", "xhigh", "max")
			case "format":
				d.format(c)
			}
		})
	case "output_format": // what output_config.format was called before
		d.format(m)
	case "metadata":
		d.Object(m, func(jsonx.Value) {})
		d.Others(m, "user_id")
		d.req.User = d.OptionalText(m, "user_id")
	case "service_tier":
		// standard_only is what others call the default.
		if d.req.ServiceTier = d.OneOf(m, "auto", "standard_only"); d.req.ServiceTier == "standard_only" {
			d.req.ServiceTier = "default"
		}
	case "system", "cache_control": // read with the conversation
	case "betas": // what the SDKs make a header of
	case "speed":
		if !m.Is("standard") {
			body.NoteForeign(d.req, m, false)
		}
	case "inference_geo":
		if !m.Is("global") {
			body.NoteForeign(d.req, m, true) // nobody else promises it
		}
	case "models":
		d.models = body.Models(m)
		body.NoteForeign(d.req, m, false)
	default:
		body.NoteForeign(d.req, m, string(m.Key()) == "mcp_servers" || string(m.Key()) == "container")
	}
}

func (d *decoder) reasoning() *chat.Reasoning {
	if d.req.Reasoning == nil {
		d.req.Reasoning = new(chat.Reasoning)
	}
	return d.req.Reasoning
}

// thinking reads the member thinking. An unknown type is left to Anthropic.
func (d *decoder) thinking(v jsonx.Value) {
	d.Others(v, "type", "budget_tokens", "display")
	d.Members(v, func(name string, m jsonx.Value) {
		switch name {
		case "type":
			d.thinks = d.Str(m)
		case "budget_tokens":
			d.reasoning().Budget = d.Int(m, 1, 1<<53)
		case "display":
			if display := d.Str(m); display == "omitted" {
				d.reasoning().Hide = true
			} else if display == "summarized" {
				d.reasoning().Summary = "auto"
			}
		}
	})
	if v.Kind() == jsonx.Object && !v.Get("type").Given() {
		d.AddMember(v, "type", "required")
	}
}

// settleEffort combines thinking and output_config.effort. Anthropic's default effort of adaptive thinking is high.
func (d *decoder) settleEffort(v jsonx.Value) {
	switch d.thinks {
	case "disabled", "between_tools":
		*d.reasoning() = chat.Reasoning{Effort: "none"}
	case "adaptive":
		if r := d.reasoning(); r.Effort == "" && !v.Get("output_config").Get("effort").Given() {
			r.Effort = "high"
		}
	case "enabled":
		if !v.Get("thinking").Get("budget_tokens").Given() {
			d.Unfit(v.Get("thinking"), "budget_tokens is required with the type enabled")
		}
	}
}

// format reads the schema that the answer must have.
func (d *decoder) format(v jsonx.Value) {
	if kind := v.Get("type"); kind.Kind() == jsonx.String && !kind.Is("json_schema") {
		d.OneOf(kind, "json_schema")
		return // one that only Anthropic knows
	}
	d.Others(v, "type", "schema")
	f := &chat.ResponseFormat{Kind: chat.FormatSchema}
	d.Object(v, func(m jsonx.Value) {
		switch string(m.Key()) {
		case "type":
			d.OneOf(m, "json_schema")
		case "schema":
			if m.Kind() != jsonx.Object {
				d.Expected(m, "a JSON schema")
			}
			f.Schema = m.Clone()
		}
	})
	if v.Kind() == jsonx.Object {
		d.Required(v, "type")
		d.Required(v, "schema")
	}
	d.req.ResponseFormat = f
}

// markLast marks the last block, which is what cache_control on the request itself means.
func (d *decoder) markLast(v jsonx.Value) {
	mark := d.cache(v)
	for i := len(d.req.Messages) - 1; i >= 0; i-- {
		parts := d.req.Messages[i].Parts
		if len(parts) == 0 {
			continue
		}
		if last := &parts[len(parts)-1]; last.Cache == nil {
			last.Cache = mark
		}
		return
	}
}
