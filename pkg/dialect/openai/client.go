// Package openai implements OpenAI's Chat Completions, which most providers have adopted
// with differences that Rules describes.
package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// chatPath follows the base URL of every provider of the dialect.
const chatPath = "/chat/completions"

// Name is the dialect's name.
const Name dialect.Name = "openai"

// Client is the half towards providers. Its zero value is ready, with rules that change nothing; it is stateless.
type Client struct {
	Rules *Rules // nil: the zero rules
}

var _ dialect.Passthrough = Client{}

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder {
	return body.NewStreamDecoder(new(streamReader), jsonx.Object)
}

// EncodeRequest writes the body of POST /chat/completions. The same request always
// gives the same bytes, so that providers find prompts in their caches again.
//
// What changes the meaning of a request when it is missing (a tool that must be called, a
// schema, an image, a second answer) is refused with a *chat.Error of class BadRequest whose
// Param is the field; other things that the rules forbid are dropped with a warning.
func (c Client) EncodeRequest(req *chat.Request) (dialect.Encoded, error) {
	e := newEncoder(req, c.rules())
	e.Foreign()
	turns.Fit(&e.Writer, e.form())
	e.prepareReasoning()
	e.request()
	return e.Encoded(chatPath)
}

// form says what the dialect can express of a conversation. OpenAI takes text alone as the result of a tool, and no
// files but PDF.
func (e *encoder) form() turns.Form {
	form := turns.Form{Dialect: Name, TextResults: true, JoinsCalls: true, ForgetsReasoning: true}
	if e.strict() {
		form.Dialect = "" // parts of unknown types are refused
	}
	return form
}

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

// Traits returns what the rules say about more than the request.
func (c Client) Traits(model string) dialect.Traits {
	r := c.rules()
	m := dialect.ForModel(r.Models, model)
	return dialect.Traits{
		ToolNames:       r.ToolNames,
		CustomTools:     r.CustomTools,
		Hosted:          r.hostedTypes(m).kinds(),
		RewritesAnswers: r.RewritesAnswers,
		UnaskedUsage:    !r.AsksStreamUsage,
		ThinkTags:       m.ThinkTags == ThinkTagsSplit,
		WantsReasoning:  r.ReasoningBack == ReasoningBackContent || r.ReasoningBack == ReasoningBackDetails,

		ReasoningBoundToContext: m.ReasoningBoundToContext,
	}
}

func newEncoder(req *chat.Request, rules *Rules) encoder {
	model := dialect.ForModel(rules.Models, req.Model)
	return encoder{Writer: body.NewWriter(req, &rules.CommonRules, model.Exceptions()), Rules: rules, Model: model}
}
