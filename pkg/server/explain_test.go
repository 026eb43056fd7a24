package server_test

import (
	"fmt"
	"testing"
)

// A request of every dialect is explained, to a gateway token and to a session.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	key := ann.key("openai", apiKey)
	ann.post("/api/aliases", `{"name":"best","targets":[{"model":"claude-sonnet-4-5"},{"model":"gpt-4o-mini"}]}`).want(201)
	_, _, holder := ann.token("app")
	for endpoint, body := range map[string]string{
		"/api/chat":                           `{"model":"best","messages":[{"role":"user","content":"hi"}]}`,
		"/v1/chat/completions":                `{"model":"best","messages":[{"role":"user","content":"hi"}]}`,
		"/v1/messages":                        `{"model":"best","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}`,
		"/v1/responses":                       `{"model":"claude-opus-4-5","models":["best"],"input":"hi"}`,
		"/v1beta/models/best:generateContent": `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`,
		"/v1beta/models/best:streamGenerateContent?alt=sse": `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`,
	} {
		for _, caller := range []client{holder, ann.client} {
			r := caller.post("/api/route/explain", fmt.Sprintf(`{"endpoint":%q,"body":%s}`, endpoint, body)).want(200)
			r.members("chosen", "keyId", "provider", "model")
			r.is("chosen.keyId", key, "chosen.provider", "openai", "chosen.model", "gpt-4o-mini", "alias", "best", "candidates.0.keyId", key, "candidates.0.usable", "true")
			r.members("candidates.0", "keyId", "name", "provider", "model", "usable", "warnings", "estimatedCostUsd")
		}
	}
	r := holder.post("/v1/embeddings", `{"model":"text-embedding-3-small","input":"hi"}`).want(200)
	holder.post("/api/route/explain", `{"endpoint":"/v1/embeddings","body":{"model":"text-embedding-3-small","input":"hi"}}`).want(200).is("chosen.keyId", r.header.Get("X-LLM-Key-ID"))
	none := holder.post("/api/route/explain", `{"endpoint":"/api/chat","headers":{"X-LLM-Provider":"groq","x-other":"1"},"body":{"model":"best","messages":[{"role":"user","content":"hi"}]}}`)
	none.want(200).is("chosen", "null", "refusal.code", "NO_ELIGIBLE_KEY", "candidates.0.usable", "false")
	if n := ann.get("/api/requests").want(200).count("requests"); n != 1 {
		t.Errorf("explanations are logged: %d requests", n)
	}
}

func TestExplainOfWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	_, _, holder := ann.token("app")
	for body, want := range map[string]string{
		`{}`:                                 `"path":"endpoint"`,
		`{"endpoint":"/api/chat"}`:           `"path":"body"`,
		`{"endpoint":"/api/keys","body":{}}`: `"path":"endpoint"`,
		`{"endpoint":"https://example.com/v1/messages","body":{}}`:                                                          `"path":"endpoint"`,
		`{"endpoint":"/v1/messages/count_tokens","body":{}}`:                                                                `"path":"endpoint"`,
		`{"endpoint":"/v1beta/models/x:countTokens","body":{}}`:                                                             `"path":"endpoint"`,
		`{"endpoint":"/api/chat","body":{"model":5}}`:                                                                       `"path":"model"`,
		`{"endpoint":"/api/chat","body":{"messages":[{"role":"user","content":"hi"}]},"headers":{"X-LLM-Strategy":"luck"}}`: `X-LLM-Strategy`,
	} {
		holder.post("/api/route/explain", body).refused(400, "VALIDATION_ERROR", want)
	}
	w.anyone().post("/api/route/explain", `{"endpoint":"/api/chat","body":{}}`).refused(401, "UNAUTHORIZED", "")
}
