package server_test

import (
	"strings"
	"testing"
)

// Every dialect's routes give a good answer, whole and, where they stream, in events.
func TestEveryDialectAnswers(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	for _, provider := range []string{"openai", "anthropic", "gemini"} {
		ann.key(provider, apiKey)
	}
	_, _, holder := ann.token("t")
	const (
		turns    = `"messages":[{"role":"user","content":"Hello!"}]`
		contents = `{"contents":[{"role":"user","parts":[{"text":"Hello!"}]}]}`
	)
	for _, tt := range []struct{ path, body, contentType string }{
		{"/api/chat", `{"model":"gpt-4o-mini",` + turns + `}`, "application/json"},
		{"/api/chat", `{"model":"gpt-4o-mini","stream":true,` + turns + `}`, "text/event-stream"},
		{"/v1/chat/completions", `{"model":"claude-haiku-4-5",` + turns + `}`, "application/json"},
		{"/v1/chat/completions", `{"model":"gpt-4o-mini","stream":true,` + turns + `}`, "text/event-stream"},
		{"/v1/responses", `{"model":"gpt-4o-mini","input":"Hello!"}`, "application/json"},
		{"/v1/responses", `{"model":"gpt-4o-mini","input":"Hello!","stream":true}`, "text/event-stream"},
		{"/v1/embeddings", `{"model":"text-embedding-3-small","input":"Hello!"}`, "application/json"},
		{"/v1/messages", `{"model":"claude-haiku-4-5","max_tokens":50,` + turns + `}`, "application/json"},
		{"/v1/messages", `{"model":"gpt-4o-mini","max_tokens":50,"stream":true,` + turns + `}`, "text/event-stream"},
		{"/v1/messages/count_tokens", `{"model":"claude-haiku-4-5",` + turns + `}`, "application/json"},
		{"/v1/messages/count_tokens", `{"model":"gpt-4o-mini",` + turns + `}`, "application/json"},
		{"/v1beta/models/gemini-2.5-flash:generateContent", contents, "application/json"},
		{"/v1beta/models/gemini-2.5-flash:streamGenerateContent", contents, "application/json"},
		{"/v1beta/models/gpt-4o-mini:streamGenerateContent?alt=sse", contents, "text/event-stream"},
		{"/v1beta/models/gemini-2.5-flash:countTokens", contents, "application/json"},
	} {
		r := holder.post(tt.path, tt.body).want(200)
		if !strings.HasPrefix(r.header.Get("Content-Type"), tt.contentType) || r.body == "" {
			t.Errorf("%s: %s %.100q", tt.path, r.header.Get("Content-Type"), r.body)
		}
	}
}
