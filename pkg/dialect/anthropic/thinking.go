package anthropic

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
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
	thinkUnsaid       thinkForm = "" // as the model does by itself
	thinkAdaptive     thinkForm = "adaptive"
	thinkEnabled      thinkForm = "enabled"
	thinkDisabled     thinkForm = "disabled"
	thinkBetweenTools thinkForm = "between_tools"
)

// minBudget is the least that a model can be given to think.
const minBudget = 1024

// prepareThinking settles the form, on which other fields depend.
func (e *encoder) prepareThinking() {
	r := e.req.Reasoning
	steered := r != nil && (r.Effort != "" || r.Budget != nil)
	off := steered && (r.Effort == "none" || r.Effort == "" && *r.Budget <= 0)
	switch {
	case steered && !off && e.model.Messages.Thinking == dialect.ThoughtNever:
		e.warn("this model of %s cannot think: reasoning is dropped", e.provider())
	case e.forced() && e.model.Messages.ForcedTools == dialect.ForcedRefused:
		e.refuse("tool_choice", "this model of %s cannot be told that it must call a tool: let it choose (auto), and say in the prompt what to call", e.provider())
	case e.forced() && e.model.Messages.ForcedTools == dialect.ForcedWithoutThinking:
		if steered && !off {
			e.warn("%s does not think while a tool must be called: reasoning is off", e.provider())
		}
		e.unthink()
	case off:
		e.unthink()
	case steered && e.model.Messages.Thinking == dialect.ThoughtAdaptive:
		e.thinking = thinking{form: thinkAdaptive, effort: e.effort(r), display: display(r)}
	case steered:
		e.enable(r)
	case r != nil && (r.Hide || r.Summary != "") && e.model.Messages.Thinking == dialect.ThoughtAdaptive && e.model.Messages.ThinkingOff != dialect.OffUnsaid:
		e.thinking = thinking{form: thinkAdaptive, display: display(r)}
	}
}

// forced says whether the model must call a tool.
func (e *encoder) forced() bool {
	c := e.req.ToolChoice
	return c != nil && (c.Mode == chat.ToolRequired || c.Mode == chat.ToolNamed) && len(e.req.Tools) > 0
}

// unthink tells the model not to think, as far as it can be told.
func (e *encoder) unthink() {
	switch e.model.Messages.ThinkingOff {
	case dialect.OffDisabled:
		e.thinking.form = thinkDisabled
	case dialect.OffBetweenTools:
		e.thinking.form = thinkBetweenTools
	case dialect.OffNever:
		e.thinking.effort = "low"
		e.warn("this model of %s always thinks: its effort is low", e.provider())
	}
}

// display asks for the text: newer models send the signature alone unless told otherwise.
func display(r *chat.Reasoning) string {
	if r.Hide {
		return "omitted"
	}
	return "summarized"
}

// effort is the level as the model knows it.
func (e *encoder) effort(r *chat.Reasoning) string {
	asked := r.Effort
	if asked == "" {
		asked = effortOf(*r.Budget)
		e.warn("this model of %s takes no reasoning budget: %d tokens became the effort %s", e.provider(), *r.Budget, asked)
	}
	known := e.model.Efforts
	if len(known) == 0 {
		known = []string{"low", "medium", "high", "xhigh", "max"}
	}
	level := nearest(asked, known)
	if level != asked {
		e.warn("reasoning effort %s is not known to this model: changed to %s", asked, level)
	}
	return level
}

// effortOf turns a budget in tokens into a level, and budgetOf a level into a budget.
func effortOf(budget int64) string {
	switch {
	case budget <= 2048:
		return "low"
	case budget <= 12288:
		return "medium"
	}
	return "high"
}

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

// nearest is the level among the known, which rise, that is closest to the one asked for; of
// two that are equally close the lower.
func nearest(asked string, known []string) string {
	all := []string{"minimal", "low", "medium", "high", "xhigh", "max"}
	at := slices.Index(all, asked)
	if at < 0 || slices.Contains(known, asked) {
		return asked
	}
	best, distance := known[0], len(all)
	for _, level := range known {
		d := slices.Index(all, level) - at
		if d = max(d, -d); d < distance {
			best, distance = level, d
		}
	}
	return best
}

// enable gives a budget. The last turn of the assistant must then begin with thinking if its
// calls are being answered ("a final assistant message must start with a thinking block"):
// a conversation that another model began goes on without.
func (e *encoder) enable(r *chat.Reasoning) {
	budget := budgetOf(r.Effort)
	if r.Budget != nil {
		budget = *r.Budget
	}
	if e.thoughtless() {
		e.warn("%s does not think in the middle of calls that were made without: reasoning is off", e.provider())
		return
	}
	e.thinking = thinking{form: thinkEnabled, budget: max(budget, minBudget), display: display(r)}
}

// thoughtless says whether calls are being answered that no thinking goes before.
func (e *encoder) thoughtless() bool {
	n := len(e.turns)
	if n == 0 || len(e.turns[n-1].results) == 0 {
		return false
	}
	asked := n - 1 // the turn in which the user asked for what is being done
	for asked > 0 && (e.turns[asked].role != chat.User || len(e.turns[asked].results) > 0) {
		asked--
	}
	for i := asked; i < n; i++ {
		if t := &e.turns[i]; t.role == chat.Assistant {
			return t.parts[0].Kind != chat.Reason
		}
	}
	return false
}

// fitBudget keeps the budget below max_tokens, of which it is a part.
func (e *encoder) fitBudget() {
	t := &e.thinking
	if t.form != thinkEnabled || t.budget < e.maxTokens {
		return
	}
	if e.maxTokens <= minBudget {
		e.warn("%s thinks with at least %d tokens, but max_tokens is %d: reasoning is off", e.provider(), minBudget, e.maxTokens)
		*t = thinking{}
		return
	}
	budget := max(minBudget, e.maxTokens-e.maxTokens/4)
	e.warn("a reasoning budget of %d tokens does not fit max_tokens %d: changed to %d", t.budget, e.maxTokens, budget)
	t.budget = budget
}

// think writes the field.
func (e *encoder) think() {
	t := &e.thinking
	if t.form == thinkUnsaid || !e.field("thinking", lossWarns) {
		return
	}
	e.raw(`{"type":`)
	e.str(string(t.form))
	if t.form == thinkEnabled {
		e.raw(`,"budget_tokens":`)
		e.out = jsonx.AppendInt(e.out, t.budget)
	}
	e.member("display", t.display)
	e.raw("}")
}

// outputConfig writes the effort and the form of the answer.
func (e *encoder) outputConfig() {
	schema := e.schema()
	effort := e.thinking.effort
	if schema != nil && !e.accepts("output_config") {
		e.refuse("response_format", "this model of %s does not take a JSON schema: choose a newer one, or ask for JSON in the prompt", e.provider())
	}
	if effort == "" && schema == nil || !e.field("output_config", lossWarns) {
		return
	}
	e.raw("{")
	if effort != "" {
		e.raw(`"effort":`)
		e.str(effort)
	}
	if schema != nil {
		if effort != "" {
			e.raw(",")
		}
		e.raw(`"format":{"type":"json_schema","schema":`)
		e.out = append(e.out, schema...)
		e.raw("}")
	}
	e.raw("}")
}
