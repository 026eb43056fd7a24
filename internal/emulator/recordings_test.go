package emulator

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recording is a real exchange. RECORDINGS names a folder of them, by provider.
type recording struct {
	Request struct {
		Method string          `json:"method"`
		URL    string          `json:"url"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	} `json:"response"`

	name string
}

// text is the recorded body, which may be kept as a text or as JSON.
func (r *recording) text() string {
	var s string
	if json.Unmarshal(r.Response.Body, &s) == nil {
		return s
	}
	return string(r.Response.Body)
}

// path returns where the emulator serves what was recorded; empty: nowhere.
func (r *recording) path(t *testing.T, provider string) string {
	u, err := url.Parse(r.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	base := profileOf(provider).base
	path, ok := strings.CutPrefix(u.Path, base)
	if !ok {
		return ""
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}

func recordings(t *testing.T, provider string, want func(r *recording) bool) []recording {
	t.Helper()
	root := os.Getenv("RECORDINGS")
	if root == "" {
		t.Skip("RECORDINGS names no folder")
	}
	names, _ := filepath.Glob(filepath.Join(root, "recorded", provider, "*.json"))
	var out []recording
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r := recording{name: filepath.Base(name)}
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want(&r) {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no recordings of %s in %s", provider, root)
	}
	return out
}

// foreign reports whether a request carries state of the real provider, which no emulator can verify.
func foreign(body string) bool {
	for _, state := range []string{`"signature"`, `"thoughtSignature"`, `"encrypted_content"`, `"redacted_thinking"`, `"tool_addition"`} {
		if strings.Contains(body, state) {
			return true
		}
	}
	return false
}

// The emulator accepts what a provider accepted, and refuses what it refused with the same status.
func TestRecordedRequestsAreTaken(t *testing.T) {
	for _, provider := range []string{"anthropic", "gemini", "openai", "mistral", "groq", "deepseek"} {
		for _, r := range recordings(t, provider,
			func(r *recording) bool { return r.Request.Method == "POST" && len(r.Request.Body) > 0 }) {
			path := r.path(t, provider)
			if path == "" || foreign(string(r.Request.Body)) || strings.Contains(string(r.Request.Body), "<MASSIVE_TEXT>") {
				continue
			}
			t.Run(provider+"/"+r.name, func(t *testing.T) {
				cl, key := newClient(t), goodKey
				switch {
				case r.Response.Status == 401:
					key = "invalid-key"
				case provider == "deepseek" && path == "/responses", provider == "groq" && r.Response.Status == 400:
					t.Skip("not emulated, or the model's own fault")
				case r.Response.Status == 404:
					cl.e.Set(Match{}, Behaviour{Fault: NoModel})
				}
				resp, text, err := cl.send("POST", provider, path, key, string(r.Request.Body))
				if err != nil || resp.StatusCode != r.Response.Status {
					t.Errorf("%d, recorded %d: %s", resp.StatusCode, r.Response.Status, text)
				}
			})
		}
	}
}

// places collects the paths of a value's members, without what models or callers wrote there.
func places(v any, at string, free []string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			p := at + "." + name
			into[p] = true
			if !slices.ContainsFunc(free, func(f string) bool { return strings.HasSuffix(p, f) }) {
				places(value, p, free, into)
			}
		}
	case []any:
		for _, item := range v {
			places(item, at, free, into)
		}
	}
}

// documents are the JSON values of a body, whole or streamed.
func documents(t *testing.T, text string) []map[string]any {
	t.Helper()
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return []map[string]any{parse(t, text)}
	}
	data, _ := sse(t, text)
	return data
}

// fixtures are recorded chunks and whole answers of a second collection, which has no requests.
func fixtures(t *testing.T, pattern string) (streams [][]map[string]any) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(os.Getenv("RECORDINGS"), "vercel-ai", pattern))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".json") {
			streams = append(streams, []map[string]any{parse(t, string(text))})
			continue
		}
		var chunks []map[string]any
		for line := range strings.Lines(string(text)) {
			chunks = append(chunks, parse(t, line))
		}
		streams = append(streams, chunks)
	}
	return streams
}

// order returns the steps from one event to the next in a stream, without pings.
func order(data []map[string]any, into map[string]bool) {
	last := "start"
	for _, d := range data {
		kind := str(d["type"])
		if kind == "ping" || kind == "" {
			continue
		}
		into[last+" > "+kind] = true
		last = kind
	}
	into[last+" > end"] = true
}

// The emulator's answers have only members and orders of events that a recording has, but for those listed with their
// source.
func TestAnswersHaveTheRecordedShape(t *testing.T) {
	tests := map[string]struct {
		carrier  string
		wants    func(r *recording) bool
		fixtures string
		free     []string // the members below were written by models or callers
		known    []string // not recorded, but documented
	}{
		"messages": {"messages", func(r *recording) bool { return strings.Contains(r.Request.URL, "/v1/messages") },
			"anthropic/anthropic-[rt]*", []string{".input", ".stop_details"},
			[]string{".content.thinking", ".content.signature", ".content.data"}},
		"generate": {"generate", func(r *recording) bool { return strings.Contains(strings.ToLower(r.Request.URL), "generatecontent") },
			"google/*", []string{".args"}, []string{".promptFeedback", ".promptFeedback.blockReason"}},
		"responses": {"responses", func(r *recording) bool { return strings.HasSuffix(r.Request.URL, "/v1/responses") },
			"openai/openai-reasoning*", []string{".tools"},
			// Refusals and answers cut short follow the OpenAPI document.
			[]string{".incomplete_details.reason", ".response.incomplete_details.reason", ".output.content.refusal",
				".response.output.content.refusal",
				".item.content.refusal", ".part.refusal", ".refusal"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := carrierOf(t, tt.carrier)
			recorded, steps := map[string]bool{}, map[string]bool{}
			for _, r := range recordings(t, c.provider, func(r *recording) bool { return r.Response.Status == 200 && tt.wants(r) }) {
				for _, d := range documents(t, r.text()) {
					places(d, "", tt.free, recorded)
				}
				order(documents(t, r.text()), steps)
			}
			for _, stream := range fixtures(t, tt.fixtures) {
				for _, d := range stream {
					places(d, "", tt.free, recorded)
				}
				order(stream, steps)
			}
			for _, p := range tt.known {
				recorded[p] = true
			}
			for decodedRequest, q := range testRequests() {
				for _, stream := range []bool{false, true} {
					req := q.request
					if req.stream = stream; req.stop != "" && name == "responses" {
						continue
					}
					path, body := c.request(req)
					text := newClient(t).good(c.provider, path, body)
					got, events := map[string]bool{}, map[string]bool{}
					for _, d := range documents(t, text) {
						places(d, "", tt.free, got)
					}
					for _, p := range keys(got) {
						if !recorded[p] {
							t.Errorf("%s: %s is in no recording", decodedRequest, p)
						}
					}
					if !stream {
						continue
					}
					order(documents(t, text), events)
					for _, step := range keys(events) {
						if !steps[step] && !documentedStep(step) {
							t.Errorf("%s: %s is in no recording", decodedRequest, step)
						}
					}
				}
			}
		})
	}
}

// documentedStep: steps of answers of which no stream is recorded.
func documentedStep(step string) bool {
	for _, part := range []string{"refusal", "incomplete", "message_start > message_delta"} {
		if strings.Contains(step, part) {
			return true
		}
	}
	return false
}
