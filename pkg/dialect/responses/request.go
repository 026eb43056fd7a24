package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A decoder reads one request, and goes on after an issue.
type decoder struct {
	body.Reader
	req *chat.Request
	// choice and instructions are read after the rest.
	choice, instructions jsonx.Value
	models               []string // to serve if the model cannot
}

func (d *decoder) request(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	var input jsonx.Value
	for m := v.First(); m.Exists() && !d.Full(); m = m.Next() {
		switch key := string(m.Key()); {
		case key == "input":
			input = m
		case !m.Given():
		case d.refuseStored(key, m), d.sampling(key, m), d.shape(key, m):
		default:
			d.extras(key, m)
		}
	}
	if d.instructions.Exists() {
		d.message(chat.System, []chat.Part{{Kind: chat.Text, Text: d.Str(d.instructions)}})
	}
	if input.Given() {
		d.input(input)
	} else {
		d.AddMember(v, "input", "required")
	}
	if d.choice.Exists() {
		d.toolChoice(d.choice)
		d.checkChoice(v)
	}
}

// refuseStored reads the members that have to do with what is stored. Most of them are refused.
func (d *decoder) refuseStored(key string, m jsonx.Value) bool {
	switch key {
	case "conversation", previousMember: // the latter only if its name has escapes: Recall replaces it
		d.Add(m, "the gateway keeps no conversations: send the whole conversation in input, or go on with an answer by previous_response_id")
	case "prompt":
		d.Add(m, "the gateway keeps no prompts: send the prompt's text in instructions and input")
	case "background":
		if d.Bool(m) {
			d.Add(m, "the gateway keeps no responses that are still to be made: leave it out and wait for the answer, or set stream")
		}
	case "store":
		b := d.Bool(m)
		d.req.Store = &b
	default:
		return false
	}
	return true
}

// sampling reads the parameters of sampling.
func (d *decoder) sampling(key string, m jsonx.Value) bool {
	r := d.req
	switch key {
	case "temperature":
		r.Temperature = d.Float(m, 0, 2)
	case "top_p":
		r.TopP = d.Float(m, 0, 1)
	case "max_output_tokens":
		r.MaxTokens = d.Int(m, 1, 1<<53)
	case "top_logprobs":
		if r.TopLogprobs = d.Int(m, 0, 20); r.TopLogprobs != nil && *r.TopLogprobs > 0 {
			d.logprobs()
		}
	case "include":
		d.Array(m, func(e jsonx.Value) {
			if d.Str(e) == includeLogprobs {
				d.logprobs()
			}
		})
	default:
		return false
	}
	return true
}

func (d *decoder) logprobs() {
	yes := true
	d.req.Logprobs = &yes
}

// shape reads the members that shape the answer.
func (d *decoder) shape(key string, m jsonx.Value) bool {
	switch key {
	case "instructions":
		d.instructions = m
	case "tools":
		d.Array(m, func(e jsonx.Value) {
			if t, ok := d.tool(e); ok {
				d.req.Tools = append(d.req.Tools, t)
			}
		})
		d.unique(m)
	case "tool_choice":
		d.choice = m
	case "parallel_tool_calls":
		b := d.Bool(m)
		d.req.ParallelToolCalls = &b
	case "text":
		d.text(m)
	case "reasoning":
		d.reasoning(m)
	default:
		return false
	}
	return true
}

func (d *decoder) extras(key string, m jsonx.Value) {
	r := d.req
	switch key {
	case "model":
		r.Model = d.Name(m)
	case "stream":
		r.Stream = d.Bool(m)
	case "service_tier":
		r.ServiceTier = d.Name(m)
	case "user":
		if user := d.Str(m); r.User == "" {
			r.User = user
		}
	case "safety_identifier": // it replaces user
		r.User = d.Str(m)
	case "prompt_cache_key":
		r.CacheKey = d.Str(m)
	case "metadata":
		r.Metadata = d.Metadata(m)
	case "stream_options": // how the stream is framed
	case "truncation":
		if !m.Is("disabled") { // the default
			body.NoteForeign(r, m, false)
		}
	case "models":
		d.models = body.Models(m)
		body.NoteForeign(r, m, false)
	default:
		body.NoteForeign(r, m, false)
	}
}

func (d *decoder) reasoning(v jsonx.Value) {
	var r chat.Reasoning
	known := []string{"effort", "summary", "generate_summary", "mode", ""}
	if v.Get("context").Is("auto") { // the default
		known[4] = "context"
	}
	d.Others(v, known...)
	d.Members(v, func(key string, m jsonx.Value) {
		switch {
		case key == "effort":
			r.Effort = d.OneOf(m, "none", "minimal", "low", "medium", "high", "xhigh", "max")
		case key == "summary", key == "generate_summary" && r.Summary == "":
			r.Summary = d.OneOf(m, "auto", "concise", "detailed")
		case key == "mode" && !m.Is("standard"):
			d.Unfit(m, "only OpenAI's own callers can ask for a mode other than standard")
		}
	})
	if r != (chat.Reasoning{}) {
		d.req.Reasoning = &r
	}
}

func (d *decoder) text(v jsonx.Value) {
	d.Others(v, "verbosity", "format")
	d.Members(v, func(key string, m jsonx.Value) {
		switch key {
		case "verbosity":
			d.req.Verbosity = d.OneOf(m, "low", "medium", "high")
		case "format":
			d.format(m)
		}
	})
}

func (d *decoder) format(v jsonx.Value) {
	f := new(chat.ResponseFormat)
	d.req.ResponseFormat = f
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	if !d.Has(v, "type") {
		return
	}
	d.Others(v, "type", "name", "description", "schema", "strict")
	f.Kind = chat.FormatKind(d.OneOf(v.Get("type"), string(chat.FormatText), string(chat.FormatJSON), string(chat.FormatSchema)))
	if f.Kind == "" {
		d.req.ResponseFormat = nil // one that only OpenAI knows
	}
	if f.Kind != chat.FormatSchema {
		return
	}
	named, schema := d.Has(v, "name"), d.Has(v, "schema")
	d.Object(v, func(m jsonx.Value) {
		if key := string(m.Key()); key == "name" && !named || key == "schema" && !schema {
			return // null
		}
		d.SchemaMember(m, f)
	})
}
