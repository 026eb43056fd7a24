package openai_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func TestDecodeRequest(t *testing.T) {
	server := new(openai.Server)
	for _, name := range dialecttest.Inputs(t, "request/*.json") {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		req, route, err := server.DecodeRequest(body)
		if err != nil || !reflect.DeepEqual(route, dialect.Route{Models: route.Models}) {
			t.Errorf("%s: %v %v", name, route, err)
			continue
		}
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", readable(t, req))
	}
}

// readable returns a request as indented JSON without empty members.
func readable(t *testing.T, req *chat.Request) []byte {
	t.Helper()
	var prune func(v any) any
	prune = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				if value = prune(value); value == nil || value == "" || value == 0.0 && key != "Temperature" {
					delete(v, key)
				} else {
					v[key] = value
				}
			}
		case []any:
			for i := range v {
				v[i] = prune(v[i])
			}
		}
		return v
	}
	return dialecttest.Indented(t, prune(map[string]any(object1(t, "request", dialecttest.Indented(t, req)))))
}

// issuesOf returns the issues of a body, one a line.
func issuesOf(t *testing.T, body string) string {
	t.Helper()
	err := openai.Issues([]byte(body))
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Validation {
		t.Fatalf("%s: %v", body, err)
	}
	var lines []string
	for _, i := range f.Details.(map[string]any)["issues"].([]fault.Issue) {
		lines = append(lines, i.Path+": "+i.Message)
	}
	return strings.Join(lines, "\n")
}

