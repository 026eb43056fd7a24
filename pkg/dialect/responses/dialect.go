package responses

import "github.com/alicetears/llm-gateway/pkg/dialect"

// NewDialect describes Responses. Requests are told by their route alone: it lies beside those of Chat
// Completions, and what has no route is answered as there.
func NewDialect() *dialect.Dialect {
	server := new(Server)
	return &dialect.Dialect{
		Name: Name,
		Endpoints: []dialect.Endpoint{
			{Name: "responses", StreamType: dialect.EventStream, Chat: func(string) dialect.Server { return server }, State: server},
			{Name: "responses-compact", Chat: func(string) dialect.Server { return server }, Compact: true, State: server},
			{Name: "responses-count", Count: func(string) dialect.CountServer { return server }, State: server},
		},
		Errors:    server,
		RateLimit: dialect.XRateLimit,
	}
}
