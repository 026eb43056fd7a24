package emulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type client struct {
	t      *testing.T
	e      *Emulator
	origin string
}

func newClient(t *testing.T) *client {
	e := New()
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	return &client{t, e, srv.URL}
}

func (c *client) post(provider, key string, body any) (*http.Response, string, error) {
	c.t.Helper()
	b, _ := json.Marshal(body)
	req, _ := http.NewRequest("POST", BaseURL(c.origin, provider)+"/chat/completions", bytes.NewReader(b))
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

const goodKey = "sk-emulated-0001"

func ask(p *profile, text string, more object) object {
	body := object{"model": p.ids[0], "messages": []any{object{"role": "user", "content": text}}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

var tools = []any{
	object{"type": "function", "function": object{"name": "weather", "parameters": object{"type": "object",
		"properties": object{"city": object{"type": "string"}, "days": object{"type": "integer"}}, "required": []string{"city"}}}},
	object{"type": "function", "function": object{"name": "now"}},
}

// said is what an answer said, read by nothing but this test.
type said struct {
	text, reasoning, finish string
	calls                   map[int][3]string
	prompt, completion      float64
}

func (s *said) take(v map[string]any, member string) {
	if u, ok := v["usage"].(map[string]any); ok {
		s.prompt, s.completion = u["prompt_tokens"].(float64), u["completion_tokens"].(float64)
	}
	choices, _ := v["choices"].([]any)
	for _, c := range choices {
		c := c.(map[string]any)
		if f, ok := c["finish_reason"].(string); ok {
			s.finish = strings.Replace(f, "eos", "stop", 1)
		}
		m, _ := c[member].(map[string]any)
		switch content := m["content"].(type) {
		case string:
			s.text += content
		case []any:
			for _, part := range content {
				part := part.(map[string]any)
				if part["type"] == "thinking" {
					s.reasoning += part["thinking"].([]any)[0].(map[string]any)["text"].(string)
				} else {
					s.text += part["text"].(string)
				}
			}
		}
		if r, ok := m["reasoning_content"].(string); ok {
			s.reasoning += r
		} else if r, ok := m["reasoning"].(string); ok {
			s.reasoning += r
		}
		list, _ := m["tool_calls"].([]any)
		for _, call := range list {
			call := call.(map[string]any)
			i, f := int(call["index"].(float64)), call["function"].(map[string]any)
			have := s.calls[i]
			if name, ok := f["name"].(string); ok {
				have[1] = name
			}
			have[2] += f["arguments"].(string)
			s.calls[i] = have
		}
	}
}

func TestStreamSaysWhatTheWholeAnswerSays(t *testing.T) {
	for _, p := range profiles() {
		for name, body := range map[string]object{
			"text":      ask(p, "echo: Grüße, Welt 🌍!", nil),
			"reasoning": ask(p, "think about this", object{"reasoning_effort": "high"}),
			"call":      ask(p, "call", object{"tools": tools}),
			"calls":     ask(p, "call all", object{"tools": tools}),
			"length":    ask(p, "words: 50", object{"max_tokens": 9}),
			"split":     ask(p, "echo: Grüße, Welt 🌍!", nil),
		} {
			t.Run(p.id+"/"+name, func(t *testing.T) {
				c := newClient(t)
				if name == "split" {
					c.e.Set(Match{}, Behaviour{ChunkBytes: 3, CRLF: true, Comments: true, Padding: true, Unknown: true})
				}
				if p.id == "deepseek" && strings.HasPrefix(name, "call") {
					body["thinking"] = object{"type": "disabled"}
				}
				resp, text, err := c.post(p.id, goodKey, body)
				if err != nil || resp.StatusCode != 200 {
					t.Fatalf("%v %s", err, text)
				}
				whole := said{calls: map[int][3]string{}}
				whole.take(decode(t, text), "message")
				body["stream"] = true
				if p.usage == usageOwnChunk || p.usage == usageIfAsked {
					body["stream_options"] = object{"include_usage": true}
				}
				_, text, err = c.post(p.id, goodKey, body)
				if err != nil || !strings.Contains(text, "[DONE]") {
					t.Fatalf("%v %s", err, text)
				}
				streamed := said{calls: map[int][3]string{}}
				lines := bufio.NewScanner(strings.NewReader(text))
				for lines.Scan() {
					if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && strings.HasPrefix(data, "{") {
						streamed.take(decode(t, data), "delta")
					}
				}
				if fmt.Sprint(whole) != fmt.Sprint(streamed) {
					t.Errorf("whole    %+v\nstreamed %+v", whole, streamed)
				}
				if whole.completion == 0 || whole.finish == "" {
					t.Errorf("no usage or no finish reason: %+v", whole)
				}
			})
		}
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestStrictness(t *testing.T) {
	tests := []struct {
		provider, name string
		more           object
		status         int
		part           string
	}{
		{"openai", "unknown field", object{"nonsense": 1}, 400, "unknown_parameter"},
		{"openai", "max_tokens of a reasoner", object{"model": "gpt-5", "max_tokens": 5}, 400, "max_completion_tokens"},
		{"openai", "temperature of a reasoner", object{"model": "gpt-5", "temperature": 1}, 400, "unsupported_parameter"},
		{"openai", "tools while reasoning", object{"model": "gpt-5.6-sol", "tools": tools}, 400, "/v1/responses"},
		{"openai", "json without the word", object{"response_format": object{"type": "json_object"}}, 400, "must contain the word"},
		{"openai", "model", object{"model": "no-such"}, 404, "model_not_found"},
		{"mistral", "unknown field", object{"stream_options": object{}}, 422, "extra_forbidden"},
		{"mistral", "temperature", object{"temperature": 1.7}, 400, "temperature"},
		{"mistral", "effort", object{"reasoning_effort": "low"}, 422, "high"},
		{"groq", "n", object{"n": 2}, 400, "'n'"},
		{"groq", "logprobs", object{"logprobs": true}, 400, "unsupported"},
		{"together", "stop as a string", object{"stop": "x"}, 422, "list"},
		{"deepseek", "schema", object{"response_format": object{"type": "json_schema"}}, 400, "unavailable"},
		{"deepseek", "forced tool while thinking", object{"tools": tools, "tool_choice": "required"}, 400, "Thinking mode"},
		{"fireworks", "both ways to think", object{"thinking": object{"type": "enabled"}, "reasoning_effort": "low"}, 400, "Only one"},
		{"openrouter", "no messages", object{"messages": []any{}}, 400, "messages"},
	}
	for _, tt := range tests {
		t.Run(tt.provider+"/"+tt.name, func(t *testing.T) {
			resp, text, err := newClient(t).post(tt.provider, goodKey, ask(profileOf(tt.provider), "hi", tt.more))
			if err != nil || resp.StatusCode != tt.status || !strings.Contains(text, tt.part) {
				t.Errorf("%d %s %v", resp.StatusCode, text, err)
			}
		})
	}
}

func TestToolTurns(t *testing.T) {
	turn := func(id string, more object) []any {
		assistant := object{"role": "assistant", "content": "", "tool_calls": []any{object{"id": id, "type": "function", "function": object{"name": "now", "arguments": "{}"}}}}
		for k, v := range more {
			assistant[k] = v
		}
		return []any{object{"role": "user", "content": "hi"}, assistant, object{"role": "tool", "tool_call_id": id, "content": "noon"}}
	}
	c := newClient(t)
	for _, tt := range []struct {
		provider string
		messages []any
		status   int
	}{
		{"mistral", turn("call_too_long", nil), 400},
		{"mistral", turn("abc123XYZ", nil), 200},
		{"deepseek", turn("call_1", nil), 400},
		{"deepseek", turn("call_1", object{"reasoning_content": "hm"}), 200},
		{"openai", turn("call_1", nil)[2:], 400},
		{"openai", turn("call_1", nil), 200},
	} {
		resp, text, err := c.post(tt.provider, goodKey, ask(profileOf(tt.provider), "", object{"messages": tt.messages}))
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s: %d %s %v", tt.provider, resp.StatusCode, text, err)
		}
	}
}

func TestFaultsOfEveryProvider(t *testing.T) {
	faults := []Fault{RateLimit, NoCredit, BadKey, Forbidden, NoModel, TooLong, Policy, TooLarge, ServerError, HTMLError, EmptyError, Overloaded}
	c := newClient(t)
	for _, p := range profiles() {
		for _, f := range faults {
			resp, text, err := c.post(p.id, "sk-emulated-fault-"+string(f), ask(p, "hi", nil))
			if err != nil || resp.StatusCode < 400 {
				t.Errorf("%s %s: %d %s %v", p.id, f, resp.StatusCode, text, err)
			}
			if f == RateLimit && resp.Header.Get("Retry-After") != "7" {
				t.Errorf("%s: no hint", p.id)
			}
		}
		if resp, _, _ := c.post(p.id, "invalid-key-123", ask(p, "hi", nil)); resp.StatusCode != 401 {
			t.Errorf("%s takes a wrong key", p.id)
		}
	}
}

func TestStreamsThatEndEarly(t *testing.T) {
	body := ask(openAI(), "words: 20", object{"stream": true})
	for name, b := range map[string]Behaviour{
		"reset":   {Cut: CutReset, After: 4},
		"eof":     {Cut: CutEOF, After: 4},
		"error":   {ErrorEvent: true, After: 4},
		"garbage": {Garbage: true, After: 4},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t)
			c.e.Set(Match{Times: 1}, b)
			_, text, err := c.post("openai", goodKey, body)
			if n := strings.Count(text, `"delta"`); n != 4 || strings.Contains(text, "[DONE]") || (err != nil) != (name == "reset") {
				t.Errorf("%d events, %v: %s", n, err, text)
			}
			if _, text, err = c.post("openai", goodKey, body); err != nil || !strings.Contains(text, "[DONE]") {
				t.Errorf("the second answer is cut as well: %v", err)
			}
		})
	}
}

func TestAbortAndRedirect(t *testing.T) {
	c := newClient(t)
	c.e.Set(Match{Provider: "groq"}, Behaviour{Abort: true})
	c.e.Set(Match{Provider: "openai", Key: goodKey}, Behaviour{Redirect: "http://127.0.0.1:1/"})
	if _, _, err := c.post("groq", goodKey, ask(groq(), "hi", nil)); err == nil {
		t.Error("an answer in spite of Abort")
	}
	if resp, _, err := c.post("openai", goodKey, ask(openAI(), "hi", nil)); err != nil || resp.StatusCode != 302 {
		t.Errorf("%v", err)
	}
}

func TestControlAndCounts(t *testing.T) {
	c := newClient(t)
	resp, err := http.Post(c.origin+"/_emulator/behaviours", "application/json",
		strings.NewReader(`{"match":{"provider":"openai","times":1},"behaviour":{"fault":"503"}}`))
	if err != nil || resp.StatusCode != 204 {
		t.Fatalf("%v %v", resp, err)
	}
	for _, want := range []int{503, 200} {
		if resp, _, _ := c.post("openai", goodKey, ask(openAI(), "hi", nil)); resp.StatusCode != want {
			t.Errorf("status %d, want %d", resp.StatusCode, want)
		}
	}
	resp, err = http.Get(c.origin + "/_emulator/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var counts []Count
	if err := json.NewDecoder(resp.Body).Decode(&counts); err != nil || len(counts) != 2 || counts[0].Requests != 1 {
		t.Errorf("%+v %v", counts, err)
	}
	if resp, err = http.Post(c.origin+"/_emulator/behaviours", "", strings.NewReader(`{"behavior":{}}`)); err != nil || resp.StatusCode != 400 {
		t.Errorf("a misspelt field is taken")
	}
}

func TestCallerWhoLeavesIsNoticed(t *testing.T) {
	c := newClient(t)
	c.e.Set(Match{}, Behaviour{Endless: true, EventMs: 5})
	b, _ := json.Marshal(ask(openAI(), "hi", object{"stream": true}))
	req, _ := http.NewRequest("POST", BaseURL(c.origin, "openai")+"/chat/completions", bytes.NewReader(b))
	req.Header.Set("Authorization", "Bearer "+goodKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 500))
	resp.Body.Close()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if seen := c.e.Requests(); len(seen) == 1 && seen[0].Left {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(errors.New("not noticed"))
		}
	}
}

func TestModelsAndAccount(t *testing.T) {
	c := newClient(t)
	for _, p := range profiles() {
		for _, path := range []string{"/models", p.account} {
			if path == "" {
				continue
			}
			req, _ := http.NewRequest("GET", BaseURL(c.origin, p.id)+path, nil)
			req.Header.Set("Authorization", "Bearer "+goodKey)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 || !json.Valid(text) || (path == "/models" && p.id == "together") != (text[0] == '[') {
				t.Errorf("%s%s: %d %s", p.id, path, resp.StatusCode, text)
			}
		}
	}
}
