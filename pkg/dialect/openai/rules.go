package openai

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Rules say how a provider's Chat Completions differ from OpenAI's.
type Rules struct {
	dialect.CommonRules

	MaxTokens     MaxTokensField
	StreamUsage   StreamUsage
	Stop          StopForm
	MaxStops      int // stop sequences; 0: no limit is known
	ToolChoice    ToolChoiceForm
	ToolIDs       ToolIDForm
	DeveloperRole RoleForm
	Names         NameForm
	Reasoning     ReasoningForm
	ReasoningBack ReasoningBack
	Schema        SchemaForm
	Images        ImageForm
	Audio         AudioForm
	Files         FileForm
	Logprobs      LogprobsForm
	CacheMarks    dialect.CacheMarkForm
	AllowedTools  AllowedToolsForm
	Embeddings    dialect.EmbeddingRules
	Answers       AnswerForm
	// MessageFields, if not empty, are the only members of a message that the provider takes,
	// and it takes no unknown ones within them or within tools either. EncodeRequest writes no
	// others anyway; a caller's own messages with others cannot pass.
	MessageFields []string
	// TextParts says whether the caller's arrays of text may pass; EncodeRequest writes strings.
	TextParts TextPartsForm
	// Models are exceptions; the first that matches the model's id is applied over the rest.
	Models []ModelRules
}

// ModelRules are the exceptions of the models that Match says.
type ModelRules struct {
	// Match takes a model id.
	Match func(model string) bool
	// Drop and MaxTokens add to, or replace, those of the provider. DropUnlessEffortNone
	// are dropped only while the model reasons.
	Drop                 []string
	DropUnlessEffortNone []string
	MaxTokens            MaxTokensField
	// Efforts are the levels of reasoning effort that the model knows, in rising order;
	// another one becomes the nearest. Empty: as they come.
	Efforts []string
	// DefaultEffort is how much the model thinks if nothing is asked; empty: unknown, but it does.
	DefaultEffort string
	// ThinkTags says whether the model writes its reasoning into the text of its answers.
	ThinkTags ThinkTagsForm
	// Tools says whether the model may think while it is given functions to call.
	Tools ToolsForm
	// ReasoningBoundToContext: see dialect.Traits.
	ReasoningBoundToContext bool
}

// Matches says whether the rules are those of the model.
func (m ModelRules) Matches(model string) bool { return m.Match != nil && m.Match(model) }

// Exceptions returns those of the model that every dialect knows.
func (m ModelRules) Exceptions() dialect.ModelExceptions {
	return dialect.ModelExceptions{Drop: m.Drop, DropUnlessEffortNone: m.DropUnlessEffortNone, Efforts: m.Efforts}
}

// ThinkTagsForm says whether reasoning stands as <think>..</think> at the start of an answer's text.
type ThinkTagsForm uint8

// The forms.
const (
	ThinkTagsNone  ThinkTagsForm = iota
	ThinkTagsSplit               // it does; answers that are written anew have it as reasoning, see body.ThinkSplitter
	ThinkTagsAsked               // it does not if reasoning_format asks for parsed or hidden: Groq
)

// ToolsForm says whether functions and thinking go together.
type ToolsForm uint8

// The forms.
const (
	ToolsAny ToolsForm = iota
	// ToolsWithoutReasoning: a request with functions must carry the effort none (OpenAI from
	// gpt-5.2 on: "Function tools with reasoning_effort are not supported ... in
	// /v1/chat/completions"), which then is sent whatever the caller asked for, with a warning.
	ToolsWithoutReasoning
	// ToolsElsewhere: functions want another dialect of the provider's, as the model always thinks. In
	// this one they are sent as asked, for who has no other choice.
	ToolsElsewhere
)

// MaxTokensField is the field that limits an answer's length.
type MaxTokensField uint8

// The fields. MaxTokensUnset in ModelRules keeps the provider's.
const (
	MaxTokensUnset      MaxTokensField = iota
	MaxTokens                          // max_tokens
	MaxCompletionTokens                // max_completion_tokens
)

// StreamUsage says how a provider is asked for usage in a stream.
type StreamUsage uint8

// The ways.
const (
	UsageIncluded StreamUsage = iota // sent without asking; asking is refused or useless
	UsageAsked                       // stream_options.include_usage
)

