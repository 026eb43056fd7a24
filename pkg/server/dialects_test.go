package server_test

import (
	"strings"
	"testing"
)

// A model's name travels in headers and in the log: whatever no model can be called is refused by every route, and says where.
func TestModelsNamesAreChecked(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	key := ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`","allowedModels":["*"],"dailyLimit":5}`).want(201).text("id")
	_, _, holder := ann.token("t")
	for _, name := range []string{`gpt-4o\u0000`, `gpt-4o\n`, `gpt-ü`, strings.Repeat("m", 257), strings.Repeat("m", 1<<20)} {
		for path, body := range map[string]string{
			"/api/chat": `"messages":[{"role":"user","content":"x"}]`, "/v1/chat/completions": `"messages":[{"role":"user","content":"x"}]`,
			"/v1/responses": `"input":"x"`, "/v1/embeddings": `"input":"x"`, "/v1/messages": `"max_tokens":5,"messages":[{"role":"user","content":"x"}]`,
			"/v1/messages/count_tokens": `"messages":[{"role":"user","content":"x"}]`,
		} {
			r := holder.post(path, `{"model":"`+name+`",`+body+`}`).want(400)
			if !strings.Contains(r.body, "model: expected at most 256 printable ASCII characters") || len(r.body) > 1000 {
				t.Errorf("%s, %.20q: %.300s", path, name, r.body)
			}
		}
	}
	ann.get("/api/keys/"+key).want(200).is("usedToday", "0")
}

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
		{"/v1/completions", `{"model":"claude-haiku-4-5","prompt":"Hello!"}`, "application/json"},
		{"/v1/completions", `{"model":"gpt-4o-mini","prompt":"Hello!","stream":true}`, "text/event-stream"},
		{"/completions", `{"model":"gpt-4o-mini","prompt":"Hello!"}`, "application/json"},
		{"/v1beta/models/gemini-embedding-2:embedContent", `{"content":{"parts":[{"text":"Hello!"}]}}`, "application/json"},
		{"/v1beta/models/text-embedding-3-small:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}}]}`, "application/json"},
		{"/v1/models/gemini-embedding-2:batchEmbedContents", `{"requests":[{"content":{"parts":[{"text":"a"}]}}]}`, "application/json"},
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
