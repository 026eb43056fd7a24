package gateway_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// A model goes to its own provider's key, however old and whatever the priority of a key of another provider that allows
// every model. An id that no provider is known to have goes to any key that allows it.
func TestModelsGoToTheirProvider(t *testing.T) {
	w := newWorld(t)
	mistral := w.add(key{provider: "mistral", models: `["*"]`, priority: 1})
	anthropic := w.add(key{provider: "anthropic", models: `["*"]`, priority: 2, answer: answerClaude})
	openai := w.add(key{models: `["*"]`, priority: 3})
	w.mustServe(w.request("gpt-5.1-2025-11-13"), openai)
	w.mustServe(w.request("claude-opus-9"), anthropic)
	w.mustServe(w.request("gemini-2.5-flash"), mistral) // there is no key of Gemini
	w.mustServe(w.request("an-id-nobody-knows"), mistral)

	gemini := w.add(key{provider: "gemini", models: `["*"]`, priority: 4, answer: answerError(200, `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}]}`)})
	w.mustServe(w.request("gemini-2.5-flash"), gemini)
	w.mustServe(w.request("models/gemini-2.5-flash"), gemini)

	// A key of the provider that cannot serve now is a key all the same.
	w.run(`update provider_keys set enabled = $1 where id = $2`, false, openai)
	w.run(`update users set revision = revision + 1`)
	if c, err := w.do(w.request("gpt-5.1-2025-11-13")); err == nil {
		t.Errorf("another provider's key was asked: %s", c.Provider())
	}
	request := w.request("gpt-5.1-2025-11-13")
	request.Route = dialect.Route{Providers: []string{"mistral"}} // the caller says which
	w.mustServe(request, mistral)
}

// The first segment of OpenRouter's ids may be the name of a provider. A key of that provider goes first, unless the
// caller asks for OpenRouter.
func TestOpenRoutersIDsStayWhole(t *testing.T) {
	w := newWorld(t)
	openrouter := w.add(key{provider: "openrouter", models: `["*"]`})
	w.mustAsk("anthropic/claude-sonnet-4-5", dialect.Route{}, openrouter, "anthropic/claude-sonnet-4-5")
	anthropic := w.add(key{provider: "anthropic", models: `["*"]`, answer: answerClaude})
	w.mustAsk("anthropic/claude-sonnet-4-5", dialect.Route{}, anthropic, "claude-sonnet-4-5")
	for _, model := range []string{"anthropic/claude-sonnet-4-5", "anthropic/claude-haiku-4.5", "openai/gpt-5.1-2025-11-13"} {
		w.mustAsk(model, dialect.Route{Providers: []string{"openrouter"}}, openrouter, model)
		w.mustAsk("openrouter/"+model, dialect.Route{}, openrouter, model)
	}
}
