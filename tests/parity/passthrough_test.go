package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

// passthroughCase is a request in the provider's own dialect that the provider's rules leave alone.
type passthroughCase struct {
	provider, dialect, model string
	path                     string // at the provider
	body                     string // MODEL stands for the model, STREAMS for whether it streams
}

func passthroughCases() []passthroughCase {
	const chat = ` { "stream":STREAMS,"messages" : [{"content":"echo: Grüße","role":"user"},{"role":"assistant","content":"Hi","refusal":null},
  {"role":"user","content":[{"type":"text","text":"call all"}]}], "model":"MODEL", "temperature":0.50, "stream_options":{"include_usage":true},
  "tools":[{"function":{"parameters":{"properties":{},"type":"object"},"name":"now"},"type":"function"}] , "seed": 7, "nobody_knows":{"b":[1, 2],"a":1e2} }`
	known := func(s string) string { return strings.Replace(s, ` , "nobody_knows":{"b":[1, 2],"a":1e2}`, "", 1) }
	bare := strings.Replace(chat, `,"refusal":null`, "", 1) // which is OpenAI's
	openAI := strings.Replace(known(chat), `, "nobody_knows":{"b":[1, 2],"a":1e2}`, `, "store" :false, "web_search_options":{"search_context_size": "low"}`, 1)
	const messages = ` { "stream":STREAMS,"system":[{"text":"Be brief.","type":"text"}], "max_tokens": 500,"metadata":{"user_id":"u"},
  "messages" : [{"content":"call all","role":"user"}], "model":"MODEL",
  "tools":[{"name":"now","input_schema":{"properties":{},"type":"object"},"description":"tells the \u0074ime", "eager_input_streaming":false}],"inference_geo":"global" }`
	const items = ` { "stream":STREAMS,"input" : [{"content":[{"text":"call all","type":"input_text"}],"role":"user"}], "model":"MODEL","store" : false,
  "tools":[{"name":"now","strict":false,"parameters":{"properties":{},"type":"object"},"type":"function"}],"truncation":"auto", "temperature":0.70 }`
	const contents = ` { "contents" : [{"parts":[{"text":"call all"}],"role":"user"}], "safetySettings":[{"threshold":"BLOCK_NONE","category":"HARM_CATEGORY_HARASSMENT"}],
  "tools":[{"functionDeclarations":[{"name":"now","description":"tells the \u0074ime"}]}],"generation_config":{"thinkingConfig":{"thinkingBudget":0},"temperature":0.70,
  "responseModalities":["TEXT","IMAGE"],"imageConfig":{"aspectRatio":"1:1"}},"cachedContent":"cachedContents/x" }`
	return []passthroughCase{
		{"openai", "responses", "gpt-4o-mini", "/v1/responses", items},
		{"gemini", "gemini", "gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash:generateContent", contents},
		{"openai", "openai", "gpt-4o-mini", "/v1/chat/completions", openAI},
		{"openrouter", "openai", "anthropic/claude-haiku-4.5", "/api/v1/chat/completions", strings.Replace(chat, ` "temperature":0.50,`, ` "plugins":[{"id":"web"}],"temperature":0.50,`, 1)},
		{"fireworks", "openai", "accounts/fireworks/models/gpt-oss-120b", "/inference/v1/chat/completions", bare},
		{"groq", "openai", "openai/gpt-oss-20b", "/openai/v1/chat/completions", strings.Replace(strings.Replace(openAI, `, "store" :false, "web_search_options":{"search_context_size": "low"}`, `, "citation_options":"enabled"`, 1), `,"refusal":null`, "", 1)},
		{"deepseek", "openai", "deepseek-flash", "/chat/completions", strings.Replace(strings.Replace(bare, ` , "seed": 7`, "", 1), `"content":[{"type":"text","text":"call all"}]`, `"content":"call all"`, 1)},
		{"anthropic", "anthropic", "claude-opus-4-8", "/v1/messages", messages},
	}
}

// Where caller and provider use one dialect, the gateway forwards the bytes: of the request all but the model's name,
// of the answer all, and what clients require beside it.
func TestPassthrough(t *testing.T) {
	w := newWorld(t)
	n := 0
	for _, c := range passthroughCases() {
		for _, streamed := range []bool{false, true} {
			for _, do := range []emulator.Behaviour{{}, {Unknown: true}, {Unknown: true, ChunkBytes: 7}} {
				n++
				if err := w.passthrough(c, streamed, do); err != nil {
					t.Errorf("%s, streamed %v, %+v: %v", c.provider, streamed, do, err)
				}
			}
		}
	}
	t.Logf("%d combinations of provider, delivery and behaviour", n)
}

