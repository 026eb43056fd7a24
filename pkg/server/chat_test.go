package server_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// chatWorld is a world with a user who holds a gateway token.
type chatWorld struct {
	*world
	ann    *person
	token  string
	holder client
}

func newChatWorld(t *testing.T, settings ...string) *chatWorld {
	t.Helper()
	w := &chatWorld{world: newWorld(t, settings...)}
	w.ann = w.user("ann")
	_, w.token, w.holder = w.ann.token("test")
	return w
}

func (w *chatWorld) key(provider, apiKey string) string { return w.ann.key(provider, apiKey) }

func (w *chatWorld) request(ctx context.Context, body string, header ...string) *http.Response {
	w.t.Helper()
	return w.requestTo(ctx, "/api/chat", body, header...)
}

func (w *chatWorld) postTo(path, body string) (*http.Response, string) {
	w.t.Helper()
	resp := w.requestTo(w.t.Context(), path, body)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(text)
}

func (w *chatWorld) requestTo(ctx context.Context, path, body string, header ...string) *http.Response {
	w.t.Helper()
	resp, err := (&http.Client{Transport: transport}).Do(w.holder.with(header...).request("POST", path, strings.NewReader(body)).WithContext(ctx))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (w *chatWorld) post(body string, header ...string) (*http.Response, string) {
	w.t.Helper()
	resp := w.request(w.t.Context(), body, header...)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(text)
}

const hello = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"echo: Grüße, Welt 🌍!"}]}`

func TestChatAnswersToTheLetter(t *testing.T) {
	w := newChatWorld(t)
	id := w.key("openai", apiKey)
	resp, text := w.post(strings.Replace(hello, "{", `{"requestId":"my-42",`, 1))
	want := `^\{"id":"my-42","provider":"openai","model":"gpt-4o-mini","choices":\[\{"index":0,"message":\{"role":"assistant","content":"Grüße, Welt 🌍!"\},"finishReason":"stop"\}\],"usage":\{"promptTokens":\d+,"completionTokens":\d+,"totalTokens":\d+\},"created":\d+\}$`
	if resp.StatusCode != 200 || !regexp.MustCompile(want).MatchString(text) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	for name, value := range map[string]string{
		"X-LLM-Provider": "^openai$", "X-LLM-Model": "^gpt-4o-mini$", "X-LLM-Key-ID": "^" + id + "$",
		"X-LLM-Latency-Ms": `^\d+$`, "X-Request-ID": `^[0-9a-f-]{36}$`, "Content-Type": "^application/json",
		"Set-Cookie": "^$", "Openai-Organization": "^$", "X-Ratelimit-Limit-Requests": "^$", "Access-Control-Allow-Origin": "^$",
	} {
		if !regexp.MustCompile(value).MatchString(resp.Header.Get(name)) {
			t.Errorf("%s: %q", name, resp.Header.Get(name))
		}
	}
}

func TestStreamedChatSaysTheSame(t *testing.T) {
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range emulator.Providers() {
		if ok, _ := table.ByID(id).Callable(); !ok {
			continue
		}
		t.Run(id, func(t *testing.T) {
			w := newChatWorld(t)
			w.key(id, apiKey)
			model := map[string]string{"openai": "gpt-4o-mini", "openrouter": "anthropic/claude-haiku-4.5", "mistral": "mistral-small-latest",
				"groq": "llama-3.1-8b-instant", "together": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
				"fireworks": "accounts/fireworks/models/gpt-oss-120b", "deepseek": "deepseek-flash",
				"anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash"}[id]
			model = cmp.Or(model, emulator.Models(id)[0])
			body := fmt.Sprintf(`{"model":%q,"temperature":0.5,"maxTokens":200,"seed":1,"stop":"§","user":"u","messages":[{"role":"developer","content":"Be kind."},{"role":"user","content":"call all","name":"ann"}],
"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},{"type":"function","function":{"name":"now"}}],"stream":%%v}`, model)
			resp, whole := w.post(fmt.Sprintf(body, false))
			if resp.StatusCode != 200 {
				t.Fatalf("%d %s", resp.StatusCode, whole)
			}
			resp, stream := w.post(fmt.Sprintf(body, true))
			if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") || !strings.HasSuffix(stream, "data: [DONE]\n\n") {
				t.Fatalf("%d %s", resp.StatusCode, stream)
			}
			if a, b := fold(t, whole, "message"), fold(t, stream, "delta"); a != b {
				t.Errorf("whole    %s\nstreamed %s", a, b)
			}
		})
	}
}

