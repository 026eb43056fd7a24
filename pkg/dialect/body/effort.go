package body

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Level returns the effort as the model knows it. adapt, unless nil, is the provider's own mapping, which comes
// before that of the model.
func (w *Writer) Level(r *chat.Reasoning, adapt func(level string) string) string {
	asked := r.Effort
	if asked == "" {
		asked = EffortOf(*r.Budget)
		w.Warn("%s takes no reasoning budget: %d tokens became the effort %s", w.Provider(), *r.Budget, asked)
	}
	level := asked
	if adapt != nil {
		level = adapt(asked)
	}
	if len(w.exceptions.Efforts) > 0 {
		level = Nearest(level, w.exceptions.Efforts)
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
