package responses_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

func decode(t *testing.T, body string) *chat.Request {
	t.Helper()
	req, route, err := new(responses.Server).DecodeRequest([]byte(body))
	if err != nil || !reflect.DeepEqual(route, dialect.Route{}) {
		t.Fatalf("%v %+v: %s", err, route, body)
	}
	return req
}

// TestRequestsReadBack: the server half reads the request that the client half writes as the same request.
func TestRequestsReadBack(t *testing.T) {
	bare := func(edit func(*chat.Request)) *chat.Request {
		r := &chat.Request{Model: "m", Messages: []chat.Message{user(text("hi"))}}
		edit(r)
		return r
	}
	for name, want := range map[string]*chat.Request{
		"everything": sayable(),
		"json":       bare(func(r *chat.Request) { r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatJSON} }),
		"effort":     bare(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "xhigh"} }),
		"summary":    bare(func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Summary: "detailed"} }),
		"any tool": bare(func(r *chat.Request) {
			r.Tools, r.ToolChoice = sayable().Tools, &chat.ToolChoice{Mode: chat.ToolRequired}
		}),
		"a hosted tool": bare(func(r *chat.Request) {
			r.Tools, r.ToolChoice = sayable().Tools, &chat.ToolChoice{Mode: chat.ToolNamed, Name: "web_search"}
		}),
		"what the caller's programs did": bare(func(r *chat.Request) {
			r.Messages = append(r.Messages, user(chat.Part{Kind: chat.Unrendered, Dialect: "responses", Raw: json.RawMessage(`{"type":"compaction","encrypted_content":"x"}`)}))
		}),
	} {
		enc, err := responses.Client{}.EncodeRequest(want)
		if err != nil || len(enc.Warnings) > 0 {
			t.Fatalf("%s: %v %q", name, err, enc.Warnings)
		}
		got := dialecttest.Placeless(decode(t, string(enc.Body)))
		got.Store = nil // providers are never asked to store anything
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %s\nwant %s\nfrom %s", name, dialecttest.Indented(t, got), dialecttest.Indented(t, want), enc.Body)
		}
	}
}

func TestDecodeFull(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "request/*.json") {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		req, _, err := new(responses.Server).DecodeRequest(body)
		if err != nil {
			t.Fatalf("%s: %v %+v", name, err, err.(*fault.Error).Details)
		}
		want := dialecttest.Indented(t, req)
		dialecttest.Golden(t, strings.TrimSuffix(name, ".json")+".golden", want)
		// Nothing of the body is kept.
		for i := range body {
			body[i] = 'x'
		}
		if got := dialecttest.Indented(t, req); !bytes.Equal(got, want) {
			t.Errorf("%s: the request changes with the body", name)
		}
	}
}

