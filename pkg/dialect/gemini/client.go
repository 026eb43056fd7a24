// Package gemini speaks Google's generateContent (generativelanguage v1beta,
// https://ai.google.dev/api/generate-content), in both halves.
package gemini

import (
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
)

// Name is the dialect's name.
const Name dialect.Name = "gemini"

// Client is the half towards Google. Its zero value is ready, with rules that change nothing; it is stateless.
type Client struct {
	Rules *Rules // nil: the zero rules
}

var _ dialect.Passthrough = Client{}

// NewStreamDecoder returns a decoder for one streamed answer.
func (Client) NewStreamDecoder() dialect.StreamDecoder {
	return body.NewStreamDecoder(new(streamReader))
}

// EncodeRequest writes the body of POST /v1beta/models/{model}:generateContent, or of
// :streamGenerateContent?alt=sse if the request streams. The same request always gives the same
// bytes, so that Google finds prompts in its cache again.
//
// Of the rules, Drop, Clamp, SingleChoice, Schema and Models apply; they use the names of the fields of
// generationConfig, and serviceTier. A field that cannot be sent and without which the request means something
// else (a required tool, an image) is refused with a *chat.Error of class BadRequest whose Param is the canonical
// field; other fields that Gemini lacks are dropped with a warning.
func (c Client) EncodeRequest(req *chat.Request) (dialect.Encoded, error) {
	e := newEncoder(req, c.rules())
	e.Foreign()
	turns.Fit(&e.Writer, form)
	e.request()
	return e.Encoded(pathOf(req))
}

// form says what the dialect can express of a conversation.
var form = turns.Form{Dialect: Name}

// pathOf returns the path of the method that answers the request.
func pathOf(req *chat.Request) string {
	if req.Stream {
		return methodOf(req.Model, "streamGenerateContent?alt=sse")
	}
	return methodOf(req.Model, "generateContent")
}

// methodOf returns the path of a method of the model.
func methodOf(model, method string) string {
	collection, id := split(model)
	return "/v1beta/" + collection + "/" + url.PathEscape(id) + ":" + method
}

// nameOf returns the model's name in bodies.
func nameOf(model string) string {
	collection, id := split(model)
	return collection + "/" + id
}

// split separates a model's id from its collection, which Google's lists put before it (models/gemini-x,
// tunedModels/x).
func split(model string) (collection, id string) {
	for _, c := range [...]string{"models", "tunedModels"} {
		if rest, ok := strings.CutPrefix(model, c+"/"); ok {
			return c, rest
		}
	}
	return "models", model
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
	return dialect.Traits{ToolNames: r.ToolNames, WantsReasoning: true,
		Hosted:      []chat.HostedKind{chat.WebSearch, chat.WebFetch, chat.CodeExecution},
		HostedAlone: dialect.ForModel(r.Models, model).HostedAlone}
}

func newEncoder(req *chat.Request, rules *Rules) encoder {
	model := dialect.ForModel(rules.Models, req.Model)
	return encoder{Writer: body.NewWriter(req, &rules.CommonRules, model.Exceptions()), Rules: rules, Model: model}
}
