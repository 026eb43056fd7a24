package openai

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Rules describe how a provider's Chat Completions differ from OpenAI's.
type Rules struct {
	dialect.CommonRules

	MaxTokens       MaxTokensField
	AsksStreamUsage bool // stream_options.include_usage asks for the usage of a stream; else it always comes
	StopArrayOnly   bool // stop must be an array
	MaxStops        int  // stop sequences; 0: no limit is known
	ToolChoiceAny   bool // the tool choice "any" forces a call, not "required"
	NoAllowedTools  bool // the tool choice allowed_tools is unknown: the other tools are left out
	NoDeveloperRole bool // its messages get the role system
	NoNames         bool // messages have no name
	NoImages        bool
	Reasoning       ReasoningForm
	ReasoningBack   ReasoningBack
	NoSchema        bool // a JSON schema is sent as json_object, with the schema in the prompt: DeepSeek
	Audio           AudioForm
	Files           FileForm
	LogprobsCount   bool // logprobs is the number of top_logprobs, not a boolean: Together
	CacheMarks      bool // cache_control is sent on content parts: OpenRouter; else it is left out silently
	Embeddings      dialect.EmbeddingRules
	CustomTools     bool        // tools of the type custom; else they are sent as functions
	Hosted          HostedTypes // the tools that it runs; a model's own replace them
	// HostedParameters says that such tools take parameters: allowed_domains, excluded_domains.
	HostedParameters bool
	// RewritesAnswers says that a client of the same dialect gets answers written anew, as OpenAI's clients would not
	// understand the provider's: Mistral's reasoning models answer with arrays, Together has the finish reason eos.
	RewritesAnswers bool
	// MessageFields, if not empty, are the only members of a message that the provider takes.
	// It takes no unknown members within them or within tools either. EncodeRequest writes no
	// others; a client's own message with others is written anew.
	MessageFields []string
	// DropFromMessages are members of messages that the provider does not take, and that are no part of what is said: those
	// that answers of one provider or another have, and clients send back. index is also one of tool calls.
	DropFromMessages []string
	// NoTextParts says that content may be an array only if it has images or other media. EncodeRequest always writes
	// text as a string; a client's own arrays of text are joined.
	NoTextParts bool
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
	// Hosted are the tools that the provider runs for the model; nil: those of the provider.
	Hosted HostedTypes
	// Tools says whether the model reasons while it has functions to call.
	Tools           ToolsForm
	PlainParameters bool // see dialect.CommonRules
	// ReasoningBoundToContext: see dialect.Traits.
	ReasoningBoundToContext bool
	// Turns, if not nil, replaces that of the provider.
	Turns *dialect.TurnRules
}

// Matches says whether the rules are those of the model.
func (m ModelRules) Matches(model string) bool { return m.Match != nil && m.Match(model) }

// Exceptions returns the exceptions that every dialect has.
func (m ModelRules) Exceptions() dialect.ModelExceptions {
	return dialect.ModelExceptions{Drop: m.Drop, DropUnlessEffortNone: m.DropUnlessEffortNone, Efforts: m.Efforts,
		PlainParameters: m.PlainParameters, Turns: m.Turns}
}

// ThinkTagsForm says whether an answer's text begins with its reasoning as <think>..</think>.
type ThinkTagsForm uint8

// The forms.
const (
	ThinkTagsNone  ThinkTagsForm = iota
	ThinkTagsSplit               // it does; see body.ThinkSplitter
	ThinkTagsAsked               // it does not if reasoning_format asks for parsed or hidden: Groq
)

// ToolsForm says whether a model may reason while it has functions to call.
type ToolsForm uint8

// The forms.
const (
	ToolsAny ToolsForm = iota
	// ToolsWithoutReasoning: a request with functions must have the effort none (OpenAI from
	// gpt-5.2 on: "Function tools with reasoning_effort are not supported ... in
	// /v1/chat/completions"). It is sent whatever the caller asked for, with a warning.
	ToolsWithoutReasoning
	// ToolsElsewhere: functions have to be sent in the provider's alternate protocol, as the model always
	// reasons. A request that the alternate protocol cannot express is sent in this one as it is.
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

// ReasoningForm is the form of the reasoning effort.
type ReasoningForm uint8

// The forms.
const (
	ReasoningEffort   ReasoningForm = iota // reasoning_effort
	ReasoningObject                        // OpenRouter: reasoning {effort | max_tokens, exclude}
	ReasoningTwoLevel                      // Mistral: reasoning_effort none or high
	ReasoningThinking                      // DeepSeek: thinking {type} and reasoning_effort low, high, max
	ReasoningBudget                        // Fireworks: reasoning_effort, or thinking {type, budget_tokens}
	// ReasoningToggle: reasoning {enabled} turns it off, and on for models that take no effort; else
	// reasoning_effort. Together.
	ReasoningToggle
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
	ReasoningBackParts                 // parts of the type thinking: Mistral
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