func (w *world) passthrough(c passthroughCase, streamed bool, do emulator.Behaviour) error {
	p := w.person()
	secret := fmt.Sprintf("sk-emulated-pass%s-1", p.id)
	p.key(c.provider, secret)
	w.emu.Set(emulator.Match{Provider: c.provider, Key: secret}, do)
	body := strings.NewReplacer("MODEL", c.provider+"/"+c.model, "STREAMS", fmt.Sprint(streamed)).Replace(c.body)
	if !streamed {
		body = strings.Replace(body, `"stream_options":{"include_usage":true},`, "", 1)
	}
	path, auth := "/v1/chat/completions", bearer(p.token)
	switch c.dialect {
	case "anthropic":
		path, auth = "/v1/messages?beta=true", append(anthropicCaller().auth(p.token), "Anthropic-Beta", "some-beta-2026-01-01")
	case "responses":
		path = "/v1/responses"
	case "gemini":
		path = "/v1beta/models/" + c.provider + "/" + c.model + ":generateContent"
		if streamed {
			path = strings.Replace(path, ":generateContent", ":streamGenerateContent?alt=sse", 1)
		}
	}
	got := p.send("POST", path, []byte(body), auth...)
	if got.status != 200 || got.header.Get("X-Llm-Warnings") != "" {
		return fmt.Errorf("%d %v %s", got.status, got.header, got.body)
	}
	sent := w.sent(secret)
	want := strings.Replace(body, c.provider+"/"+c.model, c.model, 1)
	if c.provider == "groq" { // whose schema lacks it
		want = strings.Replace(want, `, "stream_options":{"include_usage":true}`, "", 1)
	}
	if string(sent.Body) != want {
		return fmt.Errorf("the request is\n%s, want\n%s", sent.Body, want)
	}
	if want := "/" + c.provider + c.path; strings.Replace(sent.Path, ":streamG", ":g", 1) != want {
		return fmt.Errorf("the request went to %s, want %s", sent.Path, want)
	}
	if c.dialect == "anthropic" && sent.Header.Get("Anthropic-Beta") != "some-beta-2026-01-01" {
		return fmt.Errorf("headers %v", sent.Header)
	}
	// The provider's answer to the same bytes without the gateway.
	direct, err := w.direct(sent, secret)
	if err != nil {
		return err
	}
	have, want := neutral(string(got.body)), neutral(direct)
	if streamed {
		want = events(want)
	} else {
		want = strings.TrimSpace(want)
		have = strings.TrimSpace(have)
		if c.dialect == "openai" && !strings.Contains(want, `"system_fingerprint"`) {
			want = strings.TrimSuffix(want, "}") + `,"system_fingerprint":null}` // which clients require
		}
	}
	if have != want {
		return fmt.Errorf("the answer is\n%s\nwant\n%s", have, want)
	}
	if do.Unknown && !strings.Contains(have, "nobody_knows") {
		return fmt.Errorf("the emulator added no fields: %s", have)
	}
	return nil
}

// A field that only a provider of the caller's dialect can know is the caller's error where the request has to be
// translated.
func TestForeignIsNotTranslated(t *testing.T) {
	w := newWorld(t)
	for path, body := range map[string]string{
		"/v1beta/models/MODEL:generateContent": `{"contents":[{"parts":[{"text":"Hello"}]}],"generationConfig":{"hologram":{}}}`,
		"/v1/responses":                        `{"model":"MODEL","input":[{"role":"user","content":"Hello"},{"type":"hologram"}]}`,
	} {
		for provider, model := range map[string]string{"anthropic": "anthropic/claude-haiku-4-5", "groq": "groq/openai/gpt-oss-20b"} {
			p := w.person()
			p.key(provider, "")
			in := strings.NewReplacer("MODEL", model)
			got := p.send("POST", in.Replace(path), []byte(in.Replace(body)), bearer(p.token)...)
			if got.status != 400 || !strings.Contains(string(got.body), "hologram") || !strings.Contains(string(got.body), "cannot be sent to "+provider) {
				t.Errorf("%s, %s: %d %s", path, provider, got.status, got.body)
			}
		}
	}
}

