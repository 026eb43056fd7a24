package openai

import (
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// NewDialect describes Chat Completions, and the embeddings beside them.
func NewDialect() *dialect.Dialect {
	server := new(Server)
	return &dialect.Dialect{
		Name:      Name,
		RateLimit: dialect.XRateLimit,
		Bases:     []string{"/v1"},
		// Those of Groq, OpenRouter, Fireworks, and of the form that Gemini has of this dialect. DeepSeek's has none.
		Aliases: []string{"/openai/v1", "/api/v1", "/inference/v1", "/v1beta/openai"},
		Roots:   []string{"/chat/completions", "/completions", "/responses", "/embeddings", "/models"},
		Paths: dialect.Paths{
			Below: []string{"/v1"},
			Own:   []string{"/completions", "/responses", "/embeddings"},
			EndIn: []string{"/models"},
		},
		Endpoints: []dialect.Endpoint{
			{Name: "completions", StreamType: dialect.EventStream, Chat: func(string) dialect.Server { return server }},
			{Name: "embeddings", Embeddings: func(string) dialect.EmbeddingServer { return embeddingServer{} }},
		},
		Models: modelEncoder{}, Errors: server,
		SDKs: "OpenAI's", SDKBase: "/v1", SharesPaths: true,
	}
}
