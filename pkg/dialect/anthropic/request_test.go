package anthropic_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

func server() *anthropic.Server { return anthropic.New() }

func TestDecodeRequest(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "request/*.json") {
		req, route, err := server().DecodeRequest(dialecttest.Read(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(route, dialect.Route{}) {
			t.Errorf("%s: %+v", name, route)
		}
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", dialecttest.Indented(t, req))
	}
}

func body(members string) string {
	return `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]` + members + `}`
}

func messages(list string) string { return `{"model":"m","max_tokens":1,"messages":[` + list + `]}` }

func TestDecodeIssues(t *testing.T) {
	for in, want := range map[string]string{
		`[]`: ": expected an object, got an array",
		`{}`: "model: required | messages: required | max_tokens: required",
		`{"model":null,"messages":[],"max_tokens":"5"}`: "model: required | messages: must not be empty | max_tokens: expected a whole number, got a string",
		`{"model":"","messages":7,"max_tokens":-1}`:     "model: must not be empty | messages: expected an array, got a number | max_tokens: expected a whole number of at least 0, got -1",
		body(`,"temperature":1.5,"top_p":-1,"top_k":0.5,"stream":1`): "temperature: expected a number from 0 to 1, got 1.5 | top_p: expected a number from 0 to 1, got -1 | " +
			"top_k: expected a whole number of at most 64 bits, got 0.5 | stream: expected a boolean, got a number",
		body(`,"stop_sequences":"x"`):                               "stop_sequences: expected an array, got a string",
		body(`,"stop_sequences":["a","",1]`):                        "stop_sequences[1]: must not be empty | stop_sequences[2]: expected a string, got a number",
		body(`,"system":7`):                                         "system: expected a string or an array of blocks, got a number",
		body(`,"system":[{"type":"text"},{}]`):                      "system[0].text: required | system[1].type: required",
		body(`,"thinking":{"type":"enabled"}`):                      "thinking: budget_tokens is required with the type enabled",
		body(`,"thinking":{"budget_tokens":0}`):                     "thinking.budget_tokens: expected a whole number of at least 1, got 0 | thinking.type: required",
		body(`,"thinking":"on"`):                                    "thinking: expected an object, got a string",
		body(`,"output_config":{"effort":"enormous"}`):              `output_config.effort: expected one of none, minimal, low, medium, high, xhigh, max, got "enormous"`,
		body(`,"output_config":{"format":{"type":"grammar"}}`):      `output_config.format.type: expected one of json_schema, got "grammar"`,
		body(`,"output_format":{"type":"json_schema","schema":[]}`): "output_format.schema: expected a JSON schema, got an array",
		body(`,"service_tier":"fast","metadata":{"user_id":5}`):     `service_tier: expected one of auto, standard_only, got "fast" | metadata.user_id: expected a string, got a number`,
		body(`,"tools":{}`):                                         "tools: expected an array, got an object",
		body(`,"tools":[1,{},{"name":"a b","input_schema":{}},{"name":"f","input_schema":[]},{"name":"f","input_schema":{},"strict":"yes","type":"custom"}]`): "tools[0]: expected an object, got a number | " +
			"tools[1].name: required | tools[1].input_schema: required | tools[2].name: expected 1 to 128 letters, digits, underscores or hyphens | " +
			`tools[3].input_schema: expected a JSON schema of type object, got an array | tools[4].strict: expected a boolean, got a string | tools[4].name: there are two tools of the name "f"`,
		body(`,"tool_choice":{"type":"any"}`):             "tool_choice: a tool must be called, but tools has none",
		body(`,"tool_choice":{"type":"tool"}`):            "tool_choice.name: required with the type tool",
		body(`,"tool_choice":{"type":"tool","name":"g"}`): `tool_choice.name: tools has no tool "g"`,
		body(`,"tool_choice":"auto"`):                     "tool_choice: expected an object, got a string",
		body(`,"tool_choice":{"type":"maybe"}`):           `tool_choice.type: expected one of auto, any, tool, none, got "maybe"`,
		messages(`7,{"role":"user"},{"content":"x"},{"role":"tool","content":"x"},{"role":"user","content":{}}`): "messages[0]: expected an object, got a number | messages[1].content: required | messages[2].role: required | " +
			`messages[3].role: expected one of user, assistant, system, got "tool" | messages[4].content: expected a string or an array of blocks, got an object`,
		messages(`{"role":"user","content":["x",{"type":5},{"type":"text","text":5},{"type":"tool_use","id":"","name":"f","input":"{}"}]}`): "messages[0].content[0]: expected an object, got a string | " +
			"messages[0].content[1].type: expected a string, got a number | messages[0].content[2].text: expected a string, got a number | " +
			"messages[0].content[3].id: expected 1 to 4096 bytes | messages[0].content[3].input: expected an object, got a string | messages[0].content[3]: a block of this type only goes with the role assistant",
		messages(`{"role":"assistant","content":[{"type":"tool_result","tool_use_id":"t","is_error":"no"},{"type":"thinking"},{"type":"redacted_thinking"}]}`): "messages[0].content[0].is_error: expected a boolean, got a string | " +
			"messages[0].content[0]: a block of this type only goes with the role user | messages[0].content[1].thinking: required | messages[0].content[2].data: required",
		messages(`{"role":"user","content":[{"type":"image"},{"type":"image","source":"x"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"*"}},{"type":"image","source":{"type":"url","url":"file:///x"}},{"type":"document","source":{"type":"tape"}},{"type":"document","source":{"type":"text"}}]}`): "messages[0].content[0].source: required | " +
			"messages[0].content[1].source: expected an object, got a string | messages[0].content[2].source.data: expected standard base64 with padding | " +
			`messages[0].content[3].source.url: expected an http or https URL | messages[0].content[4].source.type: expected one of base64, url, file, got "tape" | messages[0].content[5].source.data: required`,
		messages(`{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"eternal","ttl":"1d"}},{"type":"text","text":"x","cache_control":5}]}`): `messages[0].content[0].cache_control.type: expected one of ephemeral, got "eternal" | ` +
			`messages[0].content[0].cache_control.ttl: expected one of 5m, 1h, got "1d" | messages[0].content[1].cache_control: expected an object, got a number`,
		`{"model":"m","model":"n"}`: "model: the member is there twice",
		`{"model":`:                 "malformed JSON: expected a value, got the end of the text (at byte 9)",
	} {
		err := anthropic.Issues([]byte(in))
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Validation {
			t.Errorf("%s: %v", in, err)
			continue
		}
		var got []string
		for _, is := range f.Details.(map[string]any)["issues"].([]fault.Issue) {
			got = append(got, is.Path+": "+is.Message)
		}
		if s := strings.Join(got, " | "); s != want && s != "model: "+want {
			t.Errorf("%s:\n got %s\nwant %s", in, s, want)
		}
	}
}

// What a thread holds is at Anthropic's, for one account. The SDKs' tool runners begin with one, and send the whole
// conversation instead when they are told so by this code.
func TestThreadsAreRefused(t *testing.T) {
	_, _, err := server().DecodeRequest([]byte(body(`,"thread":{"type":"create"}`)))
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Validation {
		t.Fatal(err)
	}
	if told := string(server().EncodeError(f, "r")); !strings.Contains(told, `"error_code":"thread_unsupported_request","unsupported":["thread"]`) {
		t.Error(told)
	}
	if _, _, err := server().DecodeRequest([]byte(body(`,"thread":null`))); err != nil {
		t.Error(err)
	}
}

func TestDecodeThinking(t *testing.T) {
	for in, want := range map[string]*chat.Reasoning{
		``:                                nil,
		`,"thinking":{"type":"disabled"}`: {Effort: "none"},
		`,"thinking":{"type":"between_tools"},"output_config":{"effort":"low"}`:                {Effort: "none"},
		`,"thinking":{"type":"enabled","budget_tokens":2048}`:                                  {Budget: ptr(int64(2048))},
		`,"thinking":{"type":"adaptive"}`:                                                      {Effort: "high"},
		`,"output_config":{"effort":"max"},"thinking":{"type":"adaptive","display":"omitted"}`: {Effort: "max", Hide: true},
		`,"thinking":{"type":"adaptive","display":"summarized"}`:                               {Effort: "high", Summary: "auto"},
		`,"output_config":{"effort":"medium"}`:                                                 {Effort: "medium"},
		`,"output_config":{"effort":null}`:                                                     nil,
		`,"thinking":{"type":"of_the_future"}`:                                                 nil,
		`,"thinking":null`:                                                                     nil,
	} {
		req, _, err := server().DecodeRequest([]byte(body(in)))
		if err != nil || !reflect.DeepEqual(req.Reasoning, want) {
			t.Errorf("%s: %+v, %v", in, req, err)
		}
	}
}

func TestCountTokens(t *testing.T) {
	in := []byte(`{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`)
	req, _, err := server().DecodeCount(in)
	if err != nil || req.MaxTokens != nil || len(req.Tools) != 1 {
		t.Errorf("%+v %v", req, err)
	}
	if _, _, err := server().DecodeCount([]byte(`{"model":"m"}`)); err == nil {
		t.Error("a request without messages was taken")
	}
	if got := string(server().EncodeCount(2095)); got != `{"input_tokens":2095}` {
		t.Error(got)
	}
}

// rules are those of a model that takes all that the requests below say.
func rules() *anthropic.Rules { return &anthropic.Rules{CacheMarks: true} }

// What one half writes, the other reads: whatever the dialect can express comes back.
func TestRequestRoundTrip(t *testing.T) {
	for seed := range uint64(500) {
		want := randomRequest(rand.New(rand.NewPCG(seed, 3)))
		enc, err := encode(t, want, rules())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(enc.Warnings) > 0 {
			t.Fatalf("seed %d: %q", seed, enc.Warnings)
		}
		got, _, err := server().DecodeRequest(enc.Body)
		if err != nil {
			t.Fatalf("seed %d: %v in %s", seed, err, enc.Body)
		}
		if !reflect.DeepEqual(dialecttest.Placeless(got), want) {
			t.Fatalf("seed %d:\n got %s\nwant %s", seed, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
		}
	}
}

// randomRequest is a request in the form in which the decoder gives it.
func randomRequest(r *rand.Rand) *chat.Request {
	word := func() string {
		return []string{"a", "é\n漢", `"q" `, "some words"}[r.IntN(4)] + fmt.Sprint(r.IntN(1000))
	}
	maybe := func() bool { return r.IntN(2) == 0 }
	left := 4 // of cache marks
	mark := func() *chat.CacheMark {
		if left--; left < 0 {
			return nil
		}
		return []*chat.CacheMark{nil, nil, {}, {TTL: "5m"}, {TTL: "1h"}}[r.IntN(5)]
	}
	media := func() chat.Part {
		return []chat.Part{
			{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/png", Data: "iVBORw=="}, Cache: mark()},
			{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/" + fmt.Sprint(r.IntN(9))}},
			{Kind: chat.File, Media: &chat.Media{MIMEType: "application/pdf", Data: "JVBERg==", Filename: word()}, Cache: mark()},
			{Kind: chat.Unrendered, Dialect: "anthropic", Raw: json.RawMessage(`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hé"}}`),
				Instead: []chat.Part{text("<document>\nhé\n</document>")}},
			{Kind: chat.File, Media: &chat.Media{FileID: "file_1"}},
			{Kind: chat.Unrendered, Dialect: "anthropic", Raw: json.RawMessage(`{"type":"search_result","title":"x"}`),
				Instead: []chat.Part{text("<search_result>\nTitle: x\n</search_result>")}},
		}[r.IntN(6)]
	}
	req := &chat.Request{Model: "m", MaxTokens: ptr(1 + r.Int64N(1000)), Stream: maybe()}
	if maybe() {
		req.Messages = append(req.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{text(word()), {Kind: chat.Text, Text: word(), Cache: mark()}}})
	}
	for turn := range 1 + r.IntN(3) {
		req.Messages = append(req.Messages, user(text(word()), media(), chat.Part{Kind: chat.Text, Text: word(), Cache: mark()}))
		if maybe() {
			req.Messages = append(req.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{text(word())}})
		}
		parts := []chat.Part{{Kind: chat.Reason, Text: word(), State: &chat.ReasoningState{Signature: word()}}, {Kind: chat.Reason, State: &chat.ReasoningState{Redacted: word()}}}
		parts = append(parts, chat.Part{Kind: chat.Text, Text: word(), Citations: []chat.Citation{{Text: "c", Title: "t", Raw: json.RawMessage(`{"type":"page_location","cited_text":"c","document_title":"t"}`)}}})
		var results []chat.Message
		for n := range r.IntN(3) {
			id := fmt.Sprintf("toolu_%d_%d", turn, n)
			parts = append(parts, call(id, []string{`{}`, `{"a":[1,"x"]}`}[r.IntN(2)]))
			m := result(id)
			if res := m.Parts[0].ToolResult; maybe() {
				res.Parts, res.IsError = []chat.Part{text(word())}, maybe()
			} else {
				res.Parts = []chat.Part{text(word()), media()}
			}
			m.Parts[0].Cache = mark()
			results = append(results, m)
		}
		req.Messages = append(req.Messages, said(parts...))
		req.Messages = append(req.Messages, results...)
	}
	req.Messages = append(req.Messages, user(text(word())))
	if maybe() {
		req.Tools = []chat.Tool{{Name: "look", Description: word(), Parameters: json.RawMessage(`{"type":"object","properties":{}}`), Cache: mark()},
			{Name: "advisor", Origin: string(anthropic.Name), Raw: json.RawMessage(`{"type":"advisor_20260301","name":"advisor"}`)}}
		req.ToolChoice = []*chat.ToolChoice{nil, {Mode: chat.ToolAuto}, {Mode: chat.ToolNone}, {Mode: chat.ToolRequired}, {Mode: chat.ToolNamed, Name: "look"}}[r.IntN(5)]
		if req.ToolChoice != nil && req.ToolChoice.Mode != chat.ToolNone && maybe() {
			req.ParallelToolCalls = ptr(false)
		}
	}
	switch r.IntN(4) {
	case 0:
		req.Reasoning = &chat.Reasoning{Effort: []string{"low", "medium", "high", "xhigh", "max"}[r.IntN(5)], Summary: "auto"}
	case 1:
		req.Reasoning = &chat.Reasoning{Effort: "high", Hide: true}
	case 2:
		req.Temperature, req.TopK = ptr(r.Float64()), ptr(r.Int64N(100))
	case 3:
		req.TopP = ptr(r.Float64())
	}
	if maybe() {
		req.Stop, req.User, req.ServiceTier = []string{word(), "x"}, word(), []string{"auto", "default"}[r.IntN(2)]
		req.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false}`)}
	}
	return req
}

// A mark on the request itself ends a prefix at its last block.
func TestAutomaticCache(t *testing.T) {
	req, _, err := server().DecodeRequest([]byte(body(`,"cache_control":{"type":"ephemeral","ttl":"1h"}`)))
	if err != nil || req.Messages[0].Parts[0].Cache == nil || req.Messages[0].Parts[0].Cache.TTL != "1h" {
		t.Errorf("%+v %v", req, err)
	}
}

// Reading keeps nothing of the body.
func TestDecodeKeepsNothing(t *testing.T) {
	s := server()
	in := dialecttest.Read(t, "testdata/request/claude-code.json")
	req, _, err := s.DecodeRequest(in)
	if err != nil {
		t.Fatal(err)
	}
	before := dialecttest.Indented(t, req)
	clear(in)
	if _, _, err := s.DecodeRequest([]byte(body(`,"system":"other words, many of them"`))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, dialecttest.Indented(t, req)) {
		t.Error("the request changed with the body")
	}
}

func FuzzRequest(f *testing.F) {
	for _, name := range dialecttest.Inputs(f, "request/*.json") {
		f.Add(dialecttest.Read(f, name))
	}
	f.Add([]byte(body(`,"thinking":{"type":"enabled"}`)))
	f.Add([]byte(messages(`{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"llm-gateway:e30"}]}`)))
	f.Fuzz(func(t *testing.T, in []byte) {
		req, _, err := server().DecodeRequest(in)
		if err != nil {
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Validation || f.Message == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		if req.Model == "" || req.MaxTokens == nil {
			t.Fatalf("%+v", req)
		}
		enc, err := encode(t, req, rules())
		if err != nil {
			return
		}
		if _, _, err := server().DecodeRequest(enc.Body); err != nil {
			t.Fatalf("%v in what was written: %s", err, enc.Body)
		}
	})
}
