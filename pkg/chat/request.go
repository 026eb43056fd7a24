// Package chat holds the canonical form of a conversation with a model: the
// request, the response, the events of a stream, usage and errors. Dialects
// translate between bytes and these types; everything between two dialects
// works on them alone.
//
// The types carry what any of the dialects can say, so that translating loses
// nothing that the target can express. They hold no I/O and import nothing of ours.
package chat

import "encoding/json"

// Request is a request to a model. A nil pointer or an empty value means that the caller did
// not set the field.
type Request struct {
	Model    string
	Messages []Message

	Tools             []Tool
	ToolChoice        *ToolChoice
	ParallelToolCalls *bool

	MaxTokens        *int64   // output tokens, reasoning included; at least 1 (Anthropic: 0 only fills the prompt cache)
	Temperature      *float64 // 0 to 2
	TopP             *float64 // 0 to 1
	TopK             *int64
	Stop             []string
	Seed             *int64
	N                *int64 // answers wanted; nil is 1
	FrequencyPenalty *float64
	PresencePenalty  *float64
	LogitBias        map[string]float64
	Logprobs         *bool
	TopLogprobs      *int64

	ResponseFormat *ResponseFormat
	Reasoning      *Reasoning
	Verbosity      string // low, medium, high

	Stream      bool
	StreamUsage bool // the caller wants usage at the end of a stream, where the dialect leaves the choice
	// FunctionCalls says that the caller knows functions but not tools (OpenAI before November
	// 2023): its answer has a function_call.
	FunctionCalls bool `json:",omitempty"`
	ServiceTier   string
	User          string            // an end user's id for the provider's abuse checks
	Metadata      map[string]string // kept by the provider with the answer
	CacheKey      string            // steers the provider's prompt cache
	// Store says whether the gateway is to keep the answer, so that later requests can refer to it; nil: the caller does
	// not say. Providers are never asked to.
	Store *bool `json:",omitempty"`

	// Foreign are fields of the caller's dialect that have no place here. They are sent where the caller's bytes are
	// passed through.
	Foreign []Foreign `json:",omitempty"`
}

// Foreign is a field that only the caller's dialect has.
type Foreign struct {
	Name string // at the top level; else its path in the body
	// Problem says why it is lost, if there is more to say.
	Problem string `json:",omitempty"`
	// Essential says that without it the request means something else.
	Essential bool `json:",omitempty"`
}

// Role is the author of a message.
type Role string

// The roles. Developer is OpenAI's newer name for instructions that rank above the user's.
const (
	System    Role = "system"
	Developer Role = "developer"
	User      Role = "user"
	Assistant Role = "assistant"
	ToolRole  Role = "tool"
)

// Message is one turn. Its parts are in the order in which they were said.
type Message struct {
	Role  Role
	Name  string // of the participant, where the dialect has one
	Parts []Part
}

// PartKind is which fields of a Part are used.
type PartKind uint8

// The kinds of parts.
const (
	Text       PartKind = iota + 1 // Text
	Image                          // Media
	Audio                          // Media
	File                           // Media: PDF and other documents
	Call                           // ToolCall; assistant only
	Result                         // ToolResult; role tool only
	Reason                         // Text (may be empty) and State; assistant only
	Refusal                        // Text; assistant only
	Unrendered                     // Raw: a part of Dialect that no other has; Instead, if there is some
)

// Part is one piece of a message.
type Part struct {
	Kind       PartKind
	Text       string
	Media      *Media
	ToolCall   *ToolCall
	ToolResult *ToolResult
	State      *ReasoningState
	Citations  []Citation
	Cache      *CacheMark
	// Phase of an assistant's Text is commentary or final_answer; empty if the dialect has
	// none. Responses has, and its models do worse if it does not come back.
	Phase string
	// Raw is an Unrendered part; beside another kind, the part as the caller's dialect has it, if that says more.
	Raw json.RawMessage
	// Tools are tools that the part adds to those of the request.
	Tools []Tool `json:",omitempty"`
	// Dialect names the one that an Unrendered part came from, which alone gets Raw. Instead is what the others get
	// for it, such as its text.
	Dialect string `json:",omitempty"`
	Instead []Part `json:",omitempty"`
	// At is where the caller's body has a part that is no text, call or result, for errors: messages[1].content[0].
	At string `json:"-"`
}

// Media is a picture, a sound or a document, by URL or as data. The gateway
// never fetches the URL.
type Media struct {
	URL      string // http or https; empty if Data is set
	FileID   string // an upload at the provider
	MIMEType string // of Data, such as image/png
	Data     string // standard base64, with padding
	Detail   string // OpenAI's auto, low, high
	Filename string
	Context  string `json:",omitempty"` // of a document: what the caller says about it
	Format   string // of audio: wav, mp3, ...
}

