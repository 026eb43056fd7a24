package native_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

func server() *native.Server {
	return native.New([]string{"openai", "anthropic", "openrouter", "gemini", "mistral", "groq", "together", "fireworks", "deepseek"})
}

func TestDecodeFull(t *testing.T) {
	body, err := os.ReadFile("testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	req, route, err := server().DecodeRequest(body)
	if err != nil {
		t.Fatalf("%v %+v", err, err.(*fault.Error).Details)
	}
	want, route0 := dialecttest.Indented(t, req), route
	dialecttest.Golden(t, "testdata/full.golden", append(bytes.Clone(want), dialecttest.Indented(t, route)...))

	// Nothing of the body is kept.
	for i := range body {
		body[i] = 'x'
	}
	if got := dialecttest.Indented(t, req); !bytes.Equal(got, want) || !reflect.DeepEqual(route, route0) {
		t.Error("the request changes with the body")
	}
}

func TestDecodeContract(t *testing.T) {
	req, route, err := server().DecodeRequest([]byte(`{"messages":[{"role":"user","content":"hi"}],"provider":"auto","stop":"END"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &chat.Request{Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "hi"}}}}, Stop: []string{"END"}}
	if !reflect.DeepEqual(req, want) || !reflect.DeepEqual(route, dialect.Route{}) {
		t.Errorf("%s %+v", dialecttest.Indented(t, req), route)
	}
	// Null counts as absent, everywhere.
	var nulls []string
	for _, name := range []string{"model", "provider", "allowedProviders", "allowedPriorities", "models", "temperature", "maxTokens", "topP", "topK", "stop", "seed", "n", "frequencyPenalty",
		"presencePenalty", "logitBias", "logprobs", "topLogprobs", "stream", "async", "requestId", "tools", "toolChoice", "parallelToolCalls", "responseFormat", "reasoning", "verbosity",
		"serviceTier", "user", "metadata", "cacheKey"} {
		nulls = append(nulls, fmt.Sprintf("%q:null", name))
	}
	req, route, err = server().DecodeRequest([]byte(`{"messages":[{"role":"user","content":"hi","name":null,"toolCalls":null,"toolCallId":null}],` + strings.Join(nulls, ",") + `}`))
	if err != nil {
		t.Fatal(err)
	}
	want.Stop = nil
	if !reflect.DeepEqual(req, want) || !reflect.DeepEqual(route, dialect.Route{}) {
		t.Errorf("%s %+v", dialecttest.Indented(t, req), route)
	}
	for _, choice := range []chat.ToolMode{chat.ToolAuto, chat.ToolNone, chat.ToolRequired} {
		req, _, err := server().DecodeRequest([]byte(`{"toolChoice":"` + string(choice) + `","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}`))
		if err != nil || *req.ToolChoice != (chat.ToolChoice{Mode: choice}) {
			t.Errorf("%s: %v", choice, err)
		}
	}
	for _, format := range []chat.FormatKind{chat.FormatText, chat.FormatJSON} {
		req, _, err := server().DecodeRequest([]byte(`{"responseFormat":{"type":"` + string(format) + `"},"messages":[{"role":"user","content":"hi"}]}`))
		if err != nil || req.ResponseFormat.Kind != format {
			t.Errorf("%s: %v", format, err)
		}
	}
	if _, _, err := server().DecodeRequest([]byte(`{"responseFormat":{"type":"json_schema","json_schema":{"schema":{}}},"messages":[{"role":"user","content":"hi"}]}`)); err != nil {
		t.Error(err)
	}
}

func issues(t *testing.T, body string) []string {
	t.Helper()
	_, _, err := server().DecodeRequest([]byte(body))
	if err == nil {
		return nil
	}
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Validation {
		t.Fatalf("%s: no validation error: %v", body, err)
	}
	var out []string
	for _, i := range e.Details.(map[string]any)["issues"].([]fault.Issue) {
		out = append(out, i.Path+": "+i.Message)
	}
	return out
}

// Each line has the text that replaces the X in a request, and the issues that it gives.
func TestDecodeIssues(t *testing.T) {
	top := `{"messages":[{"role":"user","content":"hi"}],X}`
	message := `{"messages":[X]}`
	part := `{"messages":[{"role":"user","content":[X]}]}`
	nine := "openai, anthropic, openrouter, gemini, mistral, groq, together, fireworks, deepseek"
	for _, c := range []struct {
		frame, in string
		want      []string
	}{
		{`X`, ``, []string{": malformed JSON: the text is empty (at byte 0)"}},
		{`X`, `[]`, []string{": expected an object, got an array"}},
		{`X`, `{}`, []string{"messages: required"}},
		{`X`, `{"messages":[]}`, []string{"messages: must not be empty"}},
		{`X`, `{"messages":"hi"}`, []string{"messages: expected an array, got a string"}},
		{`X`, `{"messages":null}`, []string{"messages: expected an array, got null"}},
		{`X`, `{"messages":[{"role":"user","content":"` + "\xff" + `"}]}`, []string{"messages[0].content: malformed JSON: the text is not valid UTF-8 (at byte 39)"}},
		{`X`, `{"messages":[{"role":"user","content":"a","content":"b"}]}`, []string{"messages[0].content: the member is there twice"}},
		{`X`, strings.Repeat(`[`, 10_000), []string{strings.Repeat("[0]", 128) + ": malformed JSON: nested deeper than 128 levels (at byte 128)"}},

		{top, `"provider":"Openia"`, []string{`provider: unknown provider "Openia": expected one of auto, ` + nine}},
		{top, `"provider":"OpenAI"`, []string{`provider: unknown provider "OpenAI": expected one of auto, ` + nine}},
		{top, `"provider":1`, []string{"provider: expected a string, got a number"}},
		{top, `"allowedProviders":["openai","auto"]`, []string{`allowedProviders[1]: unknown provider "auto": expected one of ` + nine}},
		{top, `"allowedProviders":[]`, []string{"allowedProviders: must not be empty; leave it out to allow every provider"}},
		{top, `"allowedProviders":"openai"`, []string{"allowedProviders: expected an array, got a string"}},
		{top, `"allowedPriorities":["1"]`, []string{"allowedPriorities[0]: expected a whole number, got a string"}},
		{top, `"models":[]`, []string{"models: must not be empty; leave it out to name no other model"}},
		{top, `"models":[1]`, []string{"models[0]: expected a string, got a number"}},
		{top, `"allowedPriorities":[]`, []string{"allowedPriorities: must not be empty; leave it out to allow every priority"}},
		{top, `"temperature":2.1`, []string{"temperature: expected a number from 0 to 2, got 2.1"}},
		{top, `"temperature":-0.1`, []string{"temperature: expected a number from 0 to 2, got -0.1"}},
		{top, `"temperature":"0.7"`, []string{"temperature: expected a number, got a string"}},
		{top, `"temperature":1e999`, []string{"temperature: the number 1e999 is out of range"}},
		{top, `"maxTokens":0`, []string{"maxTokens: expected a whole number of at least 1, got 0"}},
		{top, `"maxTokens":1.5`, []string{"maxTokens: expected a whole number of at most 64 bits, got 1.5"}},
		{top, `"maxTokens":123456789012345678901234567890123456789`, []string{"maxTokens: expected a whole number of at most 64 bits, got 12345678901234567890123456789..."}},
		{top, `"topP":1.1`, []string{"topP: expected a number from 0 to 1, got 1.1"}},
		{top, `"n":129`, []string{"n: expected a whole number from 1 to 128, got 129"}},
		{top, `"topLogprobs":21`, []string{"topLogprobs: expected a whole number from 0 to 20, got 21"}},
		{top, `"frequencyPenalty":3`, []string{"frequencyPenalty: expected a number from -2 to 2, got 3"}},
		{top, `"logitBias":{"1":101}`, []string{"logitBias[\"1\"]: expected a number from -100 to 100, got 101"}},
		{top, `"stop":""`, []string{"stop: must not be empty"}},
		{top, `"stop":["a",1]`, []string{"stop[1]: expected a string, got a number"}},
		{top, `"stop":{}`, []string{"stop: expected a string or an array, got an object"}},
		{top, `"stop":[` + strings.Repeat(`"a",`, 16) + `"a"]`, []string{"stop: expected at most 16 sequences, got 17"}},
		{top, `"stream":"true"`, []string{"stream: expected a boolean, got a string"}},
		{top, `"requestId":""`, []string{"requestId: expected 1 to 128 printable ASCII characters"}},
		{top, `"requestId":"` + strings.Repeat("x", 129) + `"`, []string{"requestId: expected 1 to 128 printable ASCII characters"}},
		{top, `"requestId":"a\r\nSet-Cookie: b"`, []string{"requestId: expected 1 to 128 printable ASCII characters"}},
		{top, `"requestId":"é"`, []string{"requestId: expected 1 to 128 printable ASCII characters"}},
		{top, `"requestId":7`, []string{"requestId: expected a string, got a number"}},
		{top, `"model":"a\nb"`, []string{"model: expected at most 256 printable ASCII characters"}},
		{top, `"model":{}`, []string{"model: expected a string, got an object"}},

		{top, `"max_tokens":5`, []string{`max_tokens: unknown field; did you mean "maxTokens"?`}},
		{top, `"MaxTokens":5`, []string{`MaxTokens: unknown field; did you mean "maxTokens"?`}},
		{top, `"max_completion_tokens":5`, []string{`max_completion_tokens: unknown field; did you mean "maxTokens"?`}},
		{top, `"max_completion_tokens":null`, []string{`max_completion_tokens: unknown field; did you mean "maxTokens"?`}},
		{top, `"tool_choice":"auto"`, []string{`tool_choice: unknown field; did you mean "toolChoice"?`}},
		{top, `"reasoning_effort":"low"`, []string{`reasoning_effort: unknown field; did you mean "reasoning.effort"?`}},
		{top, `"colour":"red"`, []string{"colour: unknown field"}},
		{top, `"temperature":3,"maxTokens":0,"x":1`, []string{"temperature: expected a number from 0 to 2, got 3", "maxTokens: expected a whole number of at least 1, got 0", "x: unknown field"}},

		{top, `"tools":{}`, []string{"tools: expected an array, got an object"}},
		{top, `"tools":[{"type":"web_search"}]`, []string{`tools[0].type: expected one of function, got "web_search"`, "tools[0].function: required"}},
		{top, `"tools":[{"function":{"parameters":[]}}]`, []string{"tools[0].function.parameters: expected a JSON schema of type object, got an array", "tools[0].function.name: required"}},
		{top, `"tools":[{"function":{"name":"a b"}}]`, []string{"tools[0].function.name: expected 1 to 128 letters, digits, underscores, hyphens, dots or colons"}},
		{top, `"tools":[{"function":{"name":"a"}},{"function":{"name":"a"}}]`, []string{`tools[1].function.name: there are two tools of the name "a"`}},
		{top, `"tools":[{"name":"a"}]`, []string{"tools[0].name: unknown field", "tools[0].function: required"}},
		{top, `"toolChoice":"any"`, []string{`toolChoice: expected one of auto, none, required, got "any"`}},
		{top, `"toolChoice":"required"`, []string{"toolChoice: a tool must be called, but tools has none"}},
		{top, `"toolChoice":{"type":"function","function":{"name":"b"}},"tools":[{"function":{"name":"a"}}]`, []string{`toolChoice: tools has no function "b"`}},
		{top, `"toolChoice":7`, []string{"toolChoice: expected a string or an object, got a number"}},
		{top, `"responseFormat":"json"`, []string{"responseFormat: expected an object, got a string"}},
		{top, `"responseFormat":{}`, []string{"responseFormat.type: required"}},
		{top, `"responseFormat":{"type":"xml"}`, []string{`responseFormat.type: expected one of text, json_object, json_schema, got "xml"`}},
		{top, `"responseFormat":{"type":"json_schema"}`, []string{"responseFormat.jsonSchema: required"}},
		{top, `"responseFormat":{"type":"json_schema","jsonSchema":{"name":"a b"}}`, []string{"responseFormat.jsonSchema.name: expected 1 to 64 letters, digits, underscores or hyphens", "responseFormat.jsonSchema.schema: required"}},
		{top, `"responseFormat":{"type":"text","jsonSchema":{"schema":{}}}`, []string{"responseFormat.jsonSchema: only goes with the type json_schema"}},
		{top, `"reasoning":{"effort":"huge","tokens":1,"budget":-1}`, []string{`reasoning.effort: expected one of none, minimal, low, medium, high, xhigh, max, got "huge"`, "reasoning.tokens: unknown field", "reasoning.budget: expected a whole number of at least 0, got -1"}},
		{top, `"metadata":{"a":1}`, []string{"metadata.a: expected a string, got a number"}},

		{message, `7`, []string{"messages[0]: expected an object, got a number"}},
		{message, `{}`, []string{"messages[0].role: required"}},
		{message, `{"role":"robot","content":"x"}`, []string{`messages[0].role: expected one of system, developer, user, assistant, tool, got "robot"`}},
		{message, `{"role":"user"}`, []string{"messages[0].content: required"}},
		{message, `{"role":"user","content":null}`, []string{"messages[0].content: expected a string or an array of parts, got null"}},
		{message, `{"role":"user","content":[]}`, []string{"messages[0].content: must not be empty"}},
		{message, `{"role":"user","content":"x"},{"role":"user","content":7}`, []string{"messages[1].content: expected a string or an array of parts, got a number"}},
		{message, `{"role":"user","content":"x","tool_calls":[]}`, []string{`messages[0].tool_calls: unknown field; did you mean "toolCalls"?`}},
		{message, `{"role":"user","content":"x","toolCalls":[]}`, []string{"messages[0].toolCalls: only goes with the role assistant"}},
		{message, `{"role":"assistant","content":"x","toolCallId":"a"}`, []string{"messages[0].toolCallId: only goes with the role tool"}},
		{message, `{"role":"assistant"}`, []string{"messages[0].content: required, unless there are toolCalls"}},
		{message, `{"role":"assistant","content":null,"toolCalls":[{"type":"function"}]}`, []string{"messages[0].toolCalls[0].id: required", "messages[0].toolCalls[0].function: required"}},
		{message, `{"role":"assistant","content":null,"toolCalls":[{"id":"a","function":{"name":"f","arguments":{}}}]}`, []string{"messages[0].toolCalls[0].function.arguments: expected a string, got an object"}},
		{message, `{"role":"assistant","content":"x","reasoning":[{"sig":"x"}]}`, []string{"messages[0].reasoning[0].sig: unknown field"}},
		{message, `{"role":"assistant","content":[{"type":"image","url":"https://e.com"}]}`, []string{"messages[0].content[0]: only text may be here"}},
		{message, `{"role":"system","content":[{"type":"audio","data":"QQ==","format":"wav"}]}`, []string{"messages[0].content[0]: only text may be here"}},
		{message, `{"role":"tool","content":"x"}`, []string{"messages[0].toolCallId: required with the role tool"}},
		{message, `{"role":"tool","toolCallId":"","content":"x"}`, []string{"messages[0].toolCallId: expected 1 to 4096 bytes"}},
		{message, `{"role":"user","name":"a\u0000","content":"x"}`, []string{"messages[0].name: expected at most 256 printable ASCII characters"}},

		{part, `"x"`, []string{"messages[0].content[0]: expected an object, got a string"}},
		{part, `{}`, []string{"messages[0].content[0].type: required"}},
		{part, `{"type":"video"}`, []string{`messages[0].content[0].type: expected one of text, image, audio, file, image_url, input_audio, got "video"`}},
		{part, `{"type":"text"}`, []string{"messages[0].content[0].text: required"}},
		{part, `{"type":"text","text":"a","bold":true}`, []string{"messages[0].content[0].bold: unknown field"}},
		{part, `{"type":"text","text":"a","cache":{"ttl":"2h"}}`, []string{`messages[0].content[0].cache.ttl: expected one of 5m, 1h, got "2h"`}},
		{part, `{"type":"image"}`, []string{"messages[0].content[0]: expected exactly one of url, data and fileId"}},
		{part, `{"type":"image","url":"https://e.com/a","data":"QQ==","mimeType":"image/png"}`, []string{"messages[0].content[0]: expected exactly one of url, data and fileId"}},
		{part, `{"type":"image","data":"QQ=="}`, []string{"messages[0].content[0].mimeType: required with data"}},
		{part, `{"type":"image","data":"QQ","mimeType":"image/png"}`, []string{"messages[0].content[0].data: expected standard base64 with padding"}},
		{part, `{"type":"image","data":"QQ\"}","mimeType":"image/png"}`, []string{"messages[0].content[0].data: expected standard base64 with padding"}},
		{part, `{"type":"image","data":"QQ==","mimeType":"png"}`, []string{"messages[0].content[0].mimeType: expected a media type such as image/png"}},
		{part, `{"type":"image","url":"file:///etc/passwd"}`, []string{"messages[0].content[0].url: expected an http, https or data URL"}},
		{part, `{"type":"image","url":"https://e.com/a b"}`, []string{"messages[0].content[0].url: expected an http, https or data URL"}},
		{part, `{"type":"image","url":"data:image/png,abc"}`, []string{"messages[0].content[0].url: expected a data URL of the form data:<media type>;base64,<data>"}},
		{part, `{"type":"image","url":"data:image/png;base64,a-_="}`, []string{"messages[0].content[0].url: expected standard base64 with padding"}},
		{part, `{"type":"image_url"}`, []string{"messages[0].content[0].image_url: required"}},
		{part, `{"type":"image_url","image_url":"https://e.com"}`, []string{"messages[0].content[0].image_url: expected an object, got a string"}},
		{part, `{"type":"image_url","image_url":{"url":"https://e.com","detail":"max"}}`, []string{`messages[0].content[0].image_url.detail: expected one of auto, low, high, got "max"`}},
		{part, `{"type":"audio","data":"QQ=="}`, []string{"messages[0].content[0].format: required with data"}},
		{part, `{"type":"audio","data":"QQ==","format":"../x"}`, []string{"messages[0].content[0].format: expected a format such as wav or mp3"}},
	} {
		if got := issues(t, strings.Replace(c.frame, "X", c.in, 1)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestDecodeKeepsFewIssues(t *testing.T) {
	if n := len(issues(t, `{"messages":[`+strings.Repeat(`{},`, 200_000)+`{}]}`)); n != 32 {
		t.Errorf("%d issues", n)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	full, err := os.ReadFile("testdata/full.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	for _, s := range []string{`{}`, `{"messages":[{"role":"user","content":"hi"}]}`, `{"messages":[{"role":"tool","toolCallId":"a","content":[{"type":"image","url":"data:;base64,QQ=="}]}],"tools":[{"function":{"name":"f"}}],"toolChoice":"required"}`,
		`{"messages":[{"role":"assistant","toolCalls":[{"id":"a","type":"custom","function":{"name":"f","arguments":"x"}}]}],"stop":"x","max_tokens":1}`} {
		f.Add([]byte(s))
	}
	s := server()
	f.Fuzz(func(t *testing.T, body []byte) {
		req, route, err := s.DecodeRequest(body)
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) || e.Code != fault.Validation || len(e.Message) > 10_000 {
				t.Fatalf("%v", err)
			}
			if !json.Valid(s.EncodeError(e, route.RequestID)) {
				t.Fatal("an error that is no JSON")
			}
			return
		}
		if !json.Valid(body) || len(req.Messages) == 0 {
			t.Fatal("accepted a body that is no request")
		}
		for _, m := range req.Messages {
			if len(m.Parts) == 0 {
				t.Fatal("a message without parts")
			}
			for _, p := range m.Parts {
				if p.Kind == 0 || p.Media != nil && (p.Media.URL != "") == (p.Media.Data != "" || p.Media.FileID != "") {
					t.Fatalf("an impossible part %+v", p)
				}
			}
		}
	})
}
