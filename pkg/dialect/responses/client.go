// Package responses speaks OpenAI's Responses, in both halves. Providers store nothing between requests: they get
// store false, and reasoning travels encrypted in the items themselves. What callers want to have stored the gateway
// stores, see dialect.StateServer.
package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// path follows the base URL.
const path = "/responses"

// Name is the dialect's name.
const Name dialect.Name = "responses"

// Client is the half towards providers. Its zero value is ready, with rules that change nothing; it is stateless.
type Client struct {
	Rules *openai.Rules // nil: the zero rules
}

var _ dialect.Client = Client{}

// EncodeRequest writes the body of POST /responses. The same request always gives the same
// bytes, so that providers find prompts in their caches again.
//
// The rules may be those of the provider's Chat Completions: fields with other names here (max_output_tokens,
// text, reasoning) are looked up by their names there. The exception ToolsWithoutReasoning does not apply here.
//
// n, a foreign tool and a part that cannot be sent are refused with a *chat.Error of class
// BadRequest whose Param is the field; other fields that the dialect lacks (stop, seed, top_k, penalties,
// logit_bias, names of participants) are dropped with a warning. So is reasoning that is not
// encrypted, or encrypted by another provider: OpenAI takes back only its own.
func (c Client) EncodeRequest(req *chat.Request) (dialect.Encoded, error) {
	e := newEncoder(req, c.rules())
	e.Foreign()
	turns.Fit(&e.Writer, form)
	e.prepare()
	e.request()
	return e.Encoded(path)
}

// form says what the dialect can express of a conversation.
var form = turns.Form{Dialect: Name}

// DecodeError reads a failed answer: its shape is that of Chat Completions.
func (Client) DecodeError(data []byte) *chat.Error { return openai.Client{}.DecodeError(data) }

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder {
	return body.NewStreamDecoder(new(streamReader), jsonx.Object)
}

func (c Client) rules() *openai.Rules {
	if c.Rules == nil {
		return new(openai.Rules)
	}
	return c.Rules
}

// Dialect returns Name.
func (Client) Dialect() dialect.Name { return Name }

// Common returns the part of the rules that all dialects have.
func (c Client) Common() *dialect.CommonRules { return &c.rules().CommonRules }

// Traits returns what the rules say about more than the request. OpenAI's encrypted items can be
// decrypted by the account alone that they were made for.
func (c Client) Traits(_ string) dialect.Traits {
	return dialect.Traits{ToolNames: c.rules().ToolNames, CustomTools: true, Hosted: []chat.HostedKind{chat.WebSearch, chat.CodeExecution},
		WantsReasoning: true, ReasoningBoundToAccount: true}
}

func newEncoder(req *chat.Request, rules *openai.Rules) encoder {
	model := dialect.ForModel(rules.Models, req.Model)
	return encoder{Writer: body.NewWriter(req, &rules.CommonRules, model.Exceptions()), Rules: rules, Model: model}
}
