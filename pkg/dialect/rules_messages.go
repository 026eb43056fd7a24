package dialect

// MessagesRules say what a model takes of Anthropic's Messages API: its generations differ.
type MessagesRules struct {
	Thinking    ThoughtForm
	ThinkingOff ThoughtOffForm
	ForcedTools ForcedToolsForm
	SystemTurns SystemTurnForm
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

// ForcedToolsForm says whether a model can be told that it must call a tool.
type ForcedToolsForm uint8

// The forms.
const (
	ForcedAny             ForcedToolsForm = iota
	ForcedWithoutThinking                 // not while it thinks
	ForcedRefused                         // never
)

// SystemTurnForm says whether instructions may stand in the middle of a conversation.
type SystemTurnForm uint8

// The forms.
const (
	SystemKept   SystemTurnForm = iota // a message of the role system, behind one of the user
	SystemFolded                       // they become text of the user
)
