package responses

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/dialect/schema"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Passthrough = Client{}

var members = body.Members{
	"model":               {Compare: body.Replaced},
	"input":               {Loss: body.Refuses},
	"tools":               {Loss: body.Refuses},
	"tool_choice":         {Compare: body.Replaced, Equal: func(_, _ jsonx.Value) bool { return true }},
	"parallel_tool_calls": {Compare: body.Replaced},
	"temperature":         {Compare: body.Replaced},
	"top_p":               {Compare: body.Replaced},
	"top_logprobs":        {Compare: body.Replaced},
	"max_output_tokens":   {Compare: body.Replaced},
	"text":                {Compare: body.Replaced, Members: body.Members{"verbosity": {Compare: body.Exact}}},
	"reasoning":           {Compare: body.Replaced, Members: body.Members{"effort": {Compare: body.Replaced}}},
	"include":             {Compare: body.Exact},
	"store":               {Compare: body.Replaced},
	"stream":              {Compare: body.Replaced},
}

// PassthroughRequest also sets store to false, and asks a model that reasons for its reasoning encrypted: the next
// turn would lack it, as nothing is stored.
func (c Client) PassthroughRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, ok := body.ParsePassthrough(data)
	if !ok {
		return dialect.Encoded{}, false
	}
	p := passthrough{encoder: newEncoder(req, c.rules()), root: root}
	p.prepare()
	t := body.Passthrough{Members: members, Encode: p.settings}
	same := form
	same.Same, same.TextFiles = true, true
	if _, mended := turns.Fit(&p.Writer, same); mended || len(changed) > 0 || !p.messagesFit() || !inputFits(root.Get("input")) {
		t.Anew(func() { // instructions become the first item
			p.RefuseForeignIn("input")
			if p.Field("input", body.Refuses) {
				p.input()
			}
		}, "input", "instructions")
	}
	if !p.steers() {
		t.Anew(func() {}, "reasoning")
	}
	if !p.parametersFit(root.Get("tools")) {
		t.Anew(func() {
			if p.Field("tools", body.Refuses) {
				p.fixParameters(root.Get("tools"))
			}
		}, "tools")
	}
	return p.Passthrough(path, data, root, &t)
}

type passthrough struct {
	encoder
	root jsonx.Value
}

// settings writes the members that are compared.
func (p *passthrough) settings() {
	p.FieldModel()
	p.ToolChoice(p.toolChoice)
	formatted, verbosity := p.textMembers()
	if own := p.root.Get("text").Get("verbosity"); p.Req.Verbosity == "" && !own.Empty() && p.Accepts("verbosity") {
		verbosity = own.Str() // one that only OpenAI knows
	}
	if (formatted || verbosity != "") && p.Field("text", body.Refuses) {
		p.Raw("{")
		p.Optional(`"verbosity":`, verbosity)
		p.Raw("}")
	}
	p.FieldInt("max_output_tokens", p.leastOutput(p.Req.MaxTokens))
	p.sampling()
	if p.Effort != "" && p.Field("reasoning", body.Warns) {
		p.Member(`{"effort":`, p.Effort)
		p.Raw("}")
	}
	p.includes()
	p.store()
	p.FieldStream()
}

// includes adds encrypted reasoning to include where the model reasons. It drops what the model
// is known to refuse with a status of 400.
func (p *passthrough) includes() {
	reasons, logprobs := p.reasons(), p.asksLogprobs()
	caller := p.root.Get("include")
	var kept [][]byte
	has := false
	for e := caller.First(); e.Exists(); e = e.Next() {
		encrypted := e.Is(includeReasoning)
		if encrypted && !reasons && len(p.Rules.Models) > 0 || e.Is(includeLogprobs) && !logprobs {
			continue
		}
		has = has || encrypted
		kept = append(kept, e.Raw())
	}
	if reasons && !has && p.Accepts("include") {
		kept = append(kept, jsonx.AppendString(nil, includeReasoning))
	} else if len(kept) == caller.Len() {
		p.FieldRaw("include", caller)
		return
	}
	if len(kept) > 0 && p.Field("include", body.Warns) {
		p.Raw("[")
		p.Out = append(p.Out, bytes.Join(kept, []byte(","))...)
		p.Raw("]")
	}
}

// messagesFit reports whether the provider takes all roles, and what is no text.
func (p *passthrough) messagesFit() bool {
	for i := range p.Req.Messages {
		m := &p.Req.Messages[i]
		if m.Role == chat.Developer && p.Rules.NoDeveloperRole || !p.partsFit(m.Parts) {
			return false
		}
	}
	return true
}

func (p *passthrough) partsFit(parts []chat.Part) bool {
	for i := range parts {
		switch parts[i].Kind {
		case chat.Image:
			if p.Rules.NoImages {
				return false
			}
		case chat.File:
			if p.Rules.Files == openai.FilesRefused {
				return false
			}
		case chat.Audio:
			return false
		case chat.Result:
			if !p.partsFit(parts[i].ToolResult.Parts) {
				return false
			}
		}
	}
	return true
}

// inputFits reports whether the input holds nothing that OpenAI would refuse: ids that the
// gateway made, and reasoning that is not OpenAI's, not encrypted or not followed by anything.
func inputFits(input jsonx.Value) bool {
	waiting := false // reasoning waits for what followed from it
	for v := input.First(); v.Exists(); v = v.Next() {
		if made(v.Get("id").Str()) {
			return false
		}
		if kind := v.Get("type"); (kind.Is("function_call_output") || kind.Is("custom_tool_call_output")) && !body.IsContent(v.Get("output")) {
			return false
		}
		if v.Get("type").Is("reasoning") {
			encrypted := v.Get("encrypted_content")
			if encrypted.Empty() || reasoning.IsEnvelope(encrypted.Str()) {
				return false
			}
			waiting = true
			continue
		}
		if waiting && !ofModel(v) {
			return false
		}
		waiting = false
	}
	return !waiting
}

// ofModel reports whether the model said the item.
func ofModel(v jsonx.Value) bool {
	switch kind := v.Get("type").Str(); kind {
	case "", "message":
		return v.Get("role").Is(string(chat.Assistant))
	case "function_call", "custom_tool_call":
		return true
	default:
		return sideOf(kind) == modelSide
	}
}

// parametersFit reports whether OpenAI takes the schemas of all functions, those in groups as well.
func (p *passthrough) parametersFit(tools jsonx.Value) bool {
	for t := tools.First(); t.Exists(); t = t.Next() {
		parameters := t.Get("parameters")
		if t.Get("type").Is("function") && parameters.Kind() == jsonx.Object && !schema.Fits(parameters, p.RootForm()) || !p.parametersFit(t.Get("tools")) {
			return false
		}
	}
	return true
}

// fixParameters writes the caller's tools with schemas that OpenAI takes.
func (p *passthrough) fixParameters(tools jsonx.Value) {
	p.Raw("[")
	for t := tools.First(); t.Exists(); t = t.Next() {
		p.Comma()
		switch {
		case t.Get("type").Is("function"):
			p.Out = p.WithParameters(p.Out, t, t, "parameters")
		case p.parametersFit(t.Get("tools")):
			p.Out = append(p.Out, t.Raw()...)
		default:
			group := jsonx.NewEdit(t)
			out := p.Out
			p.Out = nil
			p.fixParameters(t.Get("tools"))
			group.Set("tools", p.Out)
			p.Out = group.Append(out)
		}
	}
	p.Raw("]")
}
