package anthropic

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// thinking is how the model is told to think
// (https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking).
type thinking struct {
	form    thinkForm
	budget  int64  // with thinkEnabled
	effort  string // of output_config; empty: nothing is said
	display string
}

type thinkForm string

const (
	thinkUnsaid       thinkForm = "" // the model's default
	thinkAdaptive     thinkForm = "adaptive"
	thinkEnabled      thinkForm = "enabled"
	thinkDisabled     thinkForm = "disabled"
	thinkBetweenTools thinkForm = "between_tools"
)

// minBudget is the smallest budget for thinking.
const minBudget = 1024

// prepareThinking computes how the model is told to think, on which other fields depend.
func (e *encoder) prepareThinking() {
	r := e.Req.Reasoning
	steered := r != nil && (r.Effort != "" || r.Budget != nil)
	off := steered && (r.Effort == "none" || r.Effort == "" && *r.Budget <= 0)
	switch {
	case steered && !off && e.Model.Thinking == ThinkingNever:
		e.Warn("this model of %s cannot think: reasoning is dropped", e.Provider())
	case e.forced() && e.Model.ForcedTools == ForcedRefused:
		e.Refuse("tool_choice", "this model of %s cannot be told that it must call a tool: let it choose (auto), and say in the prompt what to call", e.Provider())
	case e.forced() && e.Model.ForcedTools == ForcedWithoutThinking:
		if steered && !off {
			e.Warn("%s does not think while a tool must be called: reasoning is off", e.Provider())
		}
		e.turnThinkingOff()
	case off:
		e.turnThinkingOff()
	case steered && e.Model.Thinking == ThinkingAdaptive:
		e.thinking = thinking{form: thinkAdaptive, effort: e.effort(r), display: display(r)}
	case steered:
		e.enable(r)
	case r != nil && (r.Hide || r.Summary != "") && e.Model.Thinking == ThinkingAdaptive && e.Model.ThinkingOff != OffByDefault:
		e.thinking = thinking{form: thinkAdaptive, display: display(r)}
	}
}

// forced reports whether the model must call a tool.
func (e *encoder) forced() bool {
	c := e.Req.ToolChoice
	return c != nil && (c.Mode == chat.ToolRequired || c.Mode == chat.ToolNamed) && len(e.Req.Tools) > 0
}

// turnThinkingOff tells the model not to think, or to think as little as possible.
func (e *encoder) turnThinkingOff() {
	switch e.Model.ThinkingOff {
	case OffDisabled:
		e.thinking.form = thinkDisabled
	case OffBetweenTools:
		e.thinking.form = thinkBetweenTools
	case OffNever:
		e.thinking.effort = "low"
		e.Warn("this model of %s always thinks: its effort is low", e.Provider())
	}
}

// display asks for the text: newer models send the signature alone unless told otherwise.
func display(r *chat.Reasoning) string {
	if r.Hide {
		return "omitted"
	}
	return "summarized"
}

func (e *encoder) effort(r *chat.Reasoning) string {
	return e.NearestLevel(r, "low", "medium", "high", "xhigh", "max")
}

// budgetOf turns a level into a budget in tokens.
func budgetOf(effort string) int64 {
	switch effort {
	case "minimal":
		return minBudget
	case "low":
		return 2048
	case "medium":
		return 8192
	case "high":
		return 16384
	}
	return 32000
}

// enable gives a budget. The last turn of the assistant must then begin with thinking if its
// calls are being answered ("a final assistant message must start with a thinking block"):
// a conversation that another model began goes on without.
func (e *encoder) enable(r *chat.Reasoning) {
	budget := budgetOf(r.Effort)
	if r.Budget != nil {
		budget = *r.Budget
	}
	if e.answersCallsWithoutThinking() {
		e.Warn("%s does not think in the middle of calls that were made without: reasoning is off", e.Provider())
		return
	}
	e.thinking = thinking{form: thinkEnabled, budget: max(budget, minBudget), display: display(r)}
}

// answersCallsWithoutThinking reports whether the last turn answers calls that were made without thinking.
func (e *encoder) answersCallsWithoutThinking() bool {
	n := len(e.turns)
	if n == 0 || len(e.turns[n-1].results) == 0 {
		return false
	}
	asked := n - 1 // the turn in which the user asked for what is being done
	for asked > 0 && (e.turns[asked].role != chat.User || len(e.turns[asked].results) > 0) {
		asked--
	}
	first := true
	for i := asked; i < n; i++ {
		t := &e.turns[i]
		if t.role != chat.Assistant {
			continue
		}
		if t.parts[0].Kind != chat.Reason && (first || madeElsewhere(t.parts)) {
			return true
		}
		first = false
	}
	return false
}

// madeElsewhere reports whether the parts hold a call with an id of another provider. Anthropic's own turns need no
// thinking if they continue earlier thinking.
func madeElsewhere(parts []chat.Part) bool {
	return slices.ContainsFunc(parts, func(p chat.Part) bool {
		return p.Kind == chat.Call && !strings.HasPrefix(p.ToolCall.ID, "toolu_")
	})
}

// fitBudget keeps the budget below max_tokens, of which it is a part.
func (e *encoder) fitBudget() {
	t := &e.thinking
	if t.form != thinkEnabled || t.budget < e.maxTokens {
		return
	}
	if e.maxTokens <= minBudget {
		e.Warn("%s thinks with at least %d tokens, but max_tokens is %d: reasoning is off", e.Provider(), minBudget, e.maxTokens)
		*t = thinking{}
		return
	}
	budget := max(minBudget, e.maxTokens-e.maxTokens/4)
	e.Warn("a reasoning budget of %d tokens does not fit max_tokens %d: changed to %d", t.budget, e.maxTokens, budget)
	t.budget = budget
}

// think writes the field thinking.
func (e *encoder) think() {
	t := &e.thinking
	if t.form == thinkUnsaid || !e.Field("thinking", body.Warns) {
		return
	}
	e.Member(`{"type":`, string(t.form))
	if t.form == thinkEnabled {
		e.Count(`,"budget_tokens":`, t.budget)
	}
	e.Optional(`,"display":`, t.display)
	e.Raw("}")
}

// outputConfig writes the effort and the form of the answer.
func (e *encoder) outputConfig() {
	schema := e.schema()
	effort := e.thinking.effort
	if schema != nil && !e.Accepts("output_config") {
		e.Refuse("response_format", "this model of %s does not take a JSON schema: choose a newer one, or ask for JSON in the prompt", e.Provider())
	}
	if effort == "" && schema == nil || !e.Field("output_config", body.Warns) {
		return
	}
	e.Raw("{")
	e.Optional(`"effort":`, effort)
	if schema != nil {
		e.Key("format")
		e.Raw(`{"type":"json_schema","schema":`)
		e.Out = append(e.Out, schema...)
		e.Raw("}")
	}
	e.Raw("}")
}
