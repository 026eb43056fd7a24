package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// thinking writes thinkingConfig: a level or a budget, never both, and whether the thoughts
// shall be shown (https://ai.google.dev/gemini-api/docs/thinking).
func (e *encoder) thinking() {
	r := e.Req.Reasoning
	if r == nil || !e.thinks(r) || !e.Field("thinkingConfig", body.Warns) {
		return
	}
	e.Raw("{")
	if !r.Hide && r.Effort != "none" && (r.Budget == nil || *r.Budget != 0) {
		e.Raw(`"includeThoughts":true`)
	}
	if r.Effort != "" || r.Budget != nil {
		e.thinkingAmount(r)
	}
	e.Raw("}")
}

func (e *encoder) thinkingAmount(r *chat.Reasoning) {
	if e.byLevel(r) {
		e.Key("thinkingLevel")
		e.Str(strings.ToUpper(e.level(r)))
	} else {
		e.Key("thinkingBudget")
		e.Out = jsonx.AppendInt(e.Out, e.budget(r))
	}
}

// thinks says whether the model can be told how much to think; if not, it warns.
func (e *encoder) thinks(r *chat.Reasoning) bool {
	if e.Model.Thinking != ThinkingDropped {
		return true
	}
	if r.Budget != nil && *r.Budget > 0 || r.Effort != "" && r.Effort != "none" {
		e.Warn("this model of %s does not reason: reasoning is dropped", e.Provider())
	}
	return false
}

func (e *encoder) byLevel(r *chat.Reasoning) bool {
	switch e.Model.Thinking {
	case ThinkingLevel:
		return true
	case ThinkingBudget, ThinkingBudgetAlways:
		return false
	}
	return r.Effort != "" && r.Effort != "none" // no level turns thinking off
}

func (e *encoder) level(r *chat.Reasoning) string {
	return e.NearestLevel(r, "minimal", "low", "medium", "high")
}

// budget is the effort in tokens, as Google's own compatible interface counts it
// (https://ai.google.dev/gemini-api/docs/openai#thinking), within the model's bounds.
func (e *encoder) budget(r *chat.Reasoning) int64 {
	var asked int64
	if r.Budget != nil && r.Effort == "" {
		asked = *r.Budget
	} else {
		asked = budgetOf(r.Effort)
	}
	low, high := int64(e.Model.Budget.Min), int64(e.Model.Budget.Max)
	budget := asked
	if high > 0 {
		budget = min(budget, high)
	}
	if asked > 0 || e.Model.Thinking == ThinkingBudgetAlways {
		budget = max(budget, low)
	}
	if asked == 0 && budget > 0 {
		e.Warn("this model of %s always reasons: it gets the least budget, %d tokens", e.Provider(), budget)
	} else if budget != asked && r.Effort == "" {
		e.Warn("a reasoning budget of %d tokens is out of this model's range: changed to %d", asked, budget)
	}
	return budget
}

// maxBudget stands for "as much as the model can": its bounds cut it.
const maxBudget = 32768

func budgetOf(effort string) int64 {
	switch effort {
	case "none":
		return 0
	case "minimal", "low":
		return 1024
	case "medium":
		return 8192
	case "high":
		return 24576
	}
	return maxBudget
}