// StopForm is the form of stop sequences.
type StopForm uint8

// The forms.
const (
	StopAny   StopForm = iota // a string or an array
	StopArray                 // an array only
)

// ToolChoiceForm is the provider's word for "call some tool".
type ToolChoiceForm uint8

// The forms.
const (
	ChoiceRequired ToolChoiceForm = iota // "required"
	ChoiceAny                            // "any"
)

// AnswerForm says whether an answer's bytes may go to a caller of the same dialect.
type AnswerForm uint8

// The forms.
const (
	AnswersPass AnswerForm = iota
	// AnswersWritten: anew, because OpenAI's clients would not understand them. Mistral's reasoning models
	// answer with arrays where they know strings; Together has a finish reason that they do not know, eos.
	AnswersWritten
)

// AllowedToolsForm says whether tool_choice may name several tools (allowed_tools).
type AllowedToolsForm uint8

// The forms.
const (
	AllowedToolsKept     AllowedToolsForm = iota
	AllowedToolsFiltered                  // no: the other tools are left out instead
)

// TextPartsForm says which content may be an array of text parts.
type TextPartsForm uint8

// The forms.
const (
	TextPartsKept   TextPartsForm = iota
	TextPartsJoined               // none: a string is wanted; arrays are for images and their like
)

// ToolIDForm is what a provider demands of the ids of tool calls.
type ToolIDForm uint8

// The forms.
const (
	ToolIDAny  ToolIDForm = iota
	ToolIDNine            // nine letters or digits; others are mapped, and mapped the same way each time
)

// RoleForm says what becomes of the developer role.
type RoleForm uint8

// The forms.
const (
	DeveloperKept RoleForm = iota
	DeveloperAsSystem
)

// NameForm says what becomes of a message's name.
type NameForm uint8

// The forms.
const (
	NamesKept NameForm = iota
	NamesDropped
)

// ReasoningForm is how a provider is told how much to think.
type ReasoningForm uint8

// The forms.
const (
	ReasoningEffort   ReasoningForm = iota // reasoning_effort
	ReasoningObject                        // OpenRouter: reasoning {effort | max_tokens, exclude}
	ReasoningTwoLevel                      // Mistral: reasoning_effort none or high
	ReasoningThinking                      // DeepSeek: thinking {type} and reasoning_effort low, high, max
	ReasoningBudget                        // Fireworks: reasoning_effort, or thinking {type, budget_tokens}
	ReasoningToggle                        // Together: reasoning {enabled} turns it off, and on where no effort is taken; else reasoning_effort
	ReasoningDropped
)

// ReasoningBack is the field in which the reasoning of earlier turns goes back.
type ReasoningBack uint8

// The fields.
const (
	ReasoningBackDropped ReasoningBack = iota
	ReasoningBackContent               // reasoning_content: DeepSeek demands it on turns with tool calls
	ReasoningBackField                 // reasoning: Groq
	ReasoningBackDetails               // reasoning_details, unchanged: OpenRouter
)

// SchemaForm says how a JSON schema is asked for.
type SchemaForm uint8

// The forms.
const (
	SchemaKept   SchemaForm = iota
	SchemaAsJSON            // json_object, the schema in the prompt: DeepSeek
)

// ImageForm says whether images may be sent.
type ImageForm uint8

// The forms.
const (
	ImagesKept ImageForm = iota
	ImagesRefused
)

// AudioForm is the form of recorded sound.
type AudioForm uint8

// The forms.
const (
	AudioObject AudioForm = iota // input_audio {data, format}
	AudioString                  // input_audio is the base64 text or the URL itself: Mistral
	AudioRefused
)

// FileForm is the form of documents.
type FileForm uint8

// The forms.
const (
	FileObject      FileForm = iota // file {filename, file_data | file_id}; a URL is refused
	FileObjectOrURL                 // the same, and file_data may be a URL: OpenRouter
	FileDocumentURL                 // document_url, which may be a data URL: Mistral
	FilesRefused
)

// LogprobsForm is the form in which the probabilities of tokens are asked for.
type LogprobsForm uint8

// The forms.
const (
	LogprobsBool  LogprobsForm = iota // logprobs is a boolean, top_logprobs the number
	LogprobsCount                     // logprobs is the number: Together
)
