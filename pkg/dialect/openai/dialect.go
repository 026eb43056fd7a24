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
		Paths: dialect.Paths{
			Below: []string{"/v1"},
			EndIn: []string{"/chat/completions", "/responses", "/embeddings", "/models"},
		},
		Endpoints: []dialect.Endpoint{
			{Name: "completions", StreamType: dialect.EventStream, Chat: func(string) dialect.Server { return server }},
			{Name: "embeddings", Embeddings: embeddingServer{}},
		},
		Models: modelEncoder{}, Errors: server,
		SDKs: "OpenAI's", SDKBase: "/v1", SharesPaths: true,
	}
}
