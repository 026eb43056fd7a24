package custom

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// An endpoint of each dialect gets the request at its path, with the key in its header.
func TestDialects(t *testing.T) {
	_, admin := newWorld(t)
	for _, test := range []struct{ dialect, auth, suffix, list, path, header, answer string }{
		{"anthropic", "", "/v1", "/v1/models", "/v1/messages", "X-Api-Key",
			`{"id":"m","type":"message","role":"assistant","model":"x","content":[{"type":"text","text":"Hello."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5}}`},
		{"gemini", "", "/v1beta", "/v1beta/models", "/v1beta/models/x:generateContent", "X-Goog-Api-Key",
			`{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello."}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}}`},
		{"responses", "api-key", "/v1", "/v1/models", "/v1/responses", "Api-Key",
			`{"id":"r","object":"response","created_at":1,"status":"completed","model":"x","output":[{"id":"m","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hello.","annotations":[]}]}],"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15}}`},
		{"openai", "x-api-key", "", "/models", "/chat/completions", "X-Api-Key",
			`{"id":"c","object":"chat.completion","created":1,"model":"x","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`},
	} {
		var mu sync.Mutex
		var wrong []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			if v := r.Header.Get(test.header); v != "the-secret" {
				mu.Lock()
				wrong = append(wrong, fmt.Sprintf("%s %v", r.URL, r.Header))
				mu.Unlock()
			}
			switch r.URL.Path {
			case test.list:
				io.WriteString(w, `{"data":[{"id":"x"}],"models":[{"name":"models/x"}]}`)
			case test.path:
				io.WriteString(w, test.answer)
			default:
				mu.Lock()
				wrong = append(wrong, r.URL.Path)
				mu.Unlock()
				http.NotFound(w, r)
			}
		}))
		defer server.Close()
		slug := "my-" + test.dialect
		body := object{"slug": slug, "dialect": test.dialect, "baseUrl": server.URL + test.suffix, "apiKey": "the-secret"}
		if test.auth != "" {
			body["auth"] = test.auth
		}
		id := admin.key(body)
		if _, answer := admin.send("POST", "/api/keys/"+id+"/test", nil); answer["ok"] != true {
			t.Errorf("%s: test: %v", test.dialect, answer)
		}
		if _, answer := admin.send("POST", "/api/keys/"+id+"/models", nil); !strings.Contains(fmt.Sprint(answer["models"]), "id:x") {
			t.Errorf("%s: models: %v", test.dialect, answer)
		}
		if a := admin.chat(object{"model": slug + "/x", "messages": user("Hi")}); a.status != 200 || a.text != "Hello." || a.usage["prompt_tokens"] != 10.0 {
			t.Errorf("%s: %+v", test.dialect, a)
		}
		mu.Lock()
		if len(wrong) > 0 {
			t.Errorf("%s: %v", test.dialect, wrong)
		}
		mu.Unlock()
	}
}
