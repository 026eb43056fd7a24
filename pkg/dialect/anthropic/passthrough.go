package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Passthrough = Client{}

var members = body.Members{
	"model":         {Compare: body.Replaced},
	"max_tokens":    {Compare: body.Replaced},
	"system":        {Loss: body.Refuses},
	"messages":      {Loss: body.Refuses},
	"tools":         {Loss: body.Refuses},
	"tool_choice":   {Loss: body.Refuses},
	"temperature":   {Default: 1},
	"top_p":         {Default: 1},
	"thinking":      {Compare: body.Exact},
	"output_config": {Compare: body.Replaced, Members: body.Members{"effort": {Compare: body.Exact}}},
}

// PassthroughRequest encodes a conversation anew that holds what another provider, or the gateway, has made: ids of
// calls, thinking, citations.
func (c Client) PassthroughRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, ok := body.ParsePassthrough(data)
	if !ok {
		return dialect.Encoded{}, false
	}
	p := passthrough{encoder: newEncoder(req, c.rules()), root: root}
	anew := p.turnsOf(changed)
	p.arrangeWarnings = p.warningsOf(func() {
		same := form
		same.Same = true
		_, p.mended = turns.Fit(&p.Writer, same)
		p.arrange()
	})
	p.thinkingWarnings = p.warningsOf(p.prepareThinking)
	p.limit()
	t := body.Passthrough{Members: members, Encode: p.settings}
	p.conversation(&t, anew)
	return p.Passthrough(answerPath, data, root, &t)
}

type passthrough struct {
	encoder
	root   jsonx.Value
	mended bool // what the API would refuse differs from the caller's messages
	// They only hold if turns, or thinking, are encoded anew.
	arrangeWarnings, thinkingWarnings []string
}

// warningsOf returns what a step of the encoder warns of, which does not become a warning yet.
func (p *passthrough) warningsOf(step func()) []string {
	before := p.Warnings
	p.Warnings = nil
	step()
	warnings := p.Warnings
	p.Warnings = before
	return warnings
}

// settings writes the members that are compared.
func (p *passthrough) settings() {
	p.FieldModel()
	if p.Req.MaxTokens != nil && p.Field("max_tokens", body.Refuses) {
		p.Out = jsonx.AppendInt(p.Out, p.maxTokens)
	}
	thinking, config := p.root.Get("thinking"), p.root.Get("output_config")
	effort := config.Get("effort").Raw()
	if p.thinkingFits(thinking, config.Get("effort")) {
		p.FieldRaw("thinking", thinking)
	} else {
		p.Warnings = append(p.Warnings, p.thinkingWarnings...)
		p.think()
		effort = nil
		if p.thinking.effort != "" {
			effort = jsonx.AppendString(nil, p.thinking.effort)
		}
	}
	if effort != nil && p.Model.Thinking == ThinkingBudget && len(p.Model.Efforts) == 0 && config.Get("effort").Given() {
		effort = nil // "This model does not support the effort parameter."
		p.Warn("effort is not supported by %s for this model: dropped", p.Provider())
	}
	switch {
	case p.Accepts("output_config"):
		if effort != nil && p.Field("output_config", body.Warns) {
			p.Raw(`{"effort":`)
			p.Out = append(append(p.Out, effort...), '}')
		}
	case config.Get("format").Given():
		p.Lost("output_config", body.Refuses)
	case config.Given():
		p.Warn("reasoning cannot be steered at %s for this model: dropped", p.Provider())
	}
}

// thinkingFits reports whether the encoder would tell the model to think as the caller does.
func (p *passthrough) thinkingFits(caller, effort jsonx.Value) bool {
	t := &p.thinking
	if r := p.Req.Reasoning; !effort.Empty() && r != nil && r.Effort == "" {
		return true // a level that only Anthropic knows
	}
	if !effort.Empty() && t.effort != "" && !effort.Is(t.effort) {
		return false
	}
	switch kind := thinkForm(caller.Get("type").Str()); kind {
	case thinkAdaptive, thinkBetweenTools:
		return t.form == kind
	case thinkEnabled:
		budget, _ := caller.Get("budget_tokens").Int64()
		return t.form == kind && t.budget == budget
	case thinkDisabled:
		return t.form == kind || t.form == thinkUnsaid && t.effort == ""
	}
	return true // nothing is asked for, or in a way that only Anthropic knows
}
