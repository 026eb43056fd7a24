package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Passing = Client{}

// PassRequest edits top-level members of the caller's body: the model, max_tokens beyond the
// model's limit, and fields that the model does not take. How the model is to think is written anew where the rules
// force it, and so is a conversation that holds what another provider, or the gateway, has made: ids of
// calls, thinking, citations. Data comes back itself if nothing is to be changed.
func (c Client) PassRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object {
		return dialect.Encoded{}, false
	}
	p := passer{encoder: newEncoder(req, c.rules()), root: root}
	// What is said of arranging and thinking holds only if those are written anew.
	said := p.aside(p.arrange)
	thought := p.aside(p.prepareThinking)
	p.limit()
	p.edit = p.Edits(root)
	for m := root.First(); m.Exists(); m = m.Next() {
		p.member(string(m.Key()), m)
	}
	if !p.thinkingPasses() {
		p.Warnings = append(p.Warnings, thought...)
		p.rethink()
	}
	p.conversation(changed, said)
	return p.edit.Encoded(answerPath, data)
}

// aside is what a step of the encoder warns of.
func (p *passer) aside(step func()) []string {
	before := p.Warnings
	p.Warnings = nil
	step()
	said := p.Warnings
	p.Warnings = before
	return said
}

// A passer edits one body. It asks the encoder what the rules want.
type passer struct {
	encoder
	root jsonx.Value
	edit body.Edits
}

// member edits one member by the rules of its field.
func (p *passer) member(name string, m jsonx.Value) {
	if !p.Accepts(name) {
		p.edit.Drop(name)
		isDefault := false
		if f, ok := m.Float64(); ok && (name == "temperature" || name == "top_p") {
			isDefault = f == 1
		}
		switch {
		case !m.Given(), isDefault:
		case name == "output_config" && !m.Get("format").Given():
			p.Warn("reasoning cannot be steered at %s for this model: dropped", p.Provider())
		case name == "tools", name == "tool_choice", name == "system", name == "messages", name == "output_config":
			p.Refuse(name, "%s cannot be sent to %s for this model", name, p.Provider())
		default:
			p.Warn("%s is not supported by %s for this model: dropped", name, p.Provider())
		}
		return
	}
	switch {
	case name == "model" && !m.Is(p.Req.Model):
		p.edit.Set(name, jsonx.AppendString(nil, p.Req.Model))
	case name == "max_tokens" && p.Req.MaxTokens != nil && *p.Req.MaxTokens != p.maxTokens:
		p.edit.Set(name, jsonx.AppendInt(nil, p.maxTokens))
	}
	p.edit.Rename(name, p.NameOf(name))
}

// thinkingPasses says whether the encoder would tell the model to think as the caller does.
func (p *passer) thinkingPasses() bool {
	if effort := p.root.Get("output_config").Get("effort"); !effort.Empty() && p.thinking.effort != "" && !effort.Is(p.thinking.effort) {
		return false
	}
	asked, t := p.root.Get("thinking"), &p.thinking
	switch kind := thinkForm(asked.Get("type").Str()); kind {
	case thinkAdaptive, thinkBetweenTools:
		return t.form == kind
	case thinkEnabled:
		budget, _ := asked.Get("budget_tokens").Int64()
		return t.form == kind && t.budget == budget
	case thinkDisabled:
		return t.form == kind || t.form == thinkUnsaid && t.effort == ""
	}
	return true // not asked, or in a way that only Anthropic knows
}

// rethink writes anew how the model is to think, and leaves the rest of output_config.
func (p *passer) rethink() {
	wanted := p.Apart(func() {
		p.think()
		p.outputConfig()
	})
	p.edit.Replace(wanted, p.NameOf("thinking"))
	config := p.root.Get("output_config")
	if config.Kind() != jsonx.Object {
		p.edit.Replace(wanted, p.NameOf("output_config"))
		return
	}
	if !p.Accepts("output_config") {
		return
	}
	inner := jsonx.NewEdit(config)
	if effort := wanted.Get("output_config").Get("effort"); effort.Exists() {
		inner.Set("effort", effort.Raw())
	} else {
		inner.Drop("effort")
	}
	p.edit.Set(p.NameOf("output_config"), inner.Append(nil))
}

// NewStreamPasser returns what hands on events as they came, but for a new framing.
func (Client) NewStreamPasser(*chat.Request) dialect.StreamPasser { return body.AsItCame{} }
