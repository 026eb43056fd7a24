package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// prepareReasoning decides the effort, on which other fields depend.
func (e *encoder) prepareReasoning() {
	r := e.Req.Reasoning
	if r != nil && (r.Effort != "" || r.Budget != nil) {
		switch {
		case e.Rules.Reasoning == ReasoningDropped, !e.Accepts(e.reasoningField()):
			e.Warn("reasoning cannot be steered at %s for this model: dropped", e.Provider())
		case e.Rules.Reasoning == ReasoningObject && r.Effort == "":
		case e.sendsBudget():
		default:
			e.Effort = e.Level(r, e.adaptLevel)
		}
	}
	// "Thinking mode does not support this tool_choice": DeepSeek refuses a forced call
	// while it thinks, as it does by default.
	if c := e.Req.ToolChoice; e.Rules.Reasoning == ReasoningThinking && e.Effort != "none" &&
		len(e.Req.Tools) > 0 && c != nil && (c.Mode == chat.ToolRequired || c.Mode == chat.ToolNamed) {
		e.Warn("%s does not think while a tool must be called: reasoning is off", e.Provider())
		e.Effort = "none"
	}
	if e.Model.Tools == ToolsWithoutReasoning && len(e.Req.Tools) > 0 && e.Effort != "none" {
		e.Warn("this model of %s does not think while it has functions to call: reasoning is off", e.Provider())
		e.Effort = "none"
	}
}

// adaptLevel maps an effort to one of those that the provider takes, whatever the model.
func (e *encoder) adaptLevel(asked string) string {
	switch e.Rules.Reasoning {
	case ReasoningTwoLevel:
		return body.Nearest(asked, []string{"none", "high"})
	case ReasoningThinking:
		return deepSeekEffort(asked)
	}
	return asked
}

// deepSeekEffort maps an effort as DeepSeek does
// (https://api-docs.deepseek.com/guides/thinking_mode).
func deepSeekEffort(asked string) string {
	switch asked {
	case "minimal":
		return "low"
	case "medium", "xhigh":
		return "high"
	}
	return asked
}

// minBudget is the smallest budget_tokens that Fireworks takes.
const minBudget = 1024

// sendsBudget says whether a number of tokens for thinking can be sent as it is.
func (e *encoder) sendsBudget() bool {
	r := e.Req.Reasoning
	return e.Rules.Reasoning == ReasoningBudget && r != nil && r.Effort == "" && r.Budget != nil && *r.Budget >= minBudget
}

func (e *encoder) reasoningField() string {
	switch e.Rules.Reasoning {
	case ReasoningObject, ReasoningToggle:
		return "reasoning"
	case ReasoningThinking:
		return "thinking"
	}
	return "reasoning_effort"
}

func (e *encoder) reasoning() {
	r := e.Req.Reasoning
	switch e.Rules.Reasoning {
	case ReasoningDropped:
	case ReasoningObject:
		e.reasoningObject(r)
	case ReasoningThinking:
		e.thinking()
	case ReasoningToggle:
		e.toggle()
	default:
		switch {
		case e.Effort != "":
			e.effort()
		case e.sendsBudget() && e.Field("thinking", body.Silent):
			e.Raw(`{"type":"enabled","budget_tokens":`)
			e.Out = append(jsonx.AppendInt(e.Out, *r.Budget), '}')
		}
	}
}

// reasoningFormat asks Groq for reasoning in a field of its own instead of in the text
// (https://console.groq.com/docs/reasoning). A model that does not reason refuses the field.
func (e *encoder) reasoningFormat() {
	if e.Model.ThinkTags != ThinkTagsAsked || !e.Field("reasoning_format", body.Silent) {
		return
	}
	if r := e.Req.Reasoning; r != nil && r.Hide {
		e.Raw(`"hidden"`)
	} else {
		e.Raw(`"parsed"`)
	}
}

// reasoningObject writes OpenRouter's member reasoning (https://openrouter.ai/docs/use-cases/reasoning-tokens).
func (e *encoder) reasoningObject(r *chat.Reasoning) {
	if r == nil || e.Effort == "" && r.Budget == nil && !r.Hide || !e.Field("reasoning", body.Silent) {
		return
	}
	e.Raw("{")
	switch {
	case e.Effort != "":
		e.Member(`"effort":`, e.Effort)
	case r.Budget != nil:
		e.Count(`"max_tokens":`, *r.Budget)
	}
	if r.Hide {
		e.Comma()
		e.Raw(`"exclude":true`)
	}
	e.Raw("}")
}

// toggle writes reasoning as Together takes it (https://docs.together.ai/docs/inference/chat/reasoning): hybrid models
// turn it on and off, others take an effort, and a few take both.
func (e *encoder) toggle() {
	switch {
	case e.Effort == "":
	case e.Effort != "none" && e.Accepts("reasoning_effort"):
		e.effort()
	case e.Field("reasoning", body.Silent):
		e.Raw(`{"enabled":`)
		e.Out = jsonx.AppendBool(e.Out, e.Effort != "none")
		e.Raw("}")
	}
}

func (e *encoder) thinking() {
	if e.Effort == "" || !e.Field("thinking", body.Silent) {
		return
	}
	if e.Effort == "none" {
		e.Raw(`{"type":"disabled"}`)
		return
	}
	e.Raw(`{"type":"enabled"}`)
	e.effort()
}

func (e *encoder) effort() {
	if e.Field("reasoning_effort", body.Silent) {
		e.Str(e.Effort)
	}
}
