package anthropic

import "github.com/alicetears/llm-gateway/pkg/dialect"

// NewDialect describes the Messages API. Its clients ask for models at the path of OpenAI's.
func NewDialect() *dialect.Dialect {
	server := New()
	return &dialect.Dialect{
		Name:      Name,
		RateLimit: rateLimit,
		Bases:     []string{"/v1"},
		Aliases:   []string{"/anthropic/v1"}, // DeepSeek's and others' form of this dialect
		Roots:     []string{"/messages"},
		Paths: dialect.Paths{
			Below: []string{"/v1/messages"},
			EndIn: []string{"/messages", "/messages/count_tokens"},
		},
		Endpoints: []dialect.Endpoint{
			{Name: "messages", StreamType: dialect.EventStream, Chat: func(string) dialect.Server { return server }},
			{Name: "messages-count", Count: func(string) dialect.CountServer { return server }},
		},
		Models: modelEncoder{}, Errors: server, Status: server.Status,
		SDKs: "Anthropic's", KeyHeader: "X-Api-Key", ClientHeader: "Anthropic-Version",
		RequestIDHeader: "Request-Id", // platform.claude.com/docs/en/api/errors
	}
}
