package gemini

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// thinking writes thinkingConfig: a level or a budget, never both, and whether the thoughts
// shall be shown (https://ai.google.dev/gemini-api/docs/thinking).
func (e *encoder) thinking() {
	r := e.req.Reasoning
	if r == nil {
		return
	}
	if e.model.Thinking == dialect.ThinkingDropped {
		if r.Budget != nil && *r.Budget > 0 || r.Effort != "" && r.Effort != "none" {
			e.warn("this model of %s does not reason: reasoning is dropped", e.provider())
		}
		return
	}
	if !e.accepts("thinkingConfig") {
		return
	}
	e.member("thinkingConfig")
	e.raw("{")
	if !r.Hide && r.Effort != "none" && (r.Budget == nil || *r.Budget != 0) {
		e.raw(`"includeThoughts":true`)
	}
	switch {
	case r.Effort == "" && r.Budget == nil:
	case e.byLevel(r):
		e.member("thinkingLevel")
		e.str(strings.ToUpper(e.level(r)))
	default:
		e.member("thinkingBudget")
		e.out = jsonx.AppendInt(e.out, e.budget(r))
	}
	e.raw("}")
}

func (e *encoder) byLevel(r *chat.Reasoning) bool {
	switch e.model.Thinking {
	case dialect.ThinkingLevel:
		return true
	case dialect.ThinkingBudget, dialect.ThinkingBudgetAlways:
		return false
	}
	return r.Effort != "" && r.Effort != "none" // no level turns thinking off
}

// level is the effort as the model knows it.
func (e *encoder) level(r *chat.Reasoning) string {
	asked := r.Effort
	if asked == "" {
		asked = effortOf(*r.Budget)
		e.warn("this model of %s takes no reasoning budget: %d tokens became the effort %s", e.provider(), *r.Budget, asked)
	}
	known := e.model.Efforts
	if len(known) == 0 {
		known = []string{"minimal", "low", "medium", "high"}
	}
	level := nearest(asked, known)
	if level != asked {
		e.warn("reasoning effort %s is not known to this model: changed to %s", asked, level)
	}
	return level
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
	low, high := int64(e.model.Budget.Min), int64(e.model.Budget.Max)
	budget := asked
	if high > 0 {
		budget = min(budget, high)
	}
	if asked > 0 || e.model.Thinking == dialect.ThinkingBudgetAlways {
		budget = max(budget, low)
	}
	if asked == 0 && budget > 0 {
		e.warn("this model of %s always reasons: it gets the least budget, %d tokens", e.provider(), budget)
	} else if budget != asked && r.Effort == "" {
		e.warn("a reasoning budget of %d tokens is out of this model's range: changed to %d", asked, budget)
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

// effortOf turns a budget in tokens into a level.
func effortOf(budget int64) string {
	switch {
	case budget <= 0:
		return "none"
	case budget <= 2048:
		return "low"
	case budget <= 12288:
		return "medium"
	}
	return "high"
}

// nearest is the level among the known, in rising order, that is closest to the one asked for; of
// two the lower.
func nearest(asked string, known []string) string {
	order := []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
	want := slices.Index(order, asked)
	best, distance := known[0], len(order)
	for _, level := range known {
		d := slices.Index(order, level) - want
		if d = max(d, -d); d < distance {
			best, distance = level, d
		}
	}
	return best
}
