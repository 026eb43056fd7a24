package server

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// completions answers OpenAI's POST /v1/chat/completions.
func (a *App) completions(c *call) error {
	return a.converse(c, conversation{Server: a.openai, dialect: provider.OpenAI, contentType: eventStream})
}

// respond answers OpenAI's POST /v1/responses. Nothing is kept: conversations come whole.
func (a *App) respond(c *call) error {
	return a.converse(c, conversation{Server: a.responses, dialect: provider.Responses, contentType: eventStream})
}

// embeddings answers OpenAI's POST /v1/embeddings.
func (a *App) embeddings(c *call) error {
	body, err := a.conversationBody(c)
	if err != nil {
		return err
	}
	req, err := openai.DecodeEmbeddingRequest(body)
	if err != nil {
		return err
	}
	if req.Model == "" {
		var issues fault.Issues
		issues.Add("model", "required")
		return issues.Err()
	}
	var route dialect.Route
	if err := a.routeByHeader(c, &route); err != nil {
		return err
	}
	call, err := a.Gateway.Start(c.r.Context(), gateway.Ask{
		ID: c.id, Caller: c.who.gateway(), Request: &chat.Request{Model: req.Model}, Embedding: req, Route: route, Header: c.r.Header,
	})
	if err != nil {
		return err
	}
	defer call.Close()
	vectors := *call.Vectors()
	if vectors.Model == "" { // Google's answer does not say
		vectors.Model = call.Model()
	}
	answer, err := openai.EncodeEmbeddingResponse(&vectors, req)
	if err != nil {
		return fault.Wrap(err, fault.Provider, "the provider answered with vectors that are no numbers")
	}
	c.describe(call)
	return c.replyRaw(http.StatusOK, answer)
}

// conversationBody reads the body of what goes to a provider.
func (a *App) conversationBody(c *call) ([]byte, error) {
	if err := c.jsonOnly(); err != nil {
		return nil, err
	}
	return c.readBody(a.Config.Limits.MaxBodyBytes)
}
