package responses

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Passing = Client{}

// PassRequest edits members of the caller's body where the rules force it. Besides, store becomes
// false, and a model that reasons is asked for its reasoning encrypted: without it the next
// turn would lack it, as nothing is kept. An input that holds what the gateway, or another provider, has made is
// written anew. Data comes back itself if nothing is to be changed.
func (c Client) PassRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object {
		return dialect.Encoded{}, false
	}
	p := passer{encoder: newEncoder(req, c.rules())}
	p.prepare()
	p.edit = p.Edits(root)
	for m := root.First(); m.Exists(); m = m.Next() {
		p.member(string(m.Key()), m)
	}
	p.edit.Model()
	p.asksFor(root.Get("include"))
	if stored, ok := root.Get("store").Bool(); p.edit.Keep("store", root.Get("store"), body.Silent) && (stored || !ok) {
		p.edit.Set(p.NameOf("store"), []byte("false"))
	}
	if len(changed) > 0 || !p.mediaPass() || !p.inputPasses(root.Get("input")) {
		p.KeepForeign("input")
		p.edit.Replace(p.Apart(func() {
			if p.Field("input", body.Refuses) {
				p.input()
			}
		}), p.NameOf("input"))
		p.edit.Drop("instructions") // they are the first item now
	}
	return p.edit.Encoded(path, data)
}

// NewStreamPasser returns what hands on events as they came, but for a new framing.
func (Client) NewStreamPasser(*chat.Request) dialect.StreamPasser { return body.AsItCame{} }

// A passer edits one body. It asks the encoder what the rules want.
type passer struct {
	encoder
	edit body.Edits
}

// member edits one member by the rules of its field. Fields that depend on others have
// methods of their own.
func (p *passer) member(key string, m jsonx.Value) {
	r := p.Req
	switch key {
	case "model", "store", "include":
	case "input", "tools":
		p.edit.Keep(key, m, body.Refuses)
	case "tool_choice":
		loss := body.Refuses
		if c := r.ToolChoice; c == nil || c.Mode == chat.ToolAuto || len(r.Tools) == 0 {
			loss = body.Silent
		}
		p.edit.Keep(key, m, loss)
	case "stream":
		loss := body.Silent
		if r.Stream {
			loss = body.Refuses
		}
		p.edit.Keep(key, m, loss)
	case "temperature":
		p.edit.Float(key, m, r.Temperature)
	case "top_p":
		p.edit.Float(key, m, r.TopP)
	case "top_logprobs":
		p.edit.Int(key, m, r.TopLogprobs)
	case "max_output_tokens":
		p.limit(key, m)
	case "reasoning":
		p.steer(key, m)
	case "text":
		p.form(key, m)
	default:
		p.edit.Keep(key, m, body.Warns)
	}
}

func (p *passer) limit(key string, m jsonx.Value) {
	wanted := p.leastOutput(p.Req.MaxTokens)
	p.edit.Int(key, m, wanted)
	if wanted != p.Req.MaxTokens && p.Accepts(key) {
		p.edit.Set(p.NameOf(key), jsonx.AppendInt(nil, p.ClampInt(key, *wanted)))
	}
}

// steer edits the effort alone, unless the model does not reason.
func (p *passer) steer(key string, m jsonx.Value) {
	if !p.steers() {
		p.edit.Drop(key)
		return
	}
	effort := m.Get("effort")
	if !p.edit.Keep(key, m, body.Warns) || !effort.Given() || effort.Is(p.Effort) {
		return
	}
	inner := jsonx.NewEdit(m)
	inner.Set("effort", jsonx.AppendString(nil, p.Effort))
	p.edit.Set(p.NameOf(key), inner.Append(nil))
}

// form edits what the text of the answer should be like.
func (p *passer) form(key string, m jsonx.Value) {
	formatted, verbosity := p.textMembers()
	loss := body.Silent
	if formatted || verbosity != "" {
		loss = body.Refuses
	}
	if !p.edit.Keep(key, m, loss) || verbosity == p.Req.Verbosity {
		return
	}
	inner := jsonx.NewEdit(m)
	inner.Drop("verbosity")
	p.edit.Set(p.NameOf(key), inner.Append(nil))
}

// asksFor edits include. Encrypted reasoning is added where the model reasons, and taken out where the rules
// know that it does not, which would be a 400.
func (p *passer) asksFor(m jsonx.Value) {
	reasons, logprobs := p.reasons(), p.asksLogprobs()
	var kept [][]byte
	has := false
	for e := m.First(); e.Exists(); e = e.Next() {
		switch {
		case e.Is(includeReasoning) && !reasons && len(p.Rules.Models) > 0:
			continue
		case e.Is(includeLogprobs) && !logprobs:
			continue
		}
		has = has || e.Is(includeReasoning)
		kept = append(kept, e.Raw())
	}
	changed := len(kept) != m.Len()
	adds := reasons && !has && p.Accepts("include")
	if adds {
		kept = append(kept, jsonx.AppendString(nil, includeReasoning))
	}
	switch {
	case !p.edit.Keep("include", m, body.Warns):
	case changed && len(kept) == 0:
		p.edit.Drop(p.NameOf("include"))
	case changed || adds:
		list := append([]byte("["), bytes.Join(kept, []byte(","))...)
		p.edit.Set(p.NameOf("include"), append(list, ']'))
	}
}

// mediaPass says whether the provider takes what is no text.
func (p *passer) mediaPass() bool {
	for i := range p.Req.Messages {
		m := &p.Req.Messages[i]
		if m.Role == chat.Developer && p.Rules.DeveloperRole == openai.DeveloperAsSystem || !p.partsPass(m.Parts) {
			return false
		}
	}
	return true
}

func (p *passer) partsPass(parts []chat.Part) bool {
	for i := range parts {
		switch parts[i].Kind {
		case chat.Image:
			if p.Rules.Images == openai.ImagesRefused {
				return false
			}
		case chat.File:
			if p.Rules.Files == openai.FilesRefused {
				return false
			}
		case chat.Audio:
			return false
		case chat.Result:
			if !p.partsPass(parts[i].ToolResult.Parts) {
				return false
			}
		}
	}
	return true
}

// inputPasses says whether the input holds nothing that OpenAI would refuse: ids that the
// gateway made or that are too long, and reasoning that is not OpenAI's, not encrypted or not followed by anything.
func (p *passer) inputPasses(input jsonx.Value) bool {
	waiting := false // reasoning waits for what followed from it
	for v := input.First(); v.Exists(); v = v.Next() {
		if id := v.Get("call_id").Str(); made(v.Get("id").Str()) || callID(id) != id {
			return false
		}
		if v.Get("type").Is("reasoning") {
			sealed := v.Get("encrypted_content")
			if sealed.Empty() || reasoning.IsEnvelope(sealed.Str()) {
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

// ofModel says whether the model said the item.
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
