package openai

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Rules describe how a provider's Chat Completions differ from OpenAI's.
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
	// MessageFields, if not empty, are the only members of a message that the provider takes.
	// It takes no unknown members within them or within tools either. EncodeRequest writes no
	// others; a client's own message with others is written anew.
	MessageFields []string
	// TextParts says whether a client's arrays of text may pass through; EncodeRequest writes strings.
	TextParts TextPartsForm
	// Models are exceptions. The first one that matches the model's id is applied over the rest.
	Models []ModelRules
}

// ModelRules are the exceptions of the models that Match accepts.
type ModelRules struct {
	// Match takes a model id.
	Match func(model string) bool
	// Drop adds to the provider's, MaxTokens replaces it. DropUnlessEffortNone has the fields that are
	// dropped only while the model reasons.
	Drop                 []string
	DropUnlessEffortNone []string
	MaxTokens            MaxTokensField
	// Efforts are the levels of reasoning effort that the model knows, in ascending order;
	// another one becomes the nearest. Empty: every level is sent.
	Efforts []string
	// DefaultEffort is the effort of a request without one; empty: unknown, but not none.
	DefaultEffort string
	// ThinkTags says whether the model writes its reasoning into the text of its answers.
	ThinkTags ThinkTagsForm
	// Tools says whether the model reasons while it has functions to call.
	Tools ToolsForm
	// ReasoningBoundToContext: see dialect.Traits.
	ReasoningBoundToContext bool
}

// Matches says whether the rules are those of the model.
func (m ModelRules) Matches(model string) bool { return m.Match != nil && m.Match(model) }

// Exceptions returns the exceptions that every dialect has.
func (m ModelRules) Exceptions() dialect.ModelExceptions {
	return dialect.ModelExceptions{Drop: m.Drop, DropUnlessEffortNone: m.DropUnlessEffortNone, Efforts: m.Efforts}
}

// ThinkTagsForm says whether an answer's text begins with its reasoning as <think>..</think>.
type ThinkTagsForm uint8

// The forms.
const (
	ThinkTagsNone  ThinkTagsForm = iota
	ThinkTagsSplit               // it does; see body.ThinkSplitter
	ThinkTagsAsked               // it does not if reasoning_format asks for parsed or hidden: Groq
)

// ToolsForm says whether a model takes functions and reasons in one request.
type ToolsForm uint8

// The forms.
const (
	ToolsAny ToolsForm = iota
	// ToolsWithoutReasoning: a request with functions must carry the effort none (OpenAI from
	// gpt-5.2 on: "Function tools with reasoning_effort are not supported ... in
	// /v1/chat/completions"). It is sent with a warning if the client asks for another.
	ToolsWithoutReasoning
	// ToolsElsewhere: functions need another dialect of the provider's, as the model always reasons. This
	// dialect sends them unchanged if the key has no other.
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

// StreamUsage says how to request the usage of a stream.
type StreamUsage uint8

// The ways.
const (
	UsageIncluded StreamUsage = iota // always sent; a request for it is refused or has no effect
	UsageAsked                       // stream_options.include_usage
)

// StopForm is the form of stop sequences.
type StopForm uint8

// The forms.
const (
	StopAny   StopForm = iota // a string or an array
	StopArray                 // an array only
)

// ToolChoiceForm is the provider's word for a choice that forces a call of any tool.
type ToolChoiceForm uint8

// The forms.
const (
	ChoiceRequired ToolChoiceForm = iota // "required"
	ChoiceAny                            // "any"
)

// AnswerForm says whether an answer's bytes may pass through to a client of the same dialect.
type AnswerForm uint8

// The forms.
const (
	AnswersPass AnswerForm = iota
	// AnswersWritten: answers are written anew, as OpenAI's clients would not understand them. Mistral's reasoning
	// models answer with arrays instead of strings; Together has the finish reason eos.
	AnswersWritten
)

// AllowedToolsForm says whether tool_choice may name several tools (allowed_tools).
type AllowedToolsForm uint8

// The forms.
const (
	AllowedToolsKept     AllowedToolsForm = iota
	AllowedToolsFiltered                  // no: the other tools are left out
)

// TextPartsForm says which content may be an array of text parts.
type TextPartsForm uint8

// The forms.
const (
	TextPartsKept   TextPartsForm = iota
	TextPartsJoined               // only content with images or other media
)

// ToolIDForm is the form of the ids of tool calls.
type ToolIDForm uint8

// The forms.
const (
	ToolIDAny  ToolIDForm = iota
	ToolIDNine            // nine letters or digits; others become their digests
)

// RoleForm says whether the provider has the developer role.
type RoleForm uint8

// The forms.
const (
	DeveloperKept RoleForm = iota
	DeveloperAsSystem
)

// NameForm says whether messages may have a name.
type NameForm uint8

// The forms.
const (
	NamesKept NameForm = iota
	NamesDropped
)

// ReasoningForm is the form of the reasoning effort.
type ReasoningForm uint8

// The forms.
const (
	ReasoningEffort   ReasoningForm = iota // reasoning_effort
	ReasoningObject                        // OpenRouter: reasoning {effort | max_tokens, exclude}
	ReasoningTwoLevel                      // Mistral: reasoning_effort none or high
	ReasoningThinking                      // DeepSeek: thinking {type} and reasoning_effort low, high, max
	ReasoningBudget                        // Fireworks: reasoning_effort, or thinking {type, budget_tokens}
	ReasoningToggle                        // Together: reasoning {enabled} or reasoning_effort
	ReasoningDropped
)

// ReasoningBack is the field of the reasoning of earlier turns.
type ReasoningBack uint8

// The fields.
const (
	ReasoningBackDropped ReasoningBack = iota
	ReasoningBackContent               // reasoning_content: DeepSeek demands it on turns with tool calls
	ReasoningBackField                 // reasoning: Groq
	ReasoningBackDetails               // reasoning_details, unchanged: OpenRouter
)

// SchemaForm says how to request an answer with a JSON schema.
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

// AudioForm is the form of audio.
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

// LogprobsForm says how to request the log probabilities of tokens.
type LogprobsForm uint8

// The forms.
const (
	LogprobsBool  LogprobsForm = iota // logprobs is a boolean, top_logprobs the number
	LogprobsCount                     // logprobs is the number: Together
)
