package body

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Level is the effort as the model knows it.
func (w *Writer) Level(r *chat.Reasoning) string {
	asked := r.Effort
	if asked == "" {
		asked = EffortOf(*r.Budget)
		w.Warn("%s takes no reasoning budget: %d tokens became the effort %s", w.Provider(), *r.Budget, asked)
	}
	level := asked
	switch w.Rules.Reasoning {
	case dialect.ReasoningTwoLevel:
		level = Nearest(asked, []string{"none", "high"})
	case dialect.ReasoningThinking:
		level = deepSeekEffort(asked)
	}
	if len(w.Model.Efforts) > 0 {
		level = Nearest(level, w.Model.Efforts)
	}
	if level != asked {
		w.Warn("reasoning effort %s is not known to this model: changed to %s", asked, level)
	}
	return level
}

// EffortOf turns a budget in tokens into a level.
func EffortOf(budget int64) string {
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

// deepSeekEffort maps as DeepSeek documents that it does
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

// rank orders the levels; one that we do not know (Groq's default) counts as the middle.
func rank(effort string) int {
	i := slices.Index([]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}, effort)
	if i < 0 {
		return 3
	}
	return i
}

// Nearest is the level among the known that is closest to the one asked for; of two
// that are equally close the lower. Who wants thought gets some if there is any to have.
func Nearest(asked string, known []string) string {
	if slices.Contains(known, asked) {
		return asked
	}
	best, distance := "", 0
	for _, level := range known {
		if level == "none" && asked != "none" && len(known) > 1 {
			continue
		}
		d := rank(level) - rank(asked)
		if d < 0 {
			d = -d
		}
		if best == "" || d < distance {
			best, distance = level, d
		}
	}
	return best
}