// fold is a native answer, whole or streamed, as this test's own decoder reads it.
func fold(t *testing.T, text, member string) string {
	t.Helper()
	var said struct {
		content, reasoning, finish string
		calls                      [8]string
		usage                      string
	}
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "data: ")
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var v struct {
			Choices []map[string]json.RawMessage
			Usage   json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if v.Usage != nil {
			said.usage = string(v.Usage)
		}
		for _, c := range v.Choices {
			var m struct {
				Content   string
				Reasoning []struct{ Text string }
				ToolCalls []struct {
					Index    *int
					Function struct{ Name, Arguments string }
				}
			}
			if err := json.Unmarshal(c[member], &m); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			said.content += m.Content
			for _, r := range m.Reasoning {
				said.reasoning += r.Text
			}
			for i, call := range m.ToolCalls {
				if call.Index != nil {
					i = *call.Index
				}
				said.calls[i] += call.Function.Name + call.Function.Arguments
			}
			if f := string(c["finishReason"]); f != "null" {
				said.finish = f
			}
		}
	}
	if said.finish == "" || said.usage == "" {
		t.Errorf("no finish reason or usage in %s", text)
	}
	return fmt.Sprintf("%+v", said)
}

func TestStreamFlowsAndBeats(t *testing.T) {
	t.Parallel()
	w := newChatWorld(t, "HEARTBEAT_INTERVAL=30ms")
	w.key("openai", apiKey)
	w.emu.Set(emulator.Match{}, emulator.Behaviour{EventMs: 100})
	begun := time.Now()
	resp := w.request(t.Context(), strings.Replace(hello, "{", `{"stream":true,`, 1))
	lines, beats, first := bufio.NewScanner(resp.Body), 0, time.Duration(0)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), ":") {
			beats++
		}
		if first == 0 && strings.Contains(lines.Text(), "Gr") {
			first = time.Since(begun)
		}
	}
	if all := time.Since(begun); first == 0 || first > all/2+100*time.Millisecond || beats == 0 {
		t.Errorf("first text after %v of %v, %d heartbeats", first, all, beats)
	}
}

// A stream that has no answer yet begins with heartbeats. Then no header names a key, and a comment tells which one answers.
func TestHeartbeatsBeforeTheFirstContent(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ path, body, failure string }{
		"native":    {"/api/chat", hello, `"code":"PROVIDER_ERROR"`},
		"openai":    {"/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}`, `"class":"transport"`},
		"anthropic": {"/v1/messages", `{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}`, `"type":"error"`},
		"responses": {"/v1/responses", `{"model":"gpt-4o-mini","input":"hi","store":false}`, `"error"`},
		"gemini":    {"/v1beta/models/gpt-4o-mini:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`, `"status"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newChatWorld(t, "HEARTBEAT_INTERVAL=30ms", "HEARTBEAT_AFTER=50ms", "FIRST_EVENT_TIMEOUT=10s")
			w.key("openai", apiKey)
			body := tt.body
			if name != "gemini" {
				body = strings.Replace(body, "{", `{"stream":true,`, 1)
			}
			w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 300})
			resp, text := w.postTo(tt.path, body)
			pings := strings.ReplaceAll(text, `data: {"type":"ping"}`, ": ping") // Anthropic's heartbeats are events
			answer := strings.Index(pings, "data: {")
			if resp.StatusCode != 200 || resp.Header.Get("X-LLM-Key-ID") != "" || resp.Header.Get("X-LLM-Provider") != "" {
				t.Errorf("%d, %v", resp.StatusCode, resp.Header)
			}
			if named := strings.Index(text, ": x-llm-provider: openai\n"); named < 20 || answer >= 0 && answer < 20 {
				t.Errorf("no heartbeats before the comment: %.300s", text)
			}
			w.emu.Set(emulator.Match{}, emulator.Behaviour{FirstByteMs: 300, Abort: true})
			if resp, text := w.postTo(tt.path, body); resp.StatusCode != 200 || !strings.Contains(text, tt.failure) || strings.Contains(text, "[DONE]") {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
		})
	}
}

