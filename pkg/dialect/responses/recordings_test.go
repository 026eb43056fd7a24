package responses_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// A recording is a real exchange, or the answer alone. RECORDINGS names a folder of them,
// recorded/<provider>/<case>.<n>.<sse|json|errNNN>.json and vercel-ai/openai/*; without it these
// tests are skipped.
type recording struct {
	name    string
	request json.RawMessage
	status  int
	body    string
	stream  bool
}

func recordings(t *testing.T) []recording {
	t.Helper()
	root := dialecttest.Recordings(t)
	var all []recording
	read := func(pattern string, one func(name string, data []byte)) {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			one(filepath.Base(name), data)
		}
	}
	for name, x := range dialecttest.Exchanges(t) {
		if strings.HasSuffix(x.Request.URL, "/responses") {
			all = append(all, recording{name, x.Request.Body, x.Response.Status, x.Response.Body, strings.Contains(name, ".sse.")})
		}
	}
	read("vercel-ai/openai/*.json", func(name string, data []byte) {
		if bytes.Contains(data, []byte(`"output"`)) {
			all = append(all, recording{name: name, status: 200, body: string(data)})
		}
	})
	read("vercel-ai/openai/*.1.chunks.txt", func(name string, data []byte) {
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		for _, line := range lines {
			if !json.Valid([]byte(line)) { // one capture lost a brace
				return
			}
		}
		if bytes.Contains(data, []byte(`"response.created"`)) {
			all = append(all, recording{name: name, status: 200, body: "data: " + strings.Join(lines, "\n\ndata: "), stream: true})
		}
	})
	if len(all) < 38 {
		t.Fatalf("only %d recordings", len(all))
	}
	return all
}

// said is the content of a response's output, as a naive reader finds it.
type said struct {
	text, reasoning      string
	sealed, calls        []string
	input, output, think int64
}

func naive(t *testing.T, name string, response []byte) said {
	t.Helper()
	var r struct {
		Output []struct {
			Type, Name, Input string
			Arguments         any    // a hosted tool's are an object
			CallID            string `json:"call_id"`
			Encrypted         string `json:"encrypted_content"`
			Summary, Content  []struct{ Text string }
		}
		Usage struct {
			Input   int64 `json:"input_tokens"`
			Output  int64 `json:"output_tokens"`
			Details struct {
				Reasoning int64 `json:"reasoning_tokens"`
			} `json:"output_tokens_details"`
		}
	}
	if err := json.Unmarshal(response, &r); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s := said{input: r.Usage.Input, output: r.Usage.Output, think: r.Usage.Details.Reasoning}
	for _, it := range r.Output {
		switch it.Type {
		case "message":
			for _, c := range it.Content {
				s.text += c.Text
			}
		case "reasoning":
			for _, c := range append(it.Summary, it.Content...) {
				s.reasoning += c.Text
			}
			if it.Encrypted != "" {
				s.sealed = append(s.sealed, it.Encrypted)
			}
		case "function_call", "custom_tool_call":
			s.calls = append(s.calls, it.CallID+"|"+it.Name+"|"+str(it.Arguments)+it.Input)
		}
	}
	return s
}

func str(v any) string { s, _ := v.(string); return s }

func canonical(r *chat.Response) said {
	var s said
	for _, p := range r.Choices[0].Message.Parts {
		switch p.Kind {
		case chat.Text:
			s.text += p.Text
		case chat.Reason:
			s.reasoning += p.Text
			if p.State != nil && p.State.Encrypted != "" {
				s.sealed = append(s.sealed, p.State.Encrypted)
			}
		case chat.Call:
			s.calls = append(s.calls, p.ToolCall.ID+"|"+p.ToolCall.Name+"|"+p.ToolCall.Arguments)
		}
	}
	if r.Usage != nil {
		s.input, s.output, s.think = r.Usage.Input, r.Usage.Output, r.Usage.Reasoning
	}
	return s
}

// TestRecordings reads real answers, whole and streamed; a stream is read cut at many bytes, and
// is compared with the whole answer in its last event.
func TestRecordings(t *testing.T) {
	for _, x := range recordings(t) {
		if x.status != 200 {
			if e := (responses.Client{}).DecodeError([]byte(x.body)); e.Message == "" || e.Code == "" {
				t.Errorf("%s: %+v", x.name, e)
			}
			continue
		}
		if !x.stream {
			got, err := responses.Client{}.DecodeResponse([]byte(x.body))
			if err != nil {
				t.Errorf("%s: %v", x.name, err)
			} else if want := naive(t, x.name, []byte(x.body)); !reflect.DeepEqual(canonical(got), want) {
				t.Errorf("%s:\n got %+v\nwant %+v", x.name, canonical(got), want)
			}
			continue
		}
		all := readStream(t, sse.NewReader(strings.NewReader(x.body), 0))
		if all.Err() != nil {
			t.Errorf("%s: %v", x.name, all.Err())
			continue
		}
		got := all.Response()
		var last struct{ Response json.RawMessage }
		if err := json.Unmarshal([]byte(x.body[strings.LastIndex(x.body, "data: ")+len("data: "):]), &last); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		if strings.Contains(x.name, "phase") {
			continue // its middle was cut out, deltas among it
		}
		if s, want := canonical(got), naive(t, x.name, last.Response); !reflect.DeepEqual(s, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", x.name, s, want)
		}
		for at := 0; at < len(x.body); at += 1 + len(x.body)/500 {
			if cut := readStream(t, sse.NewReader(&halves{[]byte(x.body), at}, 0)); !reflect.DeepEqual(cut.Response(), got) {
				t.Fatalf("%s: cut at %d it differs", x.name, at)
			}
		}
	}
}

// TestRecordedRequests reads requests of real programs. The request for a provider that they become reads the same again.
func TestRecordedRequests(t *testing.T) {
	n := 0
	for _, x := range recordings(t) {
		if len(x.request) == 0 {
			continue
		}
		n++
		req, _, err := new(responses.Server).DecodeRequest(x.request)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		enc, err := responses.Client{}.EncodeRequest(req)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		again, _, err := new(responses.Server).DecodeRequest(enc.Body)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		again.Store, req.Store = nil, nil // providers are never asked to store anything
		if len(enc.Warnings) == 0 && len(req.Tools) == 0 && !reflect.DeepEqual(again, req) {
			t.Errorf("%s:\n got %s\nwant %s", x.name, dialecttest.Indented(t, again), dialecttest.Indented(t, req))
		}
	}
	if n < 30 {
		t.Errorf("only %d requests", n)
	}
}
