package native

import "github.com/alicetears/llm-gateway/pkg/dialect"

// Name is the dialect's name.
const Name dialect.Name = "native"

// NewDialect describes the dialect; providers are the ids that callers may name.
func NewDialect(providers []string) *dialect.Dialect {
	server := New(providers)
	return &dialect.Dialect{
		Name:  Name,
		Paths: dialect.Paths{Below: []string{"/api/chat"}},
		Endpoints: []dialect.Endpoint{
			{Name: "chat", StreamType: dialect.EventStream, Chat: func(string) dialect.Server { return server }},
		},
		Errors:    server,
		RateLimit: dialect.XRateLimit,
	}
}
