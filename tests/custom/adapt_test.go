package custom

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func warnings(a answer) string { return strings.Join(a.header.Values("X-Llm-Warnings"), "; ") }

// A field that a server says it does not know is left out at once and for a day, with a warning, for this key alone.
func TestUnknownFieldIsLearned(t *testing.T) {
	w, admin := newWorld(t, "CUSTOM_ENDPOINTS=loopback:users")
	script := find("ollama")
	script.refuses, script.refusal = []string{"seed", "user"}, `400 {"error":{"message":"json: unknown field \"%s\"","type":"invalid_request_error","param":null,"code":null}}`
	p := play(t, script)
	admin.key(object{"slug": "box", "preset": "ollama", "baseUrl": p.url})
	ask := func(who *person, model string) answer {
		return who.chat(object{"model": model, "messages": user("Hi"), "seed": 7, "user": "u", "temperature": 0.5})
	}
	a := ask(admin, "box/"+p.model)
	if a.status != 200 || p.asked() != 3 || !strings.Contains(warnings(a), "seed is not supported by box: dropped") || !strings.Contains(warnings(a), "user is not supported") {
		t.Fatalf("first: %d asked, %+v, %s", p.asked(), a, warnings(a))
	}
	if n := a.header.Get("X-Llm-Attempts"); n != "3" {
		t.Errorf("%s attempts are told of 3 calls", n)
	}
	a = ask(admin, "box/"+p.model)
	if a.status != 200 || p.asked() != 4 || !strings.Contains(warnings(a), "seed is not supported by box: dropped") {
		t.Errorf("second: %d asked, %+v", p.asked(), a)
	}
	if last := p.last(); last["seed"] != nil || last["temperature"] != 0.5 {
		t.Errorf("sent: %v", last)
	}
	someone := w.register("someone@example.com")
	someone.key(object{"slug": "box", "preset": "ollama", "baseUrl": p.url})
	if a := ask(someone, "box/"+p.model); a.status != 200 || p.asked() != 7 {
		t.Errorf("what one user's key has learned another's knows: %d asked, %+v", p.asked(), a)
	}
	_, answer := admin.send("GET", "/api/usage?by=provider", nil)
	if text := fmt.Sprint(answer); !strings.Contains(text, "box") {
		t.Errorf("usage: %s", text)
	}
}

// Calls without a field that is not known count as calls of the request.
func TestRepeatedCallsAreBounded(t *testing.T) {
	_, admin := newWorld(t, "CUSTOM_ENDPOINTS=loopback", "MAX_ATTEMPTS=2")
	script := find("ollama")
	script.refuses, script.refusal = []string{"seed", "user"}, `400 {"error":{"message":"json: unknown field \"%s\"","type":"invalid_request_error","param":null,"code":null}}`
	p := play(t, script)
	admin.key(object{"slug": "box", "preset": "ollama", "baseUrl": p.url})
	a := admin.chat(object{"model": "box/" + p.model, "messages": user("Hi"), "seed": 7, "user": "u"})
	if a.status != 400 || p.asked() != 2 {
		t.Errorf("%d, after %d calls of 2 that are allowed", a.status, p.asked())
	}
}

