package anthropic

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Rules say how a provider's Messages API differs from Anthropic's.
type Rules struct {
	dialect.CommonRules

	CacheMarks bool // cache_control is sent; else it is left out silently
	// Models are exceptions; the first that matches the model's id is applied over the rest.
	Models []ModelRules
}

// ModelRules say what the models that Match says take: their generations differ.
type ModelRules struct {
	// Match takes a model id.
	Match func(model string) bool
	// Drop adds to that of the provider.
	Drop []string
	// Efforts are the levels of reasoning effort that the model knows, in rising order;
	// another one becomes the nearest. Empty: as they come.
	Efforts     []string
	Thinking    ThinkingForm
	ThinkingOff ThinkingOffForm
	ForcedTools ForcedToolsForm
	// FoldsSystemTurns: instructions in the middle of a conversation become text of the user, rather than a message of
	// the role system behind one of the user.
	FoldsSystemTurns bool
	// Turns, if not nil, replaces that of the provider.
	Turns *dialect.TurnRules
}

// Matches reports whether the rules are those of the model.
func (m ModelRules) Matches(model string) bool { return m.Match != nil && m.Match(model) }

// Exceptions returns those of the model that every dialect knows.
func (m ModelRules) Exceptions() dialect.ModelExceptions {
	return dialect.ModelExceptions{Drop: m.Drop, Efforts: m.Efforts, Turns: m.Turns}
}

// ThinkingForm is how a model is told to think.
type ThinkingForm uint8

// The forms.
const (
	ThinkingAdaptive ThinkingForm = iota // thinking {type: adaptive} and output_config.effort
	ThinkingBudget                       // thinking {type: enabled, budget_tokens}
	ThinkingNever                        // the model cannot think
)

// ThinkingOffForm is how a model is told not to think.
type ThinkingOffForm uint8

// The forms.
const (
	OffByDefault    ThinkingOffForm = iota // it thinks only if it is told to
	OffDisabled                            // thinking {type: disabled}
	OffBetweenTools                        // thinking {type: between_tools}, the least that there is
	OffNever                               // it always thinks; the lowest effort has to do
)

// ForcedToolsForm is whether a model can be told to call a tool.
type ForcedToolsForm uint8

// The forms.
const (
	ForcedAny             ForcedToolsForm = iota
	ForcedWithoutThinking                 // not while it thinks
	ForcedRefused                         // never
)
