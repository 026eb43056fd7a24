// Package anthropic speaks Anthropic's Messages API (POST /v1/messages): towards providers
// as Client, towards callers as Server.
//
// Usage is counted differently there: input_tokens leaves out what the prompt cache read or wrote,
// while chat.Usage.Input includes it.
//
// Reasoning of other providers goes to callers in thinking blocks. The block's signature is an envelope
// with the state that has to come back: see package reasoning.
package anthropic

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Name is the dialect's name.
const Name dialect.Name = "anthropic"

// Client encodes requests to providers and decodes their answers. Its zero value is ready, with rules that change
// nothing; it is stateless.
type Client struct {
	Rules *Rules // nil: the zero rules
}

var _ dialect.Client = Client{}

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder {
	return body.NewStreamDecoder(new(streamReader), jsonx.Object)
}

// filesBeta is the beta without which a file_id is refused
// (https://platform.claude.com/docs/en/build-with-claude/files).
const filesBeta = "files-api-2025-04-14"

// EncodeRequest writes the body of POST /v1/messages. The same request always gives the
// same bytes: prompt caches and signed thinking depend on it.
//
// The dialect requires max_tokens. Without one in the request, it is the model's limit
// (Rules.MaxOutput) for a stream. For a whole answer, which has to come before a proxy times out, it is
// 8192 and the budget for thinking.
//
// What changes the meaning of a request when it is missing (a tool that must be called, a
// schema, an image, audio, a second answer) is refused with a *chat.Error of class BadRequest
// whose Param is the field; other things are dropped with a warning.
func (c Client) EncodeRequest(req *chat.Request) (dialect.Encoded, error) {
	return c.encodeFor(answers, req)
}

// The paths of requests, by what they are for.
const (
	answerPath = "/v1/messages"
	countPath  = "/v1/messages/count_tokens"
)

func (c Client) encodeFor(purpose purpose, req *chat.Request) (dialect.Encoded, error) {
	e := newEncoder(req, c.rules())
	e.purpose = purpose
	if purpose == answers {
		e.Foreign()
	}
	turns.Fit(&e.Writer, form)
	e.prepare()
	e.request()
	path := answerPath
	if purpose == counts {
		path = countPath
	}
	enc, err := e.Encoded(path)
	if err == nil && e.files {
		enc.Header = http.Header{"Anthropic-Beta": {filesBeta}}
	}
	return enc, err
}

// form says what the dialect can express of a conversation. The encoder sees to its end.
var form = turns.Form{Dialect: Name, TextFiles: true, DocumentContext: true, OpenEnd: true}

func (c Client) rules() *Rules {
	if c.Rules == nil {
		return new(Rules)
	}
	return c.Rules
}

// Dialect returns Name.
func (Client) Dialect() dialect.Name { return Name }

// Common returns the part of the rules that all dialects have.
func (c Client) Common() *dialect.CommonRules { return &c.rules().CommonRules }

// Traits returns what the rules say about more than the request. Thinking of newer models is bound
// to the account, and to the system text, the tools and all messages before it (platform.claude.com, preserved thinking).
func (c Client) Traits(_ string) dialect.Traits {
	return dialect.Traits{ToolNames: c.rules().ToolNames, WantsReasoning: true, ReasoningBoundToAccount: true,
		ReasoningBoundToContext: true, Hosted: []chat.HostedKind{chat.WebSearch, chat.WebFetch, chat.CodeExecution}}
}

func newEncoder(req *chat.Request, rules *Rules) encoder {
	model := dialect.ForModel(rules.Models, req.Model)
	return encoder{Writer: body.NewWriter(req, &rules.CommonRules, model.Exceptions()), Rules: rules, Model: model}
}
