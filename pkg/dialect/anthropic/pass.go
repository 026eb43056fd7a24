package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Passing = Client{}

// PassRequest edits top-level members of the caller's body: the model, max_tokens beyond the
// model's limit, and fields that the model does not take. What the rules force within messages, or
// in how the model is to think, cannot be done to the bytes; nor may a conversation pass that holds
// what another provider, or the gateway, has made: ids of calls, thinking, citations. Data comes back
// itself if nothing is to be changed.
func (Client) PassRequest(data []byte, req *chat.Request, rules *dialect.Rules) (dialect.Encoded, bool) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object || Marked(data) {
		return dialect.Encoded{}, false
	}
	p := passer{encoder: encoder{Writer: body.NewWriter(req, rules)}, root: root}
	p.arrange()
	p.prepareThinking()
	p.Warnings = nil // of what is left as it is, or not passed at all
	p.limit()
	if p.Err != nil || !p.conversationPasses() || !p.thinkingPasses() {
		return dialect.Encoded{}, false
	}
	p.edit = p.Edits(root)
	for m := root.First(); m.Exists(); m = m.Next() {
		p.member(string(m.Key()), m)
	}
	return p.edit.Encoded(answerPath, data)
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

// conversationPasses says whether the messages hold nothing that the API would refuse.
func (p *passer) conversationPasses() bool {
	for m := p.root.Get("messages").First(); m.Exists(); m = m.Next() {
		if m.Get("role").Is("system") && p.Model.Messages.SystemTurns == dialect.SystemFolded {
			return false
		}
		for b := m.Get("content").First(); b.Exists(); b = b.Next() {
			if !blockPasses(b) {
				return false
			}
		}
	}
	return true
}

func blockPasses(b jsonx.Value) bool {
	switch b.Get("type").Str() {
	case "thinking":
		return !b.Get("signature").Empty()
	case "tool_use":
		return isToolID(b.Get("id").Str())
	case "tool_result":
		return isToolID(b.Get("tool_use_id").Str())
	case "text":
		for c := b.Get("citations").First(); c.Exists(); c = c.Next() {
			if c.Get("type").Is("web_search_result_location") && c.Get("encrypted_index").Empty() {
				return false
			}
		}
	}
	return true
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

// NewStreamPasser returns what hands on events as they came, but for a new framing.
func (Client) NewStreamPasser(*chat.Request) dialect.StreamPasser { return body.AsItCame{} }