func TestDecodeRequestIssues(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	message := func(m string) string { return `{"messages":[` + m + `]}` }
	part := func(p string) string { return message(`{"role":"user","content":[` + p + `]}`) }
	field := func(f string) string { return `{` + hi + `,` + f + `}` }
	for _, c := range []struct{ body, want string }{
		{`[]`, `: expected an object, got an array`},
		{`{"a":1,"a":2}`, `a: the member is there twice`},
		{`{`, `: malformed JSON: expected a member's name in quotes, got the end of the text (at byte 1)`},
		{`{"model":"m"}`, `messages: required`},
		{`{"messages":null}`, `messages: required`},
		{`{"messages":"hi"}`, `messages: expected an array, got a string`},
		{`{"messages":[]}`, `messages: must not be empty`},
		{message(`"hi"`), `messages[0]: expected an object, got a string`},
		{message(`{}`), `messages[0].role: required`},
		{message(`{"role":"bot"}`), "messages[0].role: expected one of system, developer, user, assistant, tool, function, got \"bot\"\nmessages[0].content: required"},
		{message(`{"role":"user"}`), `messages[0].content: required`},
		{message(`{"role":"user","content":null}`), `messages[0].content: required`},
		{message(`{"role":"user","content":1}`), `messages[0].content: expected a string or an array of parts, got a number`},
		{message(`{"role":"user","content":[]}`), `messages[0].content: must not be empty`},
		{message(`{"role":"user","content":"x","name":1}`), `messages[0].name: expected a string, got a number`},
		{message(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://e.com"}}]}`), `messages[0].content[0]: only text may be here`},
		{message(`{"role":"assistant","content":[{"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}}]}`), `messages[0].content[0]: only text may be here`},
		{message(`{"role":"assistant"}`), `messages[0].content: required, unless there are tool_calls`},
		{message(`{"role":"assistant","content":"x","refusal":1,"reasoning_content":2,"reasoning_details":[3,{"text":4,"index":-1}]}`), "messages[0].reasoning_content: expected a string, got a number\nmessages[0].reasoning_details[0]: expected an object, got a number\nmessages[0].reasoning_details[1].text: expected a string, got a number\nmessages[0].reasoning_details[1].index: expected a whole number from 0 to 2147483647, got -1\nmessages[0].refusal: expected a string, got a number"},
		{message(`{"role":"assistant","tool_calls":{}}`), "messages[0].tool_calls: expected an array, got an object\nmessages[0].content: required, unless there are tool_calls"},
		{message(`{"role":"assistant","tool_calls":[1]}`), `messages[0].tool_calls[0]: expected an object, got a number`},
		{message(`{"role":"assistant","tool_calls":[{"type":"x"}]}`), "messages[0].tool_calls[0].type: expected one of function, custom, got \"x\"\nmessages[0].tool_calls[0].id: required\nmessages[0].tool_calls[0].function: required"},
		{message(`{"role":"assistant","tool_calls":[{"id":"","type":"function","function":{"name":"a b","arguments":{}}}]}`), "messages[0].tool_calls[0].id: expected 1 to 4096 bytes\nmessages[0].tool_calls[0].function.name: expected 1 to 128 letters, digits, underscores, hyphens, dots or colons\nmessages[0].tool_calls[0].function.arguments: expected a string, got an object"},
		{message(`{"role":"assistant","tool_calls":[{"id":"1","type":"custom","custom":{"input":"x"},"extra_content":{"google":{"thought_signature":1}}}]}`), "messages[0].tool_calls[0].extra_content.google.thought_signature: expected a string, got a number\nmessages[0].tool_calls[0].custom.name: required"},
		{message(`{"role":"tool","content":"x"}`), `messages[0].tool_call_id: required`},
		{message(`{"role":"function","content":"x"}`), "messages[0].name: required\nmessages[0]: the result of a function must follow the assistant's function_call"},
		{part(`"x"`), `messages[0].content[0]: expected an object, got a string`},
		{part(`{}`), `messages[0].content[0].type: required`},
		{part(`{"type":1}`), `messages[0].content[0].type: expected a string, got a number`},
		{part(`{"type":"text"}`), `messages[0].content[0].text: required`},
		{part(`{"type":"refusal","refusal":"x"}`), `messages[0].content[0].type: only goes with the role assistant`},
		{part(`{"type":"image_url"}`), `messages[0].content[0].image_url: required`},
		{part(`{"type":"image_url","image_url":{}}`), `messages[0].content[0].image_url.url: required`},
		{part(`{"type":"image_url","image_url":{"url":"ftp://e.com/a"}}`), `messages[0].content[0].image_url.url: expected an http, https or data URL`},
		{part(`{"type":"image_url","image_url":{"url":"data:image/png,abc","detail":"huge"}}`), "messages[0].content[0].image_url.url: expected a data URL of the form data:<media type>;base64,<data>\nmessages[0].content[0].image_url.detail: expected one of auto, low, high, original, got \"huge\""},
		{part(`{"type":"image_url","image_url":{"url":"data:image/png;base64,a b="}}`), `messages[0].content[0].image_url.url: expected standard base64 with padding`},
		{part(`{"type":"input_audio","input_audio":{"data":"QQ="}}`), "messages[0].content[0].input_audio.data: expected standard base64 with padding\nmessages[0].content[0].input_audio.format: required"},
		{part(`{"type":"file","file":{"filename":"a"}}`), `messages[0].content[0].file: expected either file_data or file_id`},
		{part(`{"type":"text","text":"x","cache_control":{"type":"x","ttl":"2h"}}`), "messages[0].content[0].cache_control.type: expected one of ephemeral, got \"x\"\nmessages[0].content[0].cache_control.ttl: expected one of 5m, 1h, got \"2h\""},
		{field(`"model":5`), `model: expected a string, got a number`},
		{field(`"temperature":2.5`), `temperature: expected a number from 0 to 2, got 2.5`},
		{field(`"temperature":"1"`), `temperature: expected a number, got a string`},
		{field(`"top_p":-1,"top_k":1.5,"seed":1e30,"n":0`), "top_p: expected a number from 0 to 1, got -1\ntop_k: expected a whole number of at most 64 bits, got 1.5\nseed: expected a whole number of at most 64 bits, got 1e30\nn: expected a whole number from 1 to 128, got 0"},
		{field(`"max_tokens":0,"max_completion_tokens":-1`), "max_tokens: expected a whole number of at least 1, got 0\nmax_completion_tokens: expected a whole number of at least 1, got -1"},
		{field(`"frequency_penalty":3,"presence_penalty":-3`), "frequency_penalty: expected a number from -2 to 2, got 3\npresence_penalty: expected a number from -2 to 2, got -3"},
		{field(`"logprobs":"yes","top_logprobs":21`), "logprobs: expected a boolean, got a string\ntop_logprobs: expected a whole number from 0 to 20, got 21"},
		{field(`"logit_bias":{"5":200,"6":"x"}`), "logit_bias[\"5\"]: expected a number from -100 to 100, got 200\nlogit_bias[\"6\"]: expected a number, got a string"},
		{field(`"stop":["",1]`), "stop[0]: must not be empty\nstop[1]: expected a string, got a number"},
		{field(`"stop":{}`), `stop: expected a string or an array, got an object`},
		{field(`"stop":["` + strings.Repeat(`a","`, 16) + `a"]`), `stop: expected at most 16 sequences, got 17`},
		{field(`"stream":"true","stream_options":{"include_usage":1}`), "stream: expected a boolean, got a string\nstream_options.include_usage: expected a boolean, got a number"},
		{field(`"metadata":{"a":1},"user":{},"verbosity":"loud"`), "metadata.a: expected a string, got a number\nuser: expected a string, got an object\nverbosity: expected one of low, medium, high, got \"loud\""},
		{field(`"reasoning_effort":"hihg"`), `reasoning_effort: expected one of none, minimal, low, medium, high, xhigh, max, default, got "hihg"`},
		{field(`"reasoning":{"effort":1,"max_tokens":-1},"thinking":{"type":"on"}`), "reasoning.effort: expected a string, got a number\nreasoning.max_tokens: expected a whole number of at least 0, got -1\nthinking.type: expected one of enabled, disabled, adaptive, got \"on\""},
		{field(`"tools":[1,{"type":"function"},{"function":{"parameters":1}},{"type":"custom","custom":{}},{"type":2}]`), "tools[0]: expected an object, got a number\ntools[1].function: required\ntools[2].function.parameters: expected a JSON schema of type object, got a number\ntools[2].function.name: required\ntools[3].custom.name: required\ntools[4].type: expected a string, got a number"},
		{field(`"tool_choice":"maybe"`), `tool_choice: expected one of none, auto, required, any, got "maybe"`},
		{field(`"tool_choice":"required"`), `tool_choice: a tool must be called, but tools has none`},
		{field(`"tool_choice":{"type":"function","function":{"name":"f"}}`), `tool_choice: tools has no "f"`},
		{field(`"tool_choice":{"type":"function"}`), `tool_choice.function: required`},
		{field(`"tool_choice":{"type":"custom","custom":{}}`), `tool_choice.custom.name: required`},
		{field(`"tool_choice":{"type":"mcp"}`), `tool_choice.type: expected one of function, custom, allowed_tools, got "mcp"`},
		{field(`"tool_choice":{"type":"allowed_tools"}`), `tool_choice.allowed_tools: required`},
		{field(`"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"x","tools":[{"type":"function","function":{"name":"f"}},{}]}}`), "tool_choice.allowed_tools.mode: expected one of auto, required, got \"x\"\ntool_choice.allowed_tools.tools[0]: tools has no \"f\"\ntool_choice.allowed_tools.tools[1]: expected a tool such as {\"type\":\"function\",\"function\":{\"name\":\"..\"}}"},
		{field(`"tool_choice":1`), `tool_choice: expected a string or an object, got a number`},
		{field(`"functions":[{}],"function_call":"required"`), "functions[0].name: required\nfunction_call: expected one of none, auto, got \"required\""},
		{field(`"function_call":{"name":"f"}`), `function_call: tools has no "f"`},
		{field(`"response_format":{}`), `response_format.type: required`},
		{field(`"response_format":{"type":"xml"}`), `response_format.type: expected one of text, json_object, json_schema, got "xml"`},
		{field(`"response_format":{"type":"json_schema"}`), `response_format.json_schema: required`},
		{field(`"response_format":{"type":"json_schema","json_schema":{"name":"a b","schema":true,"strict":1}}`), "response_format.json_schema.name: expected 1 to 64 letters, digits, underscores or hyphens\nresponse_format.json_schema.schema: expected a JSON schema, got a boolean\nresponse_format.json_schema.strict: expected a boolean, got a number"},
	} {
		if got := issuesOf(t, c.body); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.body, got, c.want)
		}
	}
	many := issuesOf(t, `{"messages":[`+strings.Repeat(`1,`, 100)+`1]}`)
	if n := strings.Count(many, "\n") + 1; n != jsonx.MaxIssues {
		t.Errorf("%d issues", n)
	}
}

