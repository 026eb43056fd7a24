package dialect

import "github.com/alicetears/llm-gateway/pkg/chat"

// CommonRules are the rules that all dialects have in common: they say how a provider's fields differ
// from those of the dialect itself. Each dialect's package adds its own. Rules are declarative values
// in the rows of the provider table. The zero value changes nothing.
type CommonRules struct {
	// Provider is the id of the provider, for warnings. The provider table sets it.
	Provider string
	// Fields, if not empty, are the only top-level fields that the provider accepts, by
	// the names that it uses; others are dropped with a warning.
	Fields []string
	// Drop names top-level fields (the dialect's names) that the provider refuses.
	Drop []string
	// Rename maps the dialect's name of a top-level field to the provider's.
	Rename map[string]string
	// Clamp limits numbers by the dialect's field name.
	Clamp map[string]Range

	ToolNames ToolNameForm
	// PlainParameters says that the schema of a function's parameters must not combine others at its root: anyOf, oneOf,
	// allOf. They are merged.
	PlainParameters bool
	// StrictClosed says that a strict function must require all its parameters and allow no others (OpenAI's structured
	// outputs). What other dialects call strict wants less.
	StrictClosed bool
	Turns        TurnRules
	SingleChoice bool // n other than 1 is refused
	// MaxOutput returns the most tokens that the model may give, 0 if unknown. Nil: none is
	// known. A higher limit is lowered to it; of those that are passed through, only
	// Anthropic's is.
	MaxOutput func(model string) int64
}

// ModelExceptions are the exceptions to CommonRules that hold for one model.
type ModelExceptions struct {
	// Drop adds to that of the provider. DropUnlessEffortNone are dropped only while the model reasons.
	Drop                 []string
	DropUnlessEffortNone []string
	// Efforts are the levels of reasoning effort that the model knows, in rising order;
	// another one becomes the nearest. Empty: as they come.
	Efforts []string
	// PlainParameters: see CommonRules.
	PlainParameters bool
	// Turns, if not nil, replaces that of the provider.
	Turns *TurnRules
}

// ForModel returns the first of a dialect's model rules that match the model; zero if none does.
func ForModel[M interface{ Matches(model string) bool }](rules []M, model string) M {
	for i := range rules {
		if rules[i].Matches(model) {
			return rules[i]
		}
	}
	var none M
	return none
}

// Traits are what the rules of a provider say about more than the request's bytes.
type Traits struct {
	// ToolNames are the names of functions that the provider takes.
	ToolNames ToolNameForm
	// CustomTools says that it takes OpenAI's free-text tools.
	CustomTools bool
	// Hosted are the tools that it runs and that other dialects know, too. HostedAlone says that the model does not take
	// them beside functions.
	Hosted      []chat.HostedKind
	HostedAlone bool
	// RewritesAnswers says that an answer's bytes do not suit callers of the same dialect.
	RewritesAnswers bool
	// UnaskedUsage says that the provider's streams have the usage in their last chunk though nobody asked for it, as its
	// SDKs expect.
	UnaskedUsage bool
	// ThinkTags says that the model's reasoning stands as <think>..</think> at the start of its text.
	ThinkTags bool
	// WantsReasoning says that the provider wants reasoning back with the results of tool calls.
	WantsReasoning bool
	// ReasoningBoundToAccount says that such reasoning is worth nothing to another account's key.
	ReasoningBoundToAccount bool
	// ReasoningBoundToContext says that the provider refuses it beside other system text, tools or messages than those
	// that it was made with.
	ReasoningBoundToContext bool
}

// TurnRules are what a provider is known to refuse in the order of a conversation. The zero value refuses nothing. A
// conversation that breaks them is mended where its meaning stays, also one that is passed through; see package turns.
type TurnRules struct {
	// Pairs: each call has one result, which follows it before anything else is said, and each result has its call.
	Pairs bool
	// CallIDs are the ids of calls that the provider takes.
	CallIDs CallIDForm
	// DistinctCallIDs: no two calls of a conversation share an id.
	DistinctCallIDs bool
	// NotAfter lists the roles that may not follow a role. Developer counts as System.
	NotAfter map[chat.Role][]chat.Role
	// Ends says who may speak last.
	Ends EndForm
	// UserFirst: the assistant may not speak first.
	UserFirst bool
	// SaysSomething: a turn of the assistant or the user has text, media or calls.
	SaysSomething bool
}

// EndForm says who may speak last.
type EndForm uint8

// The forms.
const (
	EndsAny       EndForm = iota
	EndsAnyButOwn         // not the assistant, instructions aside: its turn would be continued otherwise
	EndsUser              // the user or a tool
)

// CallIDForm is what a provider takes as the id of a call. Another id becomes a digest of itself.
type CallIDForm uint8

// The forms.
const (
	CallIDsAny  CallIDForm = iota
	CallIDsNine            // nine letters and digits: Mistral
	CallIDsWord            // letters, digits, underscores and hyphens: Anthropic
	CallIDs40              // at most 40 bytes: OpenAI's Chat Completions
	CallIDs64              // at most 64 bytes: OpenAI's Responses
)

// Range is an inclusive range of numbers.
type Range struct{ Min, Max float64 }

// ToolNameForm is what a provider takes as the name of a function. Another name is sent in a form that it takes, and
// comes back in answers as the caller wrote it; see body.FitTools.
type ToolNameForm uint8

// The forms.
const (
	ToolNamesAny    ToolNameForm = iota
	ToolNames64                  // 1 to 64 letters, digits, underscores and hyphens: OpenAI, and those like it
	ToolNames128                 // up to 128 of them: Anthropic
	ToolNamesDotted              // up to 128, dots and colons as well, a letter or an underscore first: Gemini
)
