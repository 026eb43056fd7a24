package gemini

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Rules say how a provider's generateContent differs from Google's. Names of fields are those of
// generationConfig, and serviceTier.
type Rules struct {
	dialect.CommonRules

	Schema     SchemaForm
	Embeddings dialect.EmbeddingRules
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
	// Schema, if not SchemaKept, replaces the provider's.
	Schema   SchemaForm
	Thinking ThinkingForm
	// Budget bounds a thinking budget in tokens, besides 0; both ends 0: no bounds.
	Budget       dialect.Range
	Signatures   SignatureForm
	Instructions InstructionForm
	ResultMedia  ResultMediaForm
}

// Matches says whether the rules are those of the model.
func (m ModelRules) Matches(model string) bool { return m.Match != nil && m.Match(model) }

// Exceptions returns those of the model that every dialect knows.
func (m ModelRules) Exceptions() dialect.ModelExceptions {
	return dialect.ModelExceptions{Drop: m.Drop, Efforts: m.Efforts}
}

// SchemaForm says how a JSON schema is asked for.
type SchemaForm uint8

// The forms.
const (
	SchemaKept   SchemaForm = iota
	SchemaSubset            // in OpenAPI's subset, functions' parameters too: before 2.5
)

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

// SignatureForm says whether a model insists on the signatures of its calls.
type SignatureForm uint8

// The forms.
const (
	SignaturesKept SignatureForm = iota // sent back where there are any
	// SignaturesDemanded: "Function call is missing a thought_signature in functionCall parts" is
	// a 400 for the first call of each step since the user last spoke. A call that another
	// model made gets the value that Google documents for this.
	SignaturesDemanded
)

// InstructionForm is the place of system and developer messages.
type InstructionForm uint8

// The forms.
const (
	InstructionsSeparate InstructionForm = iota // systemInstruction
	InstructionsInTurn                          // in the user's turn: Gemma ("Developer instruction is not enabled")
)

// ResultMediaForm is the place of images and files that a tool returned.
type ResultMediaForm uint8

// The forms.
const (
	ResultMediaBeside ResultMediaForm = iota // after the results, as parts of the same turn
	ResultMediaInside                        // functionResponse.parts: Gemini 3 and later
)
