package gemini

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Rules say how a provider's generateContent differs from Google's. Names of fields are those of
// generationConfig, and serviceTier.
type Rules struct {
	dialect.CommonRules

	// SchemaSubset says that JSON schemas, those of functions' parameters too, are sent in OpenAPI's subset.
	SchemaSubset bool
	Embeddings   dialect.EmbeddingRules
	// Models are exceptions; the first that matches the model's id is applied over the rest.
	Models []ModelRules
}

// ModelRules are the exceptions of the models that Match says.
type ModelRules struct {
	// Match takes a model id.
	Match func(model string) bool
	// Drop adds to that of the provider.
	Drop []string
	// Efforts are the levels of reasoning effort that the model knows, in rising order;
	// another one becomes the nearest. Empty: as they come.
	Efforts []string
	// SchemaSubset is that of the provider's rules, for one model: those before 2.5.
	SchemaSubset bool
	Thinking     ThinkingForm
	// Budget bounds a thinking budget in tokens, besides 0; both ends 0: no bounds.
	Budget dialect.Range
	// DemandsSignatures: "Function call is missing a thought_signature in functionCall parts" is
	// a 400 for the first call of each step since the user last spoke. A call that another
	// model made gets the value that Google documents for this.
	DemandsSignatures bool
	// InstructionsInTurn: system and developer messages go into the user's turn, not into systemInstruction
	// (Gemma: "Developer instruction is not enabled").
	InstructionsInTurn bool
	// ResultMediaInside: images and files of a tool's result go into functionResponse.parts (Gemini 3 and later), not
	// after the results as parts of the same turn.
	ResultMediaInside bool
	// HostedAlone: Google's own tools do not go beside functions ("Tool use with function calling is unsupported").
	HostedAlone bool
}

// Matches says whether the rules are those of the model.
func (m ModelRules) Matches(model string) bool { return m.Match != nil && m.Match(model) }

// Exceptions returns those of the model that every dialect knows.
func (m ModelRules) Exceptions() dialect.ModelExceptions {
	return dialect.ModelExceptions{Drop: m.Drop, Efforts: m.Efforts}
}

// ThinkingForm is how a model of Gemini's is told how much to think.
type ThinkingForm uint8

// The forms. A request must not have both fields.
const (
	ThinkingAsAsked      ThinkingForm = iota // an effort as thinkingLevel, a budget as thinkingBudget
	ThinkingLevel                            // thinkingLevel, one of Efforts: Gemini 3 and later
	ThinkingBudget                           // thinkingBudget, where 0 turns thinking off: Gemini 2.5
	ThinkingBudgetAlways                     // thinkingBudget, and thinking cannot be turned off: Gemini 2.5 Pro
	ThinkingDropped                          // the model does not think
)
