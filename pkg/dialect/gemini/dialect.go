package gemini

import "github.com/alicetears/llm-gateway/pkg/dialect"

// NewDialect describes generateContent and its like. The method, after the model in the path, says how to
// answer; streams are arrays unless the parameter alt asks for events.
func NewDialect() *dialect.Dialect {
	chat := func(form Form) func(model string) dialect.Server {
		return func(model string) dialect.Server { return NewServer(model, form) }
	}
	count := func(model string) dialect.CountServer { return NewServer(model, Whole) }
	embed := func(batch bool) func(model string) dialect.EmbeddingServer {
		return func(model string) dialect.EmbeddingServer { return newEmbeddingServer(model, batch) }
	}
	const stream = "streamGenerateContent"
	return &dialect.Dialect{
		Name:  Name,
		Bases: []string{"/v1beta"},
		// The versions of the API (ai.google.dev/gemini-api/docs/api-versions). The routes of /v1 that are not told
		// by their method lie beside those of other dialects.
		Aliases: []string{"/v1alpha"},
		Paths: dialect.Paths{
			Contain: []string{"/v1beta", "/v1alpha"},
			Methods: []string{"Content", "countTokens", "EmbedContents"},
		},
		Endpoints: []dialect.Endpoint{
			{Name: "generate", Method: "generateContent", Chat: chat(Whole)},
			{Name: "generate-sse", Method: stream, Query: "alt=sse", StreamType: dialect.EventStream, Chat: chat(SSE)},
			{Name: "generate-array", Method: stream, StreamType: dialect.JSON, Chat: chat(Array)},
			{Name: "generate-count", Method: "countTokens", Count: count},
			{Name: "embed", Method: "embedContent", Embeddings: embed(false)},
			{Name: "embed-batch", Method: "batchEmbedContents", Embeddings: embed(true)},
		},
		Models: modelEncoder{}, Errors: NewServer("", Whole),
		SDKs: "Google's", KeyHeader: "X-Goog-Api-Key", ClientHeader: "X-Goog-Api-Key",
	}
}
