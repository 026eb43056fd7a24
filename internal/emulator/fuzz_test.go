package emulator

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever a body holds, the emulator answers with JSON or a stream, and never panics.
func FuzzRequests(f *testing.F) {
	var paths [][2]string
	for _, c := range carriers() {
		for _, stream := range []bool{false, true} {
			path, body := c.request(request{prompt: "call", tools: true, think: true, stream: stream})
			f.Add(len(paths), string(encode(body)))
			paths = append(paths, [2]string{c.provider, path})
		}
	}
	for _, p := range [][2]string{{"anthropic", "/v1/messages/count_tokens"}, {"gemini", "/v1beta/models/gemini-2.5-flash:countTokens"},
		{"gemini", "/v1beta/models/gemini-embedding-001:embedContent"},
		{"gemini", "/v1beta/models/gemini-embedding-001:batchEmbedContents"},
		{"openai", "/embeddings"}, {"mistral", "/embeddings"}} {
		f.Add(len(paths),
			`{"model":"text-embedding-3-small","input":["a"],"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`)
		f.Add(len(paths), `{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]}}],"contents":[null]}`)
		paths = append(paths, p)
	}
	e := New()
	f.Fuzz(func(t *testing.T, i int, body string) {
		p := paths[(i%len(paths)+len(paths))%len(paths)]
		r := httptest.NewRequest("POST", BaseURL("http://127.0.0.1", p[0])+p[1], strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+goodKey)
		r.Header.Set("X-Api-Key", goodKey)
		r.Header.Set("X-Goog-Api-Key", goodKey)
		r.Header.Set("Anthropic-Version", "2023-06-01")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		stream := strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream")
		if !stream && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%v: %d %s", p, w.Code, w.Body)
		}
	})
}

// Vectors depend on the text, have length one, and hold finite numbers.
func FuzzVector(f *testing.F) {
	f.Add("text-embedding-3-small", "hello", 8)
	f.Fuzz(func(t *testing.T, model, text string, size int) {
		size = 1 + (size%64+64)%64
		sum := 0.0
		for _, v := range vector(model, text, size) {
			sum += float64(v) * float64(v)
		}
		if !(sum > 0.99 && sum < 1.01) {
			t.Errorf("its square is %v", sum)
		}
	})
}

// Extend adds the member and changes nothing else.
func FuzzExtend(f *testing.F) {
	f.Add(`{"a":1}`)
	f.Add(`{}`)
	f.Add(`{ }`)
	f.Add(`{"type": "ping"}`)
	f.Fuzz(func(t *testing.T, s string) {
		var before map[string]json.RawMessage
		if json.Unmarshal([]byte(s), &before) != nil || before == nil || !strings.HasSuffix(s, "}") {
			return
		}
		var after map[string]json.RawMessage
		if err := json.Unmarshal(extend([]byte(s), "huge", "x"), &after); err != nil {
			t.Fatalf("%v in %s", err, extend([]byte(s), "huge", "x"))
		}
		if string(after["huge"]) != `"x"` || len(after) < len(before) {
			t.Errorf("%v from %v", after, before)
		}
	})
}
