package server

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
)

// messages answers Anthropic's POST /v1/messages. Its beta form (?beta=true) differs by a header that goes on.
func (a *App) messages(c *call) error {
	return a.answer(c, formMessages, "")
}

// countMessages answers Anthropic's POST /v1/messages/count_tokens.
func (a *App) countMessages(c *call) error {
	body, err := a.conversationBody(c)
	if err != nil {
		return err
	}
	req, route, err := a.dialects.anthropic.DecodeCountRequest(body)
	if err != nil {
		return err
	}
	n, err := a.count(c, req, route, anthropic.Name)
	if err != nil {
		return err
	}
	return c.replyRaw(http.StatusOK, a.dialects.anthropic.EncodeCount(n))
}