// When the gateway restores reasoning that the caller dropped, it changes nothing else of a request in the provider's
// own dialect, and still forwards the answer's bytes.
func TestRestoredTurnsKeepTheRest(t *testing.T) {
	w := newWorld(t)
	dialects := map[string]*caller{}
	for _, s := range callers() {
		dialects[s.name] = s
	}
	for _, c := range []struct {
		provider, dialect, model string
		own                      object
		back                     string // what the gateway restores
	}{
		{"openrouter", "openai", "anthropic/claude-haiku-4.5", object{"provider": object{"data_collection": "deny"}, "plugins": []any{}}, `"reasoning_details":`},
		{"deepseek", "openai", "deepseek-flash", object{"nobody_knows": object{"a": 1}}, `"reasoning_content":`},
		{"fireworks", "openai", "accounts/fireworks/models/gpt-oss-120b", object{"nobody_knows": object{"a": 1}}, `"reasoning_content":`},
		{"gemini", "gemini", "gemini-3-pro-preview", object{"safetySettings": []any{object{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}}}, `"thoughtSignature":`},
		{"anthropic", "anthropic", "claude-opus-4-8", object{"inference_geo": "global"}, `"signature":`},
		{"openai", "responses", "gpt-5-mini", object{"truncation": "auto"}, `"encrypted_content":`},
	} {
		p := w.person()
		secret := fmt.Sprintf("sk-emulated-restored%s-1", p.id)
		p.key(c.provider, secret)
		w.emu.Set(emulator.Match{Provider: c.provider, Key: secret}, emulator.Behaviour{Unknown: true})
		s := dialects[c.dialect]
		talk := &conversation{p: p, s: s, model: c.provider + "/" + c.model, memory: bare, effort: "high"}
		if _, err := talk.begin(false); err != nil {
			t.Errorf("%s: %v", c.provider, err)
			continue
		}
		a := talk.first
		a.turns = append(append([]turn{}, a.turns...), talk.history...)
		path, body := s.write(&a)
		r := p.send("POST", path, encode(merged(body, c.own)), s.auth(p.token)...)
		if r.status != 200 || !strings.Contains(string(r.body), "nobody_knows") {
			t.Errorf("%s: %d %s", c.provider, r.status, r.body)
		}
		sent := object{}
		all := w.allSent(secret, 2)
		last := all[len(all)-1].Body
		if err := json.Unmarshal(last, &sent); err != nil {
			t.Fatal(err)
		}
		for name, value := range c.own {
			if string(encode(object{"": sent[name]})) != string(encode(object{"": value})) {
				t.Errorf("%s: %s was lost: %s", c.provider, name, last)
			}
		}
		if len(all) != 2 || !bytes.Contains(last, []byte(c.back)) || bytes.Contains(body, []byte(c.back)) {
			t.Errorf("%s: %d requests; nothing was put back: %s", c.provider, len(all), last)
		}
	}
}

// sent returns the request that the provider received by the key. The emulator records it after it has answered.
func (w *world) sent(secret string) emulator.Recorded { return w.allSent(secret, 1)[0] }

// allSent returns at least n requests that the provider received by the key.
func (w *world) allSent(secret string, n int) []emulator.Recorded {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var all []emulator.Recorded
		for _, r := range w.emu.Requests() {
			if r.Key == secret {
				all = append(all, r)
			}
		}
		if len(all) >= n {
			return all
		}
	}
	w.t.Fatalf("the provider did not get %d requests", n)
	return nil
}

// direct sends the provider the gateway's request.
func (w *world) direct(sent emulator.Recorded, secret string) (string, error) {
	rec := &recorder{header: http.Header{}}
	target := "http://provider" + sent.Path
	if strings.Contains(sent.Path, ":stream") {
		target += "?alt=sse"
	}
	req, err := http.NewRequest(sent.Method, target, bytes.NewReader(sent.Body))
	if err != nil {
		return "", err
	}
	req.Header = sent.Header.Clone()
	w.emu.ServeHTTP(rec, req)
	if rec.status != 200 {
		return "", fmt.Errorf("asked without the gateway: %d %s", rec.status, rec.body.String())
	}
	return rec.body.String(), nil
}

// recorder collects an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) Flush()                      {}

// clock matches the members that hold the time of an answer.
var clock = regexp.MustCompile(`^"(created|created_at|completed_at)":\d+`)

// neutral returns the text without the numbers and times that differ in each answer.
func neutral(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		if rest := s[i:]; strings.HasPrefix(rest, "emulated") {
			out.WriteString("emulated")
			for i += len("emulated"); i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			}
			continue
		}
		if digits := clock.FindString(s[i:]); digits != "" {
			out.WriteString("time")
			i += len(digits)
			continue
		}
		out.WriteByte(s[i])
		i++
	}
	return out.String()
}

// events returns a stream as the gateway frames it: without comments.
func events(s string) string {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if block != "" && !strings.HasPrefix(block, ":") {
			out.WriteString(block + "\n\n")
		}
	}
	return out.String()
}

// A caller that did not set include_usage gets usage from the providers alone that send it unasked, as their SDKs expect, and no
// chunk without choices; the request's row has it.
func TestStreamUsage(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	s := openAICaller()
	for _, pr := range providers() {
		p.key(pr.id, "")
		for _, wanted := range []bool{false, true} {
			got, r, err := p.exchange(s, &request{model: pr.id + "/" + pr.models[0], turns: []turn{{text: "call it"}}, tools: both(), streamed: true, includeUsage: wanted})
			if err != nil {
				t.Errorf("%s: %v", pr.id, err)
				continue
			}
			empty, last := 0, false
			events, _ := eventsOf(r.body)
			for _, e := range events {
				var v struct{ Choices []any }
				last = json.Unmarshal([]byte(e.data), &v) == nil && len(v.Choices) == 0
				if last {
					empty++
				}
			}
			unasked := pr.id == "openrouter" || pr.id == "mistral" || pr.id == "groq" || pr.id == "together"
			told := wanted || unasked
			if row := p.row(r); row.Output == 0 || row.Flags&3 != 1 || told != (got.usage != nil) || !told && strings.Contains(string(r.body), `"usage":{`) ||
				!wanted && empty > 0 {
				t.Errorf("%s, include_usage %v: usage %v, %d chunks without choices, row %+v in %s", pr.id, wanted, got.usage, empty, row, r.body)
			}
		}
	}
}