// What gives a request its meaning is never left out, and nothing is learned where the request fails without the field, too,
// or where the error is not about a field of its own.
func TestNothingElseIsLearned(t *testing.T) {
	_, admin := newWorld(t)
	tool := []object{{"type": "function", "function": object{"name": "weather", "parameters": object{"type": "object"}}}}
	schema := object{"type": "json_schema", "json_schema": object{"name": "x", "schema": object{"type": "object"}}}
	for i, test := range []struct {
		field, message string
		more           object
	}{
		{"tools", `registry.ollama.ai/library/x does not support tools: unsupported`, object{"tools": tool}},
		{"tools", `unknown field \"tools\"`, object{"tools": tool}},
		{"response_format", `unknown field \"response_format\"`, object{"response_format": schema}},
		{"messages", `unsupported content in messages: unknown field \"messages\"`, nil},
		{"seed", `seed must be positive`, object{"seed": -1}},
		{"seed", `unknown field \"messages[0].seed\"`, object{"seed": 1}},
		{"seed", `unsupported value: seed does not support 1`, object{"seed": 1}},
		{"n", `unknown field \"n\"`, object{"n": 2}},
	} {
		script := find("vllm")
		script.needsKey, script.refuses, script.refusal = false, []string{test.field}, `400 {"error":{"message":"`+test.message+`","type":"invalid_request_error","param":null,"code":null}}`
		p := play(t, script)
		slug := fmt.Sprintf("box%d", i)
		admin.key(object{"slug": slug, "preset": "vllm", "baseUrl": p.url})
		body := object{"model": slug + "/" + p.model, "messages": user("Hi")}
		for name, value := range test.more {
			body[name] = value
		}
		if a := admin.chat(body); a.status < 400 || p.asked() != 1 {
			t.Errorf("%s: %s: %d asked, %+v", test.field, test.message, p.asked(), a)
		}
	}
	script := find("vllm")
	script.needsKey, script.model = false, "there-is-none"
	script.refuses, script.refusal = []string{"seed"}, `400 {"error":{"message":"unknown field \"%s\"","type":"invalid_request_error"}}`
	p := play(t, script)
	admin.key(object{"slug": "fails", "preset": "vllm", "baseUrl": p.url})
	for range 2 { // without the field the model is not known: the field is sent again
		before := p.asked()
		admin.chat(object{"model": "fails/x", "messages": user("Hi"), "seed": 1})
		p.mu.Lock()
		first := p.bodies[before]
		p.mu.Unlock()
		if first["seed"] == nil {
			t.Error("learned from a request that failed")
		}
	}
}

// A role that the server does not know is renamed with a warning, and reasoning in the text becomes reasoning, streamed
// or not.
func TestRolesAndReasoning(t *testing.T) {
	_, admin := newWorld(t)
	p := play(t, find("moonshot"))
	p.reply = "<think>Let me see. </think>It is five."
	admin.key(object{"slug": "kimi", "preset": "moonshot", "baseUrl": p.url, "apiKey": p.key})
	for _, stream := range []bool{false, true} {
		a := admin.chat(object{"model": "kimi/" + p.model, "stream": stream, "messages": []object{{"role": "developer", "content": "Be short."}, {"role": "user", "content": "Hi"}}})
		if a.status != 200 || a.text != "It is five." || !strings.Contains(a.thinking, "Let me see.") {
			t.Errorf("stream %v: %+v", stream, a)
		}
		if !strings.Contains(warnings(a), "the role developer is not known to kimi: sent as system") {
			t.Errorf("warnings: %s", warnings(a))
		}
		if role := list(p.last()["messages"])[0].(object)["role"]; role != "system" {
			t.Errorf("sent as %v", role)
		}
	}
}

// What is left out of a request for embeddings is told, too.
func TestUnknownFieldOfEmbeddings(t *testing.T) {
	_, admin := newWorld(t, "CUSTOM_ENDPOINTS=loopback")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body object
		json.NewDecoder(r.Body).Decode(&body)
		w.Header().Set("Content-Type", "application/json")
		if body["dimensions"] != nil {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":{"message":"json: unknown field \"dimensions\"","type":"invalid_request_error","param":null,"code":null}}`)
			return
		}
		io.WriteString(w, `{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}],"usage":{"prompt_tokens":1,"total_tokens":1}}`)
	}))
	t.Cleanup(server.Close)
	admin.key(object{"slug": "box", "baseUrl": server.URL + "/v1"})
	for _, calls := range []string{"2", "1"} { // the second time it is known
		resp := admin.open("POST", "/v1/embeddings", admin.token, object{"model": "box/m", "input": "Hi", "dimensions": 2}, nil)
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		told := resp.Header.Get("X-Llm-Warnings")
		if resp.StatusCode != 200 || !strings.Contains(told, "dimensions is not supported by box: dropped") || resp.Header.Get("X-Llm-Attempts") != calls {
			t.Errorf("%d, %q, %v %s", resp.StatusCode, told, resp.Header, text)
		}
	}
}
