package gemini_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// snaked changes the names of the dialect's members, which stand before a colon, to snake case. Names that are the
// caller's own stay.
func snaked(body []byte) []byte {
	name := regexp.MustCompile(`"([a-z]+([A-Z][a-z]*)+)":`)
	return name.ReplaceAllFunc(body, func(m []byte) []byte {
		if bytes.Contains(m, []byte("additionalProperties")) {
			return m
		}
		return regexp.MustCompile(`[A-Z]`).ReplaceAllFunc(m, func(c []byte) []byte { return append([]byte("_"), bytes.ToLower(c)...) })
	})
}

func decode(t testing.TB, body string) *chat.Request {
	t.Helper()
	req, _, err := gemini.NewServer("m", gemini.Whole).DecodeRequest([]byte(body))
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return req
}

func TestDecodeFull(t *testing.T) {
	body := dialecttest.Read(t, "testdata/request/full.json")
	s := gemini.NewServer("models/gemini-x", gemini.SSE)
	req, route, err := s.DecodeRequest(body)
	if err != nil {
		t.Fatalf("%v %+v", err, err.(*fault.Error).Details)
	}
	if route.Provider != "" || req.Model != "gemini-x" || !req.Stream {
		t.Errorf("%+v, model %s, stream %v", route, req.Model, req.Stream)
	}
	want := dialecttest.Indented(t, req)
	dialecttest.Golden(t, "testdata/request/full.golden", want)

	snake := snaked(body)
	if !bytes.Contains(snake, []byte("function_calling_config")) {
		t.Fatalf("%s", snake)
	}
	again, _, err := s.DecodeRequest(snake)
	if err != nil {
		t.Fatalf("%v %+v", err, err.(*fault.Error).Details)
	}
	if got := dialecttest.Indented(t, again); !bytes.Equal(bytes.ReplaceAll(got, []byte("executable_code"), []byte("executableCode")), bytes.ReplaceAll(want, []byte("timeRangeFilter"), []byte("time_range_filter"))) {
		t.Errorf("in snake case it is\n%s", got)
	}

	// Nothing of the body is kept.
	for i := range body {
		body[i] = 'x'
	}
	if !bytes.Equal(dialecttest.Indented(t, req), want) {
		t.Error("the request changes with the body")
	}
}

// contents wraps parts of a user and of the model into a request.
func contents(role, parts string) string {
	return `{"contents":[{"role":"` + role + `","parts":[` + parts + `]}]}`
}

func config(members string) string {
	return `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{` + members + `}}`
}

