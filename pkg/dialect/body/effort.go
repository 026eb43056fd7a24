package body

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Level returns the level that is sent for r. Unless adapt is nil, it maps the level as the provider does, before the
// nearest level that the model knows is taken.
func (w *Writer) Level(r *chat.Reasoning, adapt func(level string) string) string {
	asked := w.levelOf(r, w.Provider())
	level := asked
	if adapt != nil {
		level = adapt(asked)
	}
	if len(w.exceptions.Efforts) > 0 {
		level = Nearest(level, w.exceptions.Efforts)
	}
	return w.changedLevel(asked, level)
}

// NearestLevel returns the level that is sent for r: the nearest that the model knows. Known are those of a model
// about which the rules say nothing.
func (w *Writer) NearestLevel(r *chat.Reasoning, known ...string) string {
	if len(w.exceptions.Efforts) > 0 {
		known = w.exceptions.Efforts
	}
	asked := w.levelOf(r, "this model of "+w.Provider())
	return w.changedLevel(asked, Nearest(asked, known))
}

// levelOf returns the level of r, which may have a budget instead; who is the subject of the warning that it is not sent.
func (w *Writer) levelOf(r *chat.Reasoning, who string) string {
	if r.Effort != "" {
		return r.Effort
	}
	level := EffortOf(*r.Budget)
	w.Warn("%s takes no reasoning budget: %d tokens became the effort %s", who, *r.Budget, level)
	return level
}

func (w *Writer) changedLevel(asked, level string) string {
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

// rank orders the levels. An unknown one (Groq's default) ranks in the middle.
func rank(effort string) int {
	i := slices.Index([]string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}, effort)
	if i < 0 {
		return 3
	}
	return i
}

// Nearest returns the level among the known that is closest to the one asked for; of two
// that are equally close the lower. It is none only if none is asked for, or if the model knows nothing else.
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