func TestErrorInTheMiddleIsAnEvent(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.emu.Set(emulator.Match{}, emulator.Behaviour{Cut: emulator.CutReset, After: 3})
	resp, text := w.post(strings.Replace(hello, "{", `{"stream":true,`, 1))
	if resp.StatusCode != 200 || strings.Contains(text, "[DONE]") ||
		!regexp.MustCompile(`data: \{"error":\{"code":"PROVIDER_ERROR","message":"[^"]+","details":\{[^}]*"class":"transport"[^}]*\}\},"requestId":"[^"]+"\}\n\n$`).MatchString(text) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestChatErrors(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.key("groq", "sk-"+mark+"-fault-401")
	tests := map[string]struct {
		body   string
		header []string
		status int
		part   string
	}{
		"no json":         {`{"messages":`, nil, 400, `"VALIDATION_ERROR"`},
		"empty messages":  {`{"messages":[]}`, nil, 400, `"path":"messages"`},
		"wrong type":      {`{"messages":[{"role":"user","content":5}]}`, nil, 400, `"path":"messages[0].content"`},
		"wrong name":      {strings.Replace(hello, "{", `{"max_tokens":5,`, 1), nil, 400, `maxTokens`},
		"wrong provider":  {strings.Replace(hello, "{", `{"provider":"acme",`, 1), nil, 400, `"path":"provider"`},
		"no key":          {strings.Replace(hello, "{", `{"provider":"mistral",`, 1), nil, 400, `"NO_ELIGIBLE_KEY"`},
		"provider's 401":  {strings.Replace(hello, `"gpt-4o-mini"`, `"llama-3.1-8b-instant"`, 1), nil, 502, `"class":"bad_key"`},
		"caller's fault":  {strings.Replace(hello, "{", `{"responseFormat":{"type":"json_object"},`, 1), nil, 400, `must contain the word`},
		"no token":        {hello, []string{"Authorization", ""}, 401, `"UNAUTHORIZED"`},
		"forged token":    {hello, []string{"Authorization", "Bearer llm_" + strings.Repeat("a", 37)}, 401, `"UNAUTHORIZED"`},
		"encoded":         {hello, []string{"Content-Encoding", "compress"}, 415, `"UNSUPPORTED_MEDIA_TYPE"`},
		"encoded wrongly": {hello, []string{"Content-Encoding", "gzip"}, 400, `not valid gzip`},
		"not json at all": {hello, []string{"Content-Type", "text/plain"}, 415, `"UNSUPPORTED_MEDIA_TYPE"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp, text := w.post(tt.body, append(tt.header, "Origin", "https://app.example")...)
			if resp.StatusCode != tt.status || !strings.Contains(text, tt.part) || !strings.Contains(text, `"requestId":"`) {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("X-Should-Retry") != "false" {
				t.Errorf("headers %v", resp.Header)
			}
			if strings.Contains(text, mark) {
				t.Errorf("a key in %s", text)
			}
		})
	}
	if log := w.log.String(); strings.Contains(log, mark) || strings.Contains(log, "Grüße") || strings.Contains(log, w.token) {
		t.Error("a secret or a prompt is in the log")
	}
}

// Providers' errors quote the prompt. The caller receives them; the log holds nothing of the prompt.
func TestErrorsThatQuoteThePrompt(t *testing.T) {
	quoting := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		prompt, _ := io.ReadAll(r.Body)
		status := 400
		if strings.Contains(string(prompt), "gpt-4o-mini") {
			status = 500
		}
		answer, _ := json.Marshal(map[string]any{"error": map[string]any{"message": "Invalid value: " + string(prompt), "type": "invalid_request_error"}})
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		rw.Write(answer)
	}))
	defer quoting.Close()
	w := newChatWorld(t, "OPENAI_BASE_URL="+quoting.URL)
	w.key("openai", apiKey)
	for model, status := range map[string]int{"gpt-4o-mini": 502, "gpt-4o": 400} {
		for _, stream := range []string{"false", "true"} {
			w.holder.chat(fmt.Sprintf(`{"model":%q,"stream":%s,"messages":[{"role":"user","content":"the moon is made of cheese"}]}`, model, stream)).want(status)
		}
	}
	if strings.Contains(w.log.String(), "cheese") {
		t.Errorf("the prompt is in the log: %s", w.log.String())
	}
	if !strings.Contains(w.log.String(), "bad_request") {
		t.Error("the log does not say what failed")
	}
}

func TestCallersCredentialsAreNotForwarded(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	w.post(hello, "Cookie", "a=b", "OpenAI-Organization", "org-x", "X-Api-Key", "sk-mine", "X-Forwarded-For", "192.0.2.1", "Referer", "https://a.example/")
	seen := w.emu.Requests()
	if len(seen) != 1 {
		t.Fatalf("%d requests", len(seen))
	}
	for name := range seen[0].Header {
		switch name {
		case "Authorization", "Content-Type", "Content-Length", "Accept", "Accept-Encoding", "User-Agent":
		case "X-Llm-Via": // the gateway's own, because the base URL is not OpenAI's
		default:
			t.Errorf("%s was forwarded", name)
		}
	}
	if seen[0].Key != apiKey {
		t.Error("another key was sent")
	}
}

func TestSlowReaderIsDisconnected(t *testing.T) {
	t.Parallel()
	w := newChatWorld(t, "WRITE_TIMEOUT=300ms")
	w.key("openai", apiKey)
	w.emu.Set(emulator.Match{}, emulator.Behaviour{Endless: true, HugeBytes: 0})
	resp := w.request(t.Context(), strings.Replace(hello, "{", `{"stream":true,`, 1))
	if resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if seen := w.emu.Requests(); len(seen) == 1 && seen[0].Left {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a caller who does not read holds the provider for ever")
		}
	}
}