// ToolCall is a call that the model makes. Arguments is the JSON text as the
// model wrote it; a call without arguments has "{}".
type ToolCall struct {
	ID        string
	Name      string
	Arguments string
	// Signature is Gemini's thought signature, which must come back with the call.
	Signature string
	// Custom marks a call of OpenAI's free-text tools: Arguments is then no JSON.
	Custom bool
	// Group is the group of tools that the called one belongs to; empty: none.
	Group string `json:",omitempty"`
	// Type is the call's type in the caller's dialect, if it is not that of a function's or a free-text tool's.
	Type string `json:",omitempty"`
}

// ToolResult answers the call with the id CallID. Name is the called function's,
// which Gemini wants; a decoder that has only the id looks it up in the calls before.
type ToolResult struct {
	CallID  string
	Name    string
	Parts   []Part // text, images, files
	IsError bool
}

// ReasoningState is data that must go back to the provider unchanged with the reasoning that it belongs to.
type ReasoningState struct {
	ID        string // of the item, Responses
	Signature string // Anthropic: signs the visible text
	Redacted  string // Anthropic: a redacted_thinking block's data
	Encrypted string // Responses: encrypted_content; OpenRouter: reasoning.encrypted
	Format    string // OpenRouter: says whose signature it is
	Index     int    // OpenRouter: groups what belongs together
	Summary   bool   // the text is a summary
}

// CacheMark ends a prefix that the provider should cache. TTL is "5m", "1h", or
// empty for the provider's default.
type CacheMark struct{ TTL string }

// Citation points from an answer's text to its source.
type Citation struct {
	URL, Title, Text string
	Start, End       int // of the cited span, in characters; both 0 if unknown
	Raw              json.RawMessage
}

// Tool is a function that the model may call. Parameters is a JSON schema of
// type object, or empty for a function without parameters.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage
	Strict      *bool
	Cache       *CacheMark
	// Raw is a tool that is no function in the dialect it came from, which Origin names. If the caller runs it,
	// Description and Parameters describe it as a function, and CallType is the type of its calls there, if they have
	// one of their own.
	Raw      json.RawMessage
	Origin   string      `json:",omitempty"`
	CallType string      `json:",omitempty"`
	Tools    []Tool      `json:",omitempty"` // of a group
	Hosted   *HostedTool `json:",omitempty"` // nil: the provider does not run it, or nobody knows
	At       string      `json:"-"`          // where the caller's body has one with Raw, for errors: tools[2]
}

// HostedTool is what a tool does that the provider runs, so far as several providers have the like.
type HostedTool struct {
	Kind HostedKind
	// The only domains that it may search or fetch, and those that it must not.
	AllowedDomains []string
	BlockedDomains []string
	// Near is where the user is, for results of the region.
	Near Place
}

// Place is a place in words: a city, a region, a two-letter country, a time zone. Any of them may be empty.
type Place struct{ City, Region, Country, Timezone string }

// HostedKind is a kind of tools that providers run.
type HostedKind string

// The kinds.
const (
	WebSearch     HostedKind = "web search"
	WebFetch      HostedKind = "web fetch"
	CodeExecution HostedKind = "code execution"
	// ToolSearch finds those of the request's tools that a task needs. Without it, the model sees all of them.
	ToolSearch HostedKind = "tool search"
)

// ToolMode says how free the model is in calling tools.
type ToolMode string

// The modes.
const (
	ToolAuto     ToolMode = "auto"
	ToolNone     ToolMode = "none"
	ToolRequired ToolMode = "required"
	ToolNamed    ToolMode = "named" // ToolChoice.Name
)

// ToolChoice is which tools the model is to call.
type ToolChoice struct {
	Mode ToolMode
	Name string
}

// FormatKind is the form of an answer's text.
type FormatKind string

// The forms.
const (
	FormatText   FormatKind = "text"
	FormatJSON   FormatKind = "json_object"
	FormatSchema FormatKind = "json_schema"
)

// ResponseFormat asks for JSON. Schema, Name, Description and Strict go with FormatSchema.
type ResponseFormat struct {
	Kind        FormatKind
	Name        string
	Description string
	Schema      json.RawMessage
	Strict      *bool
}

// Reasoning steers how much a model thinks before it answers.
type Reasoning struct {
	Effort  string // none, minimal, low, medium, high, xhigh, max
	Budget  *int64 // tokens, for providers that count instead
	Summary string // auto, concise, detailed
	Hide    bool   // think, but do not send the reasoning back
}
