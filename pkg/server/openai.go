package server

// completions answers OpenAI's POST /v1/chat/completions.
func (a *App) completions(c *call) error { return a.answer(c, formCompletions, "") }

// respond answers OpenAI's POST /v1/responses. Nothing is kept: conversations come whole.
func (a *App) respond(c *call) error { return a.answer(c, formResponses, "") }

// embeddings answers OpenAI's POST /v1/embeddings.
func (a *App) embeddings(c *call) error { return a.answer(c, formEmbeddings, "") }

// conversationBody reads the body of what goes to a provider.
func (a *App) conversationBody(c *call) ([]byte, error) {
	if err := c.jsonOnly(); err != nil {
		return nil, err
	}
	return c.readBody(a.Config.Limits.MaxBodyBytes)
}