// TestDecodeForms reads several forms of the same request.
func TestDecodeForms(t *testing.T) {
	hi := []chat.Message{user(text("hi"))}
	for body, want := range map[string]chat.Request{
		`{"input":"hi"}`: {Messages: hi},
		`{"input":[{"role":"user","content":"hi"}],"store":true,"background":false,"truncation":"auto","stream_options":{"include_obfuscation":false},"max_tool_calls":3,"unheard":{"of":1}}`: {Messages: hi, Store: ptr(true), Foreign: []chat.Foreign{{Name: "truncation"}, {Name: "max_tool_calls"}, {Name: "unheard"}}},
		`{"input":[{"type":"message","role":"user","status":"completed","content":[{"type":"input_text","text":"hi"}]}]}`:                                                                     {Messages: hi},
		`{"input":"hi","instructions":"Be brief."}`:                                                                                             {Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{text("Be brief.")}}, hi[0]}},
		`{"input":"hi","user":"a","safety_identifier":"b"}`:                                                                                     {Messages: hi, User: "b"},
		`{"input":"hi","safety_identifier":"b","user":"a"}`:                                                                                     {Messages: hi, User: "b"},
		`{"input":"hi","top_logprobs":2}`:                                                                                                       {Messages: hi, TopLogprobs: ptr(int64(2)), Logprobs: ptr(true)},
		`{"input":"hi","include":["web_search_call.results","message.output_text.logprobs"]}`:                                                   {Messages: hi, Logprobs: ptr(true)},
		`{"input":"hi","reasoning":{"effort":null,"generate_summary":"auto","mode":"standard","context":"auto"},"text":{}}`:                     {Messages: hi, Reasoning: &chat.Reasoning{Summary: "auto"}},
		`{"input":"hi","text":{"format":{"type":"text"},"verbosity":null}}`:                                                                     {Messages: hi, ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatText}},
		`{"input":"hi","tools":[{"type":"function","name":"f","parameters":null,"strict":null,"defer_loading":true}],"tool_choice":"required"}`: {Messages: hi, Tools: []chat.Tool{{Name: "f"}}, ToolChoice: &chat.ToolChoice{Mode: chat.ToolRequired}, Foreign: []chat.Foreign{{Name: "tools[].defer_loading"}}},
		`{"input":"hi","tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]},"tools":[{"type":"function","name":"e"},{"type":"function","name":"f"},{"type":"mcp","server_label":"x"}]}`: {
			Messages: hi, Tools: []chat.Tool{{Name: "f"}}, ToolChoice: &chat.ToolChoice{Mode: chat.ToolRequired}},
		`{"input":[{"role":"user","content":[{"type":"input_file","filename":"A.TXT","file_data":"QQ=="},{"type":"input_file","file_data":"QQ=="},{"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}},{"type":"input_text","text":"x","prompt_cache_breakpoint":{"mode":"explicit"}}]}]}`: {
			Messages: []chat.Message{user(chat.Part{Kind: chat.File, Media: &chat.Media{Filename: "A.TXT", MIMEType: "text/plain", Data: "QQ=="}},
				chat.Part{Kind: chat.File, Media: &chat.Media{MIMEType: "application/pdf", Data: "QQ=="}},
				chat.Part{Kind: chat.Audio, Media: &chat.Media{Data: "QQ==", Format: "wav"}},
				chat.Part{Kind: chat.Text, Text: "x", Cache: &chat.CacheMark{}})}},
		// Codex sends reasoning without its id.
		`{"input":[{"type":"reasoning","summary":[{"type":"summary_text","text":"a"}],"content":null,"encrypted_content":"gAAA"},{"type":"function_call","call_id":"c","name":"f","arguments":""},{"type":"function_call_output","call_id":"c","output":"ok"}]}`: {
			Messages: []chat.Message{assistant(reason("a", &chat.ReasoningState{Summary: true, Encrypted: "gAAA"}), call(chat.ToolCall{ID: "c", Name: "f", Arguments: "{}"})), result("c", "f", text("ok"))}},
		// No provider knows an id that the gateway made.
		`{"input":[{"type":"reasoning","id":"rs_llm_x_0","summary":[],"content":[{"type":"reasoning_text","text":"a"}]},{"role":"assistant","content":"b"},{"role":"assistant","content":"c","phase":"final_answer"}]}`: {
			Messages: []chat.Message{assistant(reason("a", nil), text("b"), chat.Part{Kind: chat.Text, Text: "c", Phase: "final_answer"})}},
	} {
		if got := dialecttest.Placeless(decode(t, body)); !reflect.DeepEqual(got, &want) {
			t.Errorf("%s\n got %s\nwant %s", body, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
		}
	}
}

