package openai

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// prepareReasoning settles the effort, on which other fields depend.
func (e *encoder) prepareReasoning() {
	r := e.req.Reasoning
	if r != nil && (r.Effort != "" || r.Budget != nil) {
		switch {
		case e.rules.Reasoning == dialect.ReasoningDropped, !e.accepts(e.reasoningField()):
			e.warn("reasoning cannot be steered at %s for this model: dropped", e.provider())
		case e.rules.Reasoning == dialect.ReasoningObject && r.Effort == "":
		default:
			e.effort = e.level(r)
		}
	}
	// "Thinking mode does not support this tool_choice": DeepSeek refuses a call that must
	// be made while it thinks, which it does unless told otherwise.
	if c := e.req.ToolChoice; e.rules.Reasoning == dialect.ReasoningThinking && e.effort != "none" &&
		len(e.req.Tools) > 0 && c != nil && (c.Mode == chat.ToolRequired || c.Mode == chat.ToolNamed) {
		e.warn("%s does not think while a tool must be called: reasoning is off", e.provider())
		e.effort = "none"
	}
	if e.model.Tools == dialect.ToolsWithoutReasoning && len(e.req.Tools) > 0 && e.effort != "none" {
		e.warn("this model of %s does not think while it has functions to call: reasoning is off", e.provider())
		e.effort = "none"
	}
}

func (e *encoder) reasoningField() string {
	switch e.rules.Reasoning {
	case dialect.ReasoningObject:
		return "reasoning"
	case dialect.ReasoningThinking:
		return "thinking"
	}
	return "reasoning_effort"
}

// level is the effort as the model knows it.
func (e *encoder) level(r *chat.Reasoning) string {
	asked := r.Effort
	if asked == "" {
		asked = effortOf(*r.Budget)
		e.warn("%s takes no reasoning budget: %d tokens became the effort %s", e.provider(), *r.Budget, asked)
	}
	level := asked
	switch e.rules.Reasoning {
	case dialect.ReasoningTwoLevel:
		level = nearest(asked, []string{"none", "high"})
	case dialect.ReasoningThinking:
		level = deepSeekEffort(asked)
	}
	if len(e.model.Efforts) > 0 {
		level = nearest(level, e.model.Efforts)
	}
	if level != asked {
		e.warn("reasoning effort %s is not known to this model: changed to %s", asked, level)
	}
	return level
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

// nearest is the level among the known that is closest to the one asked for; of two
// that are equally close the lower. Who wants thought gets some if there is any to have.
func nearest(asked string, known []string) string {
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

func (e *encoder) reasoning() {
	r := e.req.Reasoning
	switch e.rules.Reasoning {
	case dialect.ReasoningDropped:
	case dialect.ReasoningObject:
		e.reasoningObject(r)
	case dialect.ReasoningThinking:
		e.thinking()
	default:
		if e.effort != "" && e.field("reasoning_effort", lossSilent) {
			e.str(e.effort)
		}
	}
}

// reasoningObject is OpenRouter's (https://openrouter.ai/docs/use-cases/reasoning-tokens).
func (e *encoder) reasoningObject(r *chat.Reasoning) {
	if r == nil || e.effort == "" && r.Budget == nil && !r.Hide || !e.field("reasoning", lossSilent) {
		return
	}
	e.raw("{")
	start := len(e.out)
	switch {
	case e.effort != "":
		e.raw(`"effort":`)
		e.str(e.effort)
	case r.Budget != nil:
		e.raw(`"max_tokens":`)
		e.out = jsonx.AppendInt(e.out, *r.Budget)
	}
	if r.Hide {
		e.comma(len(e.out) - start)
		e.raw(`"exclude":true`)
	}
	e.raw("}")
}

func (e *encoder) thinking() {
	if e.effort == "" || !e.field("thinking", lossSilent) {
		return
	}
	if e.effort == "none" {
		e.raw(`{"type":"disabled"}`)
		return
	}
	e.raw(`{"type":"enabled"}`)
	if e.field("reasoning_effort", lossSilent) {
		e.str(e.effort)
	}
}
