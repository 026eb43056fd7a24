package anthropic

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Rules say how a provider's Messages API differs from Anthropic's.
type Rules struct {
	dialect.CommonRules

	CacheMarks dialect.CacheMarkForm
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
	Thinking    ThoughtForm
	ThinkingOff ThoughtOffForm
	ForcedTools ForcedToolsForm
	SystemTurns SystemTurnForm
}

// Matches reports whether the rules are those of the model.
func (m ModelRules) Matches(model string) bool { return m.Match != nil && m.Match(model) }

// Exceptions returns those of the model that every dialect knows.
func (m ModelRules) Exceptions() dialect.ModelExceptions {
	return dialect.ModelExceptions{Drop: m.Drop, Efforts: m.Efforts}
}

// ThoughtForm is how a model is told to think.
type ThoughtForm uint8

// The forms.
const (
	ThoughtAdaptive ThoughtForm = iota // thinking {type: adaptive} and output_config.effort
	ThoughtBudget                      // thinking {type: enabled, budget_tokens}
	ThoughtNever                       // the model cannot think
)

// ThoughtOffForm is how a model is told not to think.
type ThoughtOffForm uint8

// The forms.
const (
	OffUnsaid       ThoughtOffForm = iota // it thinks only if it is told to
	OffDisabled                           // thinking {type: disabled}
	OffBetweenTools                       // thinking {type: between_tools}, the least that there is
	OffNever                              // it always thinks; the lowest effort has to do
)

// ForcedToolsForm is whether a model can be told to call a tool.
type ForcedToolsForm uint8

// The forms.
const (
	ForcedAny             ForcedToolsForm = iota
	ForcedWithoutThinking                 // not while it thinks
	ForcedRefused                         // never
)

// SystemTurnForm is whether instructions may come in the middle of a conversation.
type SystemTurnForm uint8

// The forms.
const (
	SystemKept   SystemTurnForm = iota // a message of the role system, behind one of the user
	SystemFolded                       // they become text of the user
)