func TestDecodeIssues(t *testing.T) {
	for body, want := range map[string][]string{ // paths, a word of the first message behind a bar
		`{`:              {"|malformed JSON"},
		`[]`:             {"|expected an object"},
		`{}`:             {"input|required"},
		`{"input":null}`: {"input|required"},
		`{"input":[]}`:   {"input|must not be empty"},
		`{"input":5}`:    {"input|a string or an array"},
		`{"input":"a","previous_response_id":"resp_1"}`:                                                             {"previous_response_id|previous_response_id"},
		`{"input":"a","conversation":{"id":"c"}}`:                                                                   {"conversation|keeps no conversations"},
		`{"input":"a","prompt":{"id":"p"}}`:                                                                         {"prompt|keeps no prompts"},
		`{"input":"a","background":true}`:                                                                           {"background|still to be made"},
		`{"input":[{"type":"item_reference","id":"rs_1"},{"id":"rs_2"}]}`:                                           {"input[0]|expected an item", "input[1]"},
		`{"input":[{"x":1},7,{"type":7}]}`:                                                                          {"input[0].type|required", "input[1]", "input[2].type"},
		`{"input":[{"role":"robot","content":"a"},{"role":"user"},{"type":"message","content":"a"}]}`:               {"input[0].role|expected one of user", "input[1].content", "input[2].role"},
		`{"input":[{"role":"user","content":7},{"role":"user","content":[7,{},{"type":7},{"type":"input_text"}]}]}`: {"input[0].content|a string or an array", "input[1].content[0]", "input[1].content[1].type", "input[1].content[2].type", "input[1].content[3].text"},
		`{"input":[{"role":"system","content":[{"type":"input_image","image_url":"https://e.com/a"}]}]}`:            {"input[0].content[0]|only text"},
		`{"input":[{"role":"user","content":[{"type":"input_image"},{"type":"input_image","image_url":"x"},{"type":"input_file","file_id":"a","file_url":"https://e.com/a"},{"type":"refusal","refusal":"no"}]}]}`: {"input[0].content[0]|expected one of image_url, file_id", "input[0].content[1].image_url", "input[0].content[2]", "input[0].content[3].type"},
		`{"input":[{"type":"function_call","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c"}]}`:                                                                                           {"input[0].call_id|required"},
		`{"input":[{"type":"custom_tool_call","call_id":"c","name":"a b"}]}`:                                                                                                                                       {"input[0].name|letters", "input[0].input"},
		`{"input":[{"type":"reasoning","summary":[7,{}],"encrypted_content":"llmgw1.!"}]}`:                                                                                                                         {"input[0].summary[0]|an object", "input[0].summary[1].text", "input[0].encrypted_content"},
		`{"input":"a","reasoning":{"effort":"huge","mode":"pro"}}`:                                                                                                                                                 {"reasoning.effort|one of none", "reasoning.mode"},
		`{"input":"a","text":{"format":{}}}`:                                                                                           {"text.format.type|required"},
		`{"input":"a","text":{"format":{"type":"json_schema"},"verbosity":"x"}}`:                                                       {"text.format.name|required", "text.format.schema", "text.verbosity"},
		`{"input":"a","text":{"format":{"type":"json_schema","name":"a b","strict":1,"schema":[]}}}`:                                   {"text.format.name|letters", "text.format.strict", "text.format.schema"},
		`{"input":"a","text":{"format":{"type":"json_schema","name":"a"}}}`:                                                            {"text.format.schema|required"},
		`{"input":"a","tools":[7,{},{"type":"function"},{"type":"custom"}]}`:                                                           {"tools[0]|an object", "tools[1].type", "tools[2].name", "tools[3].name"},
		`{"input":"a","tools":[{"type":"function","name":"f"},{"type":"custom","name":"f"}]}`:                                          {"tools[1].name|two tools"},
		`{"input":"a","tools":[{"type":"function","name":"f","parameters":[]}]}`:                                                       {"tools[0].parameters|a JSON schema"},
		`{"input":"a","tool_choice":"required"}`:                                                                                       {"tool_choice|tools has none"},
		`{"input":"a","tool_choice":{"type":"function","name":"g"}}`:                                                                   {"tool_choice|no function"},
		`{"input":"a","tool_choice":{"type":"mcp","server_label":"s","name":"t"}}`:                                                     {"tool_choice|MCP"},
		`{"input":"a","tool_choice":{"type":"allowed_tools","mode":"none","tools":[{"type":"function","name":"g"}]}}`:                  {"tool_choice.mode|auto, required", "tool_choice.tools[0]"},
		`{"input":"a","tool_choice":7}`:                                                                                                {"tool_choice|a string or an object"},
		`{"input":"a","temperature":3,"top_p":-1,"max_output_tokens":0,"top_logprobs":21,"stream":1,"metadata":{"a":1},"include":"x"}`: {"temperature|from 0 to 2", "top_p", "max_output_tokens", "top_logprobs", "stream", "metadata.a", "include"},
	} {
		err := responses.Issues([]byte(body))
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Validation {
			t.Errorf("%s: %v", body, err)
			continue
		}
		issues := f.Details.(map[string]any)["issues"].([]fault.Issue)
		var paths []string
		for _, i := range issues {
			paths = append(paths, i.Path)
		}
		first, words, _ := strings.Cut(want[0], "|")
		if expected := append([]string{first}, want[1:]...); !reflect.DeepEqual(paths, expected) || !strings.Contains(issues[0].Message, words) {
			t.Errorf("%s: %+v, want %q", body, issues, want)
		}
	}
}

// FuzzDecodeRequest: a request that is read can be written for a provider, and reads the same again.
func FuzzDecodeRequest(f *testing.F) {
	for _, name := range dialecttest.Inputs(f, "request/*.json") {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"input":[{"type":"reasoning","id":"rs_llm_x_0","summary":[{"text":""}],"encrypted_content":"llmgw1.e30"}]}`))
	f.Add([]byte(`{"input":"hi","tools":[{"type":"custom","name":"f","custom":{}}],"tool_choice":{"type":"custom","name":"f"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, _, err := new(responses.Server).DecodeRequest(body)
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) || e.Code != fault.Validation {
				t.Fatal(err)
			}
			return
		}
		s := served()
		s.Request = req
		if answer := new(responses.Server).EncodeResponse(&chat.Response{}, s); !json.Valid(answer) {
			t.Fatalf("%s", answer)
		}
		enc, err := responses.Client{}.EncodeRequest(req)
		if err != nil {
			return
		}
		if !json.Valid(enc.Body) {
			t.Fatalf("%s", enc.Body)
		}
	})
}