// A tool choice can remove tools.
func TestDecodeToolChoice(t *testing.T) {
	for in, want := range map[string]string{
		`"auto"`:     "auto  a b c",
		`"none"`:     "none  a b c",
		`"required"`: "required  a b c",
		`"any"`:      "required  a b c",
		`{"type":"function","function":{"name":"a"}}`: "named a a b c",
		`{"function":{"name":"a"}}`:                   "named a a b c",
		`{"type":"custom","custom":{"name":"c"}}`:     "named c a b c",
		`{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"custom","custom":{"name":"c"}},{"type":"function","function":{"name":"a"}}]}}`: "auto  a c",
		`{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}`:                                                                                    "auto ",
	} {
		req, _, err := new(openai.Server).DecodeRequest(fmt.Appendf(nil, `{"tool_choice":%s,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}},{"type":"custom","custom":{"name":"c"}}]}`, in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got := string(req.ToolChoice.Mode) + " " + req.ToolChoice.Name
		for _, tool := range req.Tools {
			got += " " + tool.Name
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

// A body is refused with a reason, or becomes a request. If the client half can write the request,
// it reads the same again.
func FuzzDecodeRequest(f *testing.F) {
	for _, name := range dialecttest.Inputs(f, "request/*.json") {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, _, err := new(openai.Server).DecodeRequest(body)
		if err != nil {
			if f := fault.From(err); f.Code != fault.Validation || f.Message == "" {
				t.Fatal(err)
			}
			return
		}
		enc, err := openai.Client{Rules: everythingKept()}.EncodeRequest(req)
		if err != nil {
			return
		}
		again, _, err := new(openai.Server).DecodeRequest(enc.Body)
		if err != nil {
			t.Fatalf("%v: %s", err, enc.Body)
		}
		if len(again.Tools) != len(req.Tools) || again.Model != req.Model || again.Stream != req.Stream {
			t.Fatalf("%s became %s", body, enc.Body)
		}
		twice, err := openai.Client{Rules: everythingKept()}.EncodeRequest(again)
		if err != nil || string(twice.Body) != string(enc.Body) {
			t.Fatalf("%s, again: %s %v", enc.Body, twice.Body, err)
		}
	})
}