func TestDecodeForms(t *testing.T) {
	if req := decode(t, `{"contents":{"role":"user","parts":{"text":"hi"}},"systemInstruction":"s","tools":null,"cachedContent":null}`); !reflect.DeepEqual(req, &chat.Request{Model: "m", Messages: []chat.Message{
		{Role: chat.System, Parts: []chat.Part{text("s")}}, user(text("hi"))}}) {
		t.Errorf("%s", dialecttest.Indented(t, req))
	}
	for members, want := range map[string]chat.Request{
		`"thinkingConfig":{"thinkingBudget":-1}`:                                     {Reasoning: &chat.Reasoning{Hide: true}},
		`"thinkingConfig":{"thinkingBudget":0,"includeThoughts":false}`:              {Reasoning: &chat.Reasoning{Budget: ptr(int64(0)), Hide: true}},
		`"thinkingConfig":{"thinkingLevel":"HIGH","includeThoughts":true}`:           {Reasoning: &chat.Reasoning{Effort: "high"}},
		`"responseMimeType":"application/json"`:                                      {ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatJSON}},
		`"responseMimeType":"text/plain"`:                                            {},
		`"responseMimeType":"application/json","responseJsonSchema":{"a":1}`:         {ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"a":1}`)}},
		`"responseFormat":{"text":{"mimeType":"APPLICATION_JSON","schema":{"a":1}}}`: {ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"a":1}`)}},
		`"responseMimeType":"application/json","responseSchema":{"type":"STRING"}`:   {ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"type":"string"}`)}},
		`"stopSequences":[],"seed":"5"`:                                              {Seed: ptr(int64(5))},
	} {
		want.Model, want.Messages = "m", []chat.Message{user(text("a"))}
		if req := decode(t, config(members)); !reflect.DeepEqual(req, &want) {
			t.Errorf("%s: %s", members, dialecttest.Indented(t, req))
		}
	}
	for tools, want := range map[string]struct {
		choice *chat.ToolChoice
		names  string
	}{
		`"mode":"AUTO"`: {&chat.ToolChoice{Mode: chat.ToolAuto}, "f g"},
		`"mode":"VALIDATED","allowedFunctionNames":["g"]`: {&chat.ToolChoice{Mode: chat.ToolAuto}, "g"},
		`"mode":"NONE"`: {&chat.ToolChoice{Mode: chat.ToolNone}, "f g"},
		`"mode":"ANY"`:  {&chat.ToolChoice{Mode: chat.ToolRequired}, "f g"},
		`"mode":"any","allowedFunctionNames":["f"]`:     {&chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}, "f g"},
		`"mode":"ANY","allowedFunctionNames":["g","x"]`: {&chat.ToolChoice{Mode: chat.ToolRequired}, "g"},
		`"mode":"MODE_UNSPECIFIED"`:                     {nil, "f g"},
	} {
		req := decode(t, `{"contents":[{"parts":[{"text":"a"}]}],"toolConfig":{"functionCallingConfig":{`+tools+`}},"tools":[{"functionDeclarations":[{"name":"f"}]},{"functionDeclarations":[{"name":"g"}]}]}`)
		var names []string
		for _, f := range req.Tools {
			names = append(names, f.Name)
		}
		if !reflect.DeepEqual(req.ToolChoice, want.choice) || strings.Join(names, " ") != want.names {
			t.Errorf("%s: %+v of %v", tools, req.ToolChoice, names)
		}
	}
}

// The SDKs send a streamed answer back as a content for each chunk; Go's leaves an empty text out.
func TestDecodeChunks(t *testing.T) {
	req := decode(t, `{"contents":[{"parts":[{"text":"a"}]},
		{"role":"model","parts":[{"text":"Let","thought":true}]},{"role":"model","parts":[{"text":" me.","thought":true}]},{"role":"model","parts":[{"text":"He"}]},{"role":"model","parts":[{"text":"llo"}]},
		{"role":"model","parts":[{"thoughtSignature":"c2ln"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"model","parts":[{"text":""}]},
		{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`)
	want := model(chat.Part{Kind: chat.Reason, Text: "Let me.", State: &chat.ReasoningState{Format: gemini.Format, Summary: true}}, text("Hello"),
		chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Format: gemini.Format, Signature: "c2ln"}}, called("call_1", "f", "{}", ""), called("call_2", "f", "{}", ""))
	if len(req.Messages) != 4 || !reflect.DeepEqual(req.Messages[1], want) || req.Messages[3].Parts[0].ToolResult.CallID != "call_2" {
		t.Errorf("%s", dialecttest.Indented(t, req.Messages))
	}
}

// A result without an id belongs to the first call of its name without a result in the last turn.
func TestDecodePairsResults(t *testing.T) {
	call := func(name, id string) string { return `{"functionCall":{"name":"` + name + `"` + id + `}}` }
	result := func(name, id string) string {
		return `{"functionResponse":{"name":"` + name + `"` + id + `,"response":{}}}`
	}
	turn := func(role string, parts ...string) string {
		return `{"role":"` + role + `","parts":[` + strings.Join(parts, ",") + `]}`
	}
	for want, turns := range map[string][]string{
		"call_2 call_1":   {turn("model", call("f", ""), call("g", "")), turn("user", result("g", ""), result("f", ""))},
		"call_1 call_2":   {turn("model", call("f", ""), call("f", "")), turn("user", result("f", ""), result("f", ""))},
		"x call_2":        {turn("model", call("f", `,"id":"x"`), call("f", "")), turn("user", result("f", `,"id":"x"`), result("f", ""))},
		"call_2":          {turn("model", call("f", "")), turn("user", `{"text":"a"}`), turn("model", call("f", "")), turn("user", result("f", ""))},
		"call_2 call_1 x": {turn("model", call("f", "")), turn("user", `{"text":"a"}`), turn("model", call("f", "")), turn("user", result("f", ""), result("f", ""), result("f", `,"id":"x"`))},
		"unknown":         {turn("user", result("f", `,"id":"unknown"`))},
		"call_1 call_21":  {turn("model", call("f", "")), turn("user", result("f", "")), turn("model", call("f", `,"id":"call_21"`)), turn("user", result("f", ""))},
		"call_3":          {turn("model", call("f", `,"id":"call_2"`), call("g", "")), turn("user", result("g", ""))},
	} {
		req := decode(t, `{"contents":[`+strings.Join(turns, ",")+`]}`)
		var got []string
		for _, m := range req.Messages {
			for _, p := range m.Parts {
				if p.Kind == chat.Result {
					got = append(got, p.ToolResult.CallID)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

func issues(t *testing.T, body string) []string {
	t.Helper()
	err := gemini.Issues([]byte(body))
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Validation {
		t.Fatalf("%v from %s", err, body)
	}
	var out []string
	for _, i := range e.Details.(map[string]any)["issues"].([]fault.Issue) {
		out = append(out, i.Path+": "+i.Message)
	}
	return out
}

func TestDecodeIssues(t *testing.T) {
	function := func(f string) string {
		return `{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[` + f + `]}]}`
	}
	for body, want := range map[string]string{
		``:                  "malformed JSON",
		`[]`:                ": expected an object, got an array",
		`{}`:                "contents: required, and must not be empty",
		`{"contents":[]}`:   "contents: required, and must not be empty",
		`{"contents":"hi"}`: "contents: expected an array, got a string",
		`{"contents":[{"role":"system","parts":[{"text":"a"}]}]}`:                       "contents[0].role: instructions belong into systemInstruction",
		`{"contents":[{"role":"assistant","parts":[{"text":"a"}]}]}`:                    "contents[0].role: expected one of user, model",
		`{"contents":[{"role":"user","parts":[]}]}`:                                     "contents[0].parts: required, and must not be empty",
		contents("user", `{}`):                                                          "contents[0].parts[0]: expected one of text, inlineData",
		contents("user", `{"text":7}`):                                                  "contents[0].parts[0].text: expected a string, got a number",
		contents("user", `{"text":"a","inline_data":{"mimeType":"a/b","data":"QQ=="}}`): "contents[0].parts[0].inline_data: a part is one thing: it is text already",
		contents("user", `{"inlineData":{"data":"?"}}`):                                 "contents[0].parts[0].inlineData.data: expected base64",
		contents("user", `{"inlineData":{"data":"QQ=="}}`):                              "contents[0].parts[0].inlineData.mimeType: required",
		contents("user", `{"fileData":{}}`):                                             "contents[0].parts[0].fileData.fileUri: required",
		contents("user", `{"fileData":{"file_url":"x"}}`):                               `contents[0].parts[0].fileData.fileUri: required`,
		contents("user", `{"functionCall":{"name":"f"}}`):                               "contents[0].parts[0].functionCall: only goes with the role model",
		contents("model", `{"functionResponse":{"name":"f"}}`):                          "contents[0].parts[0].functionResponse: only goes with the role user",
		contents("model", `{"functionCall":{"args":[]}}`):                               "contents[0].parts[0].functionCall.args: expected an object, got an array",
		contents("user", `{"functionResponse":{"id":"f","response":7}}`):                "contents[0].parts[0].functionResponse.response: expected an object, got a number",
		`{"contents":[{"parts":[{"text":"a"}]}],"serviceTier":"fast"}`:                  "serviceTier: expected one of standard",
		`{"contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[{"inlineData":{"mimeType":"a/b","data":"QQ=="}}]}}`: "systemInstruction.parts[0]: instructions can only be text",
		config(`"temperature":3`):                                             "generationConfig.temperature: expected a number from 0 to 2, got 3",
		config(`"topK":0.5`):                                                  "generationConfig.topK: expected a whole number",
		config(`"maxOutputTokens":"x"`):                                       "generationConfig.maxOutputTokens: expected a whole number, got a string",
		config(`"seed":4294967296`):                                           "generationConfig.seed: expected a whole number from",
		config(`"responseSchema":{}`):                                         "generationConfig.responseSchema: only goes with the responseMimeType application/json",
		config(`"thinkingConfig":{"thinkingLevel":"VERY"}`):                   "generationConfig.thinkingConfig.thinkingLevel: expected one of MINIMAL, LOW, MEDIUM, HIGH",
		config(`"thinkingConfig":{"thinkingLevel":"LOW","thinkingBudget":5}`): "generationConfig.thinkingConfig: thinkingLevel and thinkingBudget exclude each other",
		function(`{}`):                                                        "tools[0].functionDeclarations[0].name: required",
		function(`{"name":"f"},{"name":"f"}`):                                 "tools[0].functionDeclarations[1]: there is a function of this name already",
		function(`{"name":"f","parameters":{},"parametersJsonSchema":{}}`):    "exclude each other",
		`{"contents":[{"parts":[{"text":"a"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}`:                                                                                "toolConfig: a function must be called",
		`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["g"]}}}`: "toolConfig: tools has no function of the allowed name",
	} {
		if got := issues(t, body); !strings.Contains(got[0], want) {
			t.Errorf("%s:\n got %q\nwant %q", body, got, want)
		}
	}
	if n := len(issues(t, `{"contents":[`+strings.Repeat(`{"x":1},`, 100_000)+`{}]}`)); n != 32 {
		t.Errorf("%d issues", n)
	}
}

func TestCount(t *testing.T) {
	s := gemini.NewServer("m", gemini.Whole)
	want := &chat.Request{Model: "m", Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{text("s")}}, user(text("a"))}}
	for _, body := range []string{
		`{"contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[{"text":"s"}]}}`,
		`{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"a"}]}],"system_instruction":{"parts":[{"text":"s"}]}}}`,
		`{"generate_content_request":{"contents":[{"parts":[{"text":"a"}]}],"systemInstruction":{"parts":[{"text":"s"}]}}}`,
	} {
		req, _, err := s.DecodeCount([]byte(body))
		if err != nil || !reflect.DeepEqual(req, want) {
			t.Errorf("%s: %v %v", body, req, err)
		}
	}
	for _, body := range []string{`{`, `{}`, `[]`, `{"generateContentRequest":{}}`, `{"contents":[{"parts":[{"text":"a"}]}],"generateContentRequest":{"contents":[{"parts":[{"text":"a"}]}]}}`} {
		var e *fault.Error
		if _, _, err := s.DecodeCount([]byte(body)); !errors.As(err, &e) || e.Code != fault.Validation {
			t.Errorf("%s: %v", body, err)
		}
	}
	if got := string(gemini.Server{}.EncodeCount(61)); got != `{"totalTokens":61}` {
		t.Error(got)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	full := dialecttest.Read(f, "testdata/request/full.json")
	f.Add(full)
	f.Add(snaked(full))
	f.Add([]byte(contents("model", `{"text":"a","thought":true,"thoughtSignature":"bGxtZzF7fQ=="},{"functionCall":{"name":"f"}}`)))
	s := gemini.NewServer("m", gemini.Whole)
	f.Fuzz(func(t *testing.T, body []byte) {
		req, _, err := s.DecodeRequest(body)
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) || e.Code != fault.Validation || len(e.Message) > 10_000 {
				t.Fatalf("%v", err)
			}
			if !json.Valid(s.EncodeError(e, "r")) {
				t.Fatal("an error that is no JSON")
			}
			return
		}
		if !json.Valid(body) {
			t.Fatal("accepted what is no JSON")
		}
		for _, m := range req.Messages {
			if len(m.Parts) == 0 {
				t.Fatal("a message without parts")
			}
			for _, p := range m.Parts {
				switch {
				case p.Kind == 0,
					p.Media != nil && (p.Media.URL != "") == (p.Media.Data != "" || p.Media.FileID != ""),
					p.ToolCall != nil && (p.ToolCall.ID == "" || !json.Valid([]byte(p.ToolCall.Arguments))),
					p.ToolResult != nil && (p.ToolResult.CallID == "" || p.ToolResult.Name == "" || len(p.ToolResult.Parts) == 0):
					t.Fatalf("an impossible part %s", dialecttest.Indented(t, p))
				}
			}
		}
		for _, tool := range req.Tools {
			if len(tool.Parameters) > 0 && !json.Valid(tool.Parameters) || len(tool.Raw) > 0 && !json.Valid(tool.Raw) {
				t.Fatalf("a broken schema %s", tool.Parameters)
			}
		}
	})
}
