package gemini_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

func ptr[T any](v T) *T { return &v }

func text(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s} }

func user(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.User, Parts: parts} }

func model(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.Assistant, Parts: parts} }

func called(id, name, args, signature string) chat.Part {
	return chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: name, Arguments: args, Signature: signature}}
}

func returned(id, name string, parts ...chat.Part) chat.Message {
	return chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: id, Name: name, Parts: parts}}}}
}

func media(kind chat.PartKind, m chat.Media) chat.Part { return chat.Part{Kind: kind, Media: &m} }

// everything is a request with all fields that go together.
func everything() *chat.Request {
	return &chat.Request{
		Model: "models/gemini x/1",
		Messages: []chat.Message{
			{Role: chat.System, Parts: []chat.Part{text("Be brief."), text("Be \"kind\".")}},
			{Role: chat.Developer, Parts: []chat.Part{text("Be right.")}},
			{Role: chat.User, Name: "ann", Parts: []chat.Part{
				text("What is this?\n"),
				media(chat.Image, chat.Media{MIMEType: "image/jpeg", Data: "/9j/4A==", Detail: "low"}),
				media(chat.Audio, chat.Media{Format: "mp3", Data: "QQ=="}),
				media(chat.File, chat.Media{Data: "QQ==", Filename: "a.pdf"}),
			}},
			user(media(chat.File, chat.Media{MIMEType: "video/mp4", URL: "https://www.youtube.com/watch?v=1"})),
			model(
				chat.Part{Kind: chat.Reason, Text: "Let me look. ", State: &chat.ReasoningState{Format: gemini.Format, Summary: true}},
				chat.Part{Kind: chat.Reason, Text: "Foreign.", State: &chat.ReasoningState{Signature: "sig=="}},
				text("I will ask."), text(""),
				chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Format: gemini.Format, Signature: "c2ln"}},
				called("call_1", "look", `{"at": "<a>"}`, "dHM="),
				called("call_2", "clock", "", ""),
			),
			returned("call_1", "look", text("a cat"), media(chat.Image, chat.Media{MIMEType: "image/png", Data: "iVBORw=="})),
			returned("call_2", "", text(`{"hour": 12}`)),
			{Role: chat.System, Parts: []chat.Part{text("Hurry.")}},
			user(text("And now?")),
			model(called("call_3", "clock", `not json`, "")),
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "call_3", Parts: []chat.Part{text("broken")}, IsError: true}}}},
		},
		Tools: []chat.Tool{
			{Name: "look", Description: "Looks.", Strict: ptr(true), Parameters: json.RawMessage(`{
				"type": "object", "additionalProperties": false, "required": ["at"],
				"properties": {"at": {"$ref": "#/$defs/place", "description": "where"}, "n": {"type": ["integer", "null"], "minimum": 1}},
				"$defs": {"place": {"type": "string", "description": "a place", "enum": ["a", "b"]}}}`)},
			{Name: "clock", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)},
			{Name: "googleSearch", Raw: json.RawMessage(`{"googleSearch": {}}`), Origin: "gemini"},
		},
		ToolChoice:        &chat.ToolChoice{Mode: chat.ToolNamed, Name: "look"},
		ParallelToolCalls: ptr(false),
		MaxTokens:         ptr(int64(100)),
		Temperature:       ptr(2.5),
		TopP:              ptr(0.9),
		TopK:              ptr(int64(40)),
		Stop:              []string{"1", "2", "3", "4", "5", "6"},
		Seed:              ptr(int64(7228414683750928000)),
		N:                 ptr(int64(2)),
		FrequencyPenalty:  ptr(0.5),
		PresencePenalty:   ptr(-0.5),
		LogitBias:         map[string]float64{"50256": -100},
		Logprobs:          ptr(true),
		TopLogprobs:       ptr(int64(3)),
		ResponseFormat:    &chat.ResponseFormat{Kind: chat.FormatSchema, Name: "cat", Schema: json.RawMessage(`{"type": "object", "properties": {"a": {"const": "x"}}}`)},
		Reasoning:         &chat.Reasoning{Effort: "medium"},
		Verbosity:         "low",
		Stream:            true,
		ServiceTier:       "default",
		User:              "u-1",
		Metadata:          map[string]string{"b": "2"},
		CacheKey:          "k",
	}
}

func rules(m gemini.ModelRules) *gemini.Rules {
	m.Match = func(string) bool { return true }
	return &gemini.Rules{CommonRules: dialect.CommonRules{Provider: "gemini", Clamp: map[string]dialect.Range{"temperature": {Min: 0, Max: 2}}}, Models: []gemini.ModelRules{m}}
}

// The rules of the generations of models.
func profiles() map[string]*gemini.Rules {
	return map[string]*gemini.Rules{
		"plain": {},
		"gemini-3": rules(gemini.ModelRules{Thinking: gemini.ThinkingLevel, Efforts: []string{"low", "high"},
			DemandsSignatures: true, ResultMediaInside: true}),
		"gemini-2.5": rules(gemini.ModelRules{Thinking: gemini.ThinkingBudget, Budget: dialect.Range{Min: 512, Max: 4096}}),
		"gemma": rules(gemini.ModelRules{Thinking: gemini.ThinkingDropped, SchemaSubset: true, InstructionsInTurn: true,
			Drop: []string{"topK", "serviceTier", "responseLogprobs", "seed"}}),
	}
}

func TestEncodeEverything(t *testing.T) {
	for name, rules := range profiles() {
		t.Run(name, func(t *testing.T) {
			enc, err := gemini.Client{Rules: rules}.EncodeRequest(everything())
			if err != nil {
				t.Fatal(err)
			}
			if enc.Path != "/v1beta/models/gemini%20x%2F1:streamGenerateContent?alt=sse" || !json.Valid(enc.Body) {
				t.Fatalf("%s %s", enc.Path, enc.Body)
			}
			dialecttest.Golden(t, "testdata/encode/"+name+".golden", append(append(dialecttest.Indented(t, json.RawMessage(enc.Body)), '\n'), strings.Join(enc.Warnings, "\n")...))
			for range 5 {
				again, _ := gemini.Client{Rules: rules}.EncodeRequest(everything())
				if string(again.Body) != string(enc.Body) {
					t.Fatal("the same request gives other bytes")
				}
			}
		})
	}
}

func TestEncodeMinimal(t *testing.T) {
	enc, err := gemini.Client{Rules: &gemini.Rules{CommonRules: dialect.CommonRules{SingleChoice: true}}}.EncodeRequest(&chat.Request{Model: "tunedModels/m", Messages: []chat.Message{user(text("hi"))}, N: ptr(int64(1)), ServiceTier: "auto",
		ToolChoice: &chat.ToolChoice{Mode: chat.ToolNone}, ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatText}, ParallelToolCalls: ptr(true)})
	if want := `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`; err != nil || string(enc.Body) != want || len(enc.Warnings) > 0 || enc.Path != "/v1beta/tunedModels/m:generateContent" {
		t.Errorf("%s %s %v %v", enc.Path, enc.Body, enc.Warnings, err)
	}
}

// member returns the value of a member in the body of a request.
func member(t *testing.T, req *chat.Request, rules *gemini.Rules, path ...string) string {
	t.Helper()
	enc, err := gemini.Client{Rules: rules}.EncodeRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	raw := json.RawMessage(enc.Body)
	for _, name := range path {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatalf("%v: %s", err, enc.Body)
		}
		raw = m[name]
	}
	return string(raw)
}

func TestEncodeContents(t *testing.T) {
	demanded := rules(gemini.ModelRules{DemandsSignatures: true})
	for name, c := range map[string]struct {
		messages []chat.Message
		rules    *gemini.Rules
		want     string
	}{
		"instructions alone": {[]chat.Message{{Role: chat.System, Parts: []chat.Part{text("a")}}}, nil, `[{"role":"user","parts":[{"text":"a"}]}]`},
		"an empty turn":      {[]chat.Message{user(text("")), model(text("b")), model(), user()}, nil, `[{"role":"model","parts":[{"text":"b"}]}]`},
		"neighbours":         {[]chat.Message{user(text("a")), user(text("b")), model(text("c")), model(text("d"))}, nil, `[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"c"},{"text":"d"}]}]`},
		"a name by id": {[]chat.Message{user(text("a")), model(called("1", "f", "{}", "")), returned("1", "", text("x"))}, nil,
			`[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"1","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{"output":"x"}}}]}]`},
		"members that mean something else": {[]chat.Message{model(called("1", "f", "{}", ""), called("2", "f", "{}", ""), called("3", "f", "{}", "")), returned("1", "f", text(`{"output":"x"}`)), returned("2", "f", text(`{"a":[1, 2]}`)), returned("3", "f")}, nil,
			`[{"role":"model","parts":[{"functionCall":{"id":"1","name":"f","args":{}}},{"functionCall":{"id":"2","name":"f","args":{}}},{"functionCall":{"id":"3","name":"f","args":{}}}]},` +
				`{"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{"output":"{\"output\":\"x\"}"}}},{"functionResponse":{"id":"2","name":"f","response":{"a":[1,2]}}},{"functionResponse":{"id":"3","name":"f","response":{"output":""}}}]}]`},
		"free text": {[]chat.Message{model(chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{Name: "sql", Arguments: "select 1", Custom: true}}), returned("", "sql")}, nil,
			`[{"role":"model","parts":[{"functionCall":{"name":"sql","args":{"input":"select 1"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"sql","response":{"output":""}}}]}]`},
		"a result of nothing": {[]chat.Message{returned("1", "", text("x"))}, nil, `[{"role":"user","parts":[{"text":"The result of a tool:"},{"text":"x"}]}]`},
		// Since the last message of the user, the first call of each step needs a signature; parallel calls need none.
		"signatures": {[]chat.Message{user(text("a")), model(called("1", "f", "{}", "")), returned("1", "f", text("x")), user(text("b")),
			model(called("2", "f", "{}", ""), called("3", "f", "{}", "")), returned("2", "f", text("x")), returned("3", "f", text("x")), model(called("4", "f", "{}", "c2ln"), called("5", "f", "{}", "")), returned("4", "f", text("x")), returned("5", "f", text("x"))}, demanded,
			`[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"1","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{"output":"x"}}},{"text":"b"}]},` +
				`{"role":"model","parts":[{"functionCall":{"id":"2","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"3","name":"f","args":{}}}]},` +
				`{"role":"user","parts":[{"functionResponse":{"id":"2","name":"f","response":{"output":"x"}}},{"functionResponse":{"id":"3","name":"f","response":{"output":"x"}}}]},` +
				`{"role":"model","parts":[{"functionCall":{"id":"4","name":"f","args":{}},"thoughtSignature":"c2ln"},{"functionCall":{"id":"5","name":"f","args":{}}}]},` +
				`{"role":"user","parts":[{"functionResponse":{"id":"4","name":"f","response":{"output":"x"}}},{"functionResponse":{"id":"5","name":"f","response":{"output":"x"}}}]}]`},
		"what Google's tools left": {[]chat.Message{model(chat.Part{Kind: chat.Unrendered, Dialect: "gemini", Raw: json.RawMessage(`{"executable_code": {"code":"1"}}`)}, chat.Part{Kind: chat.Unrendered, Raw: json.RawMessage(`{"type":"x"}`)})}, nil,
			`[{"role":"model","parts":[{"executable_code":{"code":"1"}}]}]`},
	} {
		if c.rules == nil {
			c.rules = &gemini.Rules{}
		}
		if got := member(t, &chat.Request{Messages: c.messages}, c.rules, "contents"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tools := []chat.Tool{{Name: "f"}}
	one := func(p chat.Part) []chat.Message { return []chat.Message{user(p)} }
	recursive := json.RawMessage(`{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}}}}}`)
	doubling := `"z":{"type":"string"}`
	for i := range 30 {
		doubling += fmt.Sprintf(`,"a%d":{"properties":{"x":{"$ref":"#/$defs/%[2]s"},"y":{"$ref":"#/$defs/%[2]s"}}}`, i, map[bool]string{true: "z", false: fmt.Sprint("a", i-1)}[i == 0])
	}
	for name, c := range map[string]struct {
		req   chat.Request
		rules gemini.Rules
		param string
		says  string
	}{
		"doubling":             {chat.Request{Tools: []chat.Tool{{Name: "f", Parameters: json.RawMessage(`{"$ref":"#/$defs/a29","$defs":{` + doubling + `}}`)}}, Messages: one(text("a"))}, gemini.Rules{SchemaSubset: true}, "tools", "too large"},
		"nothing":              {chat.Request{}, gemini.Rules{}, "messages", "at least one"},
		"several answers":      {chat.Request{N: ptr(int64(2)), Messages: one(text("a"))}, gemini.Rules{CommonRules: dialect.CommonRules{SingleChoice: true}}, "n", "one answer"},
		"n dropped":            {chat.Request{N: ptr(int64(2)), Messages: one(text("a"))}, gemini.Rules{CommonRules: dialect.CommonRules{Drop: []string{"candidateCount"}}}, "n", "one answer"},
		"named tool, no tools": {chat.Request{ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}, Messages: one(text("a"))}, gemini.Rules{}, "tool_choice", "none"},
		"JSON dropped":         {chat.Request{ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatJSON}, Messages: one(text("a"))}, gemini.Rules{CommonRules: dialect.CommonRules{Drop: []string{"responseMimeType"}}}, "response_format", "JSON"},
		"foreign tool":         {chat.Request{Tools: []chat.Tool{{Raw: json.RawMessage(`{"type":"web_search"}`)}}, Messages: one(text("a"))}, gemini.Rules{}, "tools", "own tools"},
		"broken tool":          {chat.Request{Tools: []chat.Tool{{Raw: json.RawMessage(`{`)}}, Messages: one(text("a"))}, gemini.Rules{}, "tools", "cannot"},
		"recursion":            {chat.Request{Tools: []chat.Tool{{Name: "f", Parameters: recursive}}, Messages: one(text("a"))}, gemini.Rules{SchemaSubset: true}, "tools", "refers to itself"},
		"image by URL":         {chat.Request{Messages: one(media(chat.Image, chat.Media{URL: "https://e.com/a.png"}))}, gemini.Rules{}, "messages", "base64"},
		"http at Google":       {chat.Request{Messages: one(media(chat.File, chat.Media{URL: "http://generativelanguage.googleapis.com/v1beta/files/x"}))}, gemini.Rules{}, "messages", "base64"},
		"another's file id":    {chat.Request{Messages: one(media(chat.File, chat.Media{FileID: "file-1"}))}, gemini.Rules{}, "messages", "Files API"},
		"media of nothing":     {chat.Request{Messages: one(media(chat.Image, chat.Media{}))}, gemini.Rules{}, "messages", "no content"},
		"part of another":      {chat.Request{Messages: one(chat.Part{Kind: chat.Unrendered, Raw: json.RawMessage(`{}`)})}, gemini.Rules{}, "messages", "cannot"},
		"an unknown role":      {chat.Request{Messages: []chat.Message{{Role: "robot", Parts: []chat.Part{text("x")}}}}, gemini.Rules{}, "messages", "robot"},
		"image as instruction": {chat.Request{Tools: tools, Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{media(chat.Image, chat.Media{Data: "QQ=="})}}, user(text("a"))}}, gemini.Rules{}, "messages", "only be text"},
	} {
		_, err := gemini.Client{Rules: &c.rules}.EncodeRequest(&c.req)
		var e *chat.Error
		if !errors.As(err, &e) || e.Class != chat.BadRequest || e.Param != c.param || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncodeMedia(t *testing.T) {
	for _, c := range []struct {
		kind chat.PartKind
		in   chat.Media
		want string
	}{
		{chat.Image, chat.Media{Data: "QQ=="}, `{"inlineData":{"mimeType":"image/png","data":"QQ=="}}`},
		{chat.Audio, chat.Media{Data: "QQ==", MIMEType: "audio/mpeg", Format: "mp3"}, `{"inlineData":{"mimeType":"audio/mpeg","data":"QQ=="}}`},
		{chat.Audio, chat.Media{Data: "QQ=="}, `{"inlineData":{"mimeType":"audio/wav","data":"QQ=="}}`},
		{chat.Audio, chat.Media{Data: "QQ==", Format: "flac"}, `{"inlineData":{"mimeType":"audio/flac","data":"QQ=="}}`},
		{chat.File, chat.Media{Data: "QQ==", Filename: "x"}, `{"inlineData":{"mimeType":"application/pdf","data":"QQ=="}}`},
		{chat.File, chat.Media{FileID: "files/abc-123"}, `{"fileData":{"fileUri":"files/abc-123"}}`},
		{chat.File, chat.Media{FileID: "https://generativelanguage.googleapis.com/v1beta/files/x", MIMEType: "text/plain"}, `{"fileData":{"mimeType":"text/plain","fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}`},
		{chat.File, chat.Media{URL: "https://youtu.be/x"}, `{"fileData":{"fileUri":"https://youtu.be/x"}}`},
	} {
		got := member(t, &chat.Request{Messages: []chat.Message{user(media(c.kind, c.in))}}, &gemini.Rules{}, "contents")
		if want := `[{"role":"user","parts":[` + c.want + `]}]`; got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

func TestEncodeThinking(t *testing.T) {
	form := func(f gemini.ThinkingForm, low, high float64, efforts ...string) *gemini.Rules {
		return rules(gemini.ModelRules{Thinking: f, Budget: dialect.Range{Min: low, Max: high}, Efforts: efforts})
	}
	plain, level := &gemini.Rules{}, form(gemini.ThinkingLevel, 0, 0, "minimal", "low", "high")
	flash, pro := form(gemini.ThinkingBudget, 512, 20000), form(gemini.ThinkingBudgetAlways, 128, 32768)
	for name, c := range map[string]struct {
		reasoning chat.Reasoning
		rules     *gemini.Rules
		want      string
		warnings  int
	}{
		"effort":                {chat.Reasoning{Effort: "low"}, plain, `{"includeThoughts":true,"thinkingLevel":"LOW"}`, 0},
		"effort none":           {chat.Reasoning{Effort: "none"}, plain, `{"thinkingBudget":0}`, 0},
		"budget":                {chat.Reasoning{Budget: ptr(int64(7))}, plain, `{"includeThoughts":true,"thinkingBudget":7}`, 0},
		"shown":                 {chat.Reasoning{}, plain, `{"includeThoughts":true}`, 0},
		"hidden":                {chat.Reasoning{Hide: true}, plain, `{}`, 0},
		"level: none":           {chat.Reasoning{Effort: "none"}, level, `{"thinkingLevel":"MINIMAL"}`, 1},
		"level: between":        {chat.Reasoning{Effort: "medium", Hide: true}, level, `{"thinkingLevel":"LOW"}`, 1},
		"level: max":            {chat.Reasoning{Effort: "max"}, level, `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, 1},
		"level: budget":         {chat.Reasoning{Budget: ptr(int64(20000))}, level, `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, 1},
		"budget: off":           {chat.Reasoning{Effort: "none"}, flash, `{"thinkingBudget":0}`, 0},
		"budget: too little":    {chat.Reasoning{Budget: ptr(int64(7))}, flash, `{"includeThoughts":true,"thinkingBudget":512}`, 1},
		"budget: high":          {chat.Reasoning{Effort: "high"}, flash, `{"includeThoughts":true,"thinkingBudget":20000}`, 0},
		"budget: cannot be off": {chat.Reasoning{Budget: ptr(int64(0))}, pro, `{"thinkingBudget":128}`, 1},
		"budget: max":           {chat.Reasoning{Effort: "xhigh"}, pro, `{"includeThoughts":true,"thinkingBudget":32768}`, 0},
		"does not think":        {chat.Reasoning{Effort: "low"}, form(gemini.ThinkingDropped, 0, 0), ``, 1},
		"does not think anyway": {chat.Reasoning{Effort: "none"}, form(gemini.ThinkingDropped, 0, 0), ``, 0},
		"dropped":               {chat.Reasoning{Effort: "low"}, &gemini.Rules{CommonRules: dialect.CommonRules{Drop: []string{"thinkingConfig"}}}, ``, 1},
	} {
		req := &chat.Request{Messages: []chat.Message{user(text("a"))}, Reasoning: &c.reasoning}
		enc, err := gemini.Client{Rules: c.rules}.EncodeRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := ""; strings.Contains(string(enc.Body), "generationConfig") {
			got = member(t, req, c.rules, "generationConfig", "thinkingConfig")
			if got != c.want || len(enc.Warnings) != c.warnings {
				t.Errorf("%s: got %s %q, want %s", name, got, enc.Warnings, c.want)
			}
		} else if c.want != "" || len(enc.Warnings) != c.warnings {
			t.Errorf("%s: nothing, %q, want %s", name, enc.Warnings, c.want)
		}
	}
}

func TestSubset(t *testing.T) {
	for in, want := range map[string]string{
		`{"type":"object"}`: `{"type":"OBJECT"}`,
		`{"properties":{"a":{"enum":["x","y",null]},"b":{"const":"z"},"c":{"enum":[1,2],"type":"integer"}}}`:      `{"type":"OBJECT","properties":{"a":{"nullable":true,"type":"STRING","enum":["x","y"]},"b":{"type":"STRING","enum":["z"]},"c":{"type":"INTEGER"}}}`,
		`{"type":["string","null"],"format":"date-time","minLength":1}`:                                           `{"minLength":1,"nullable":true,"type":"STRING","format":"date-time"}`,
		`{"type":["string","integer"],"format":"uri"}`:                                                            `{"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]}`,
		`{"anyOf":[{"type":"integer","format":"int64"},{"type":"null"}],"default":null,"title":"T"}`:              `{"default":null,"title":"T","nullable":true,"type":"INTEGER","format":"int64"}`,
		`{"oneOf":[{"type":"string"},{"type":"array"}]}`:                                                          `{"anyOf":[{"type":"STRING"},{"type":"ARRAY","items":{"type":"STRING"}}]}`,
		`{"allOf":[{"$ref":"#/definitions/a"}],"title":"mine","definitions":{"a":{"title":"its","type":"null"}}}`: `{"title":"mine","nullable":true}`,
		`{"type":"array","items":{"type":"array","items":{"type":"boolean"}},"uniqueItems":true}`:                 `{"type":"ARRAY","items":{"type":"ARRAY","items":{"type":"BOOLEAN"}}}`,
		`{"$ref":"#/x~1y","x/y":{"type":"number","exclusiveMinimum":1,"maximum":2}}`:                              `{"maximum":2,"type":"NUMBER"}`,
		`{"$ref":"http://e.com/a"}`: `{}`, `true`: `{}`,
	} {
		req := &chat.Request{Messages: []chat.Message{user(text("a"))}, ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(in)}}
		if got := member(t, req, &gemini.Rules{SchemaSubset: true}, "generationConfig", "responseSchema"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

// A function without arguments has no schema; a function with any arguments has one.
func TestEmptySchema(t *testing.T) {
	for in, empty := range map[string]bool{
		``: true, `{}`: true, `{"type":"object"}`: true, `{"type":"object","properties":{},"required":[],"additionalProperties":false,"$schema":"x"}`: true,
		`{"type":"object","additionalProperties":{"type":"string"}}`: false, `{"$ref":"#/a"}`: false, `{"type":"object","properties":{"a":{}}}`: false,
	} {
		req := &chat.Request{Messages: []chat.Message{user(text("a"))}, Tools: []chat.Tool{{Name: "f", Parameters: json.RawMessage(in)}}}
		if got := member(t, req, &gemini.Rules{}, "tools"); strings.Contains(got, "parametersJsonSchema") == empty {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// FuzzEncode: for all strings in a request, the body is JSON that holds them.
func FuzzEncode(f *testing.F) {
	f.Add("hi", "call:1", `{"a":1}`, "image/png", `{"type":"object"}`)
	f.Add("\xff\"\\\n", "", "", "\"}", `[`)
	f.Fuzz(func(t *testing.T, say, id, args, mime, schema string) {
		for name, rules := range profiles() {
			req := everything()
			req.Messages[2].Parts[0].Text = say
			req.Messages[2].Parts[1].Media.MIMEType = mime
			req.Messages[4].Parts[5].ToolCall.ID = id
			req.Messages[4].Parts[5].ToolCall.Arguments = args
			req.Messages[5].Parts[0].ToolResult.Parts[0].Text = args
			if json.Valid([]byte(schema)) {
				req.Tools[0].Parameters = json.RawMessage(schema)
			}
			enc, err := gemini.Client{Rules: rules}.EncodeRequest(req)
			if err != nil {
				continue // a schema that refers to itself
			}
			var body struct {
				Contents []struct {
					Role  string
					Parts []struct{ Text string }
				}
			}
			if err := json.Unmarshal(enc.Body, &body); err != nil {
				t.Fatalf("%s: %v in %s", name, err, enc.Body)
			}
			for i := 1; i < len(body.Contents); i++ {
				if body.Contents[i].Role == body.Contents[i-1].Role {
					t.Fatalf("%s: two turns of one role in %s", name, enc.Body)
				}
			}
			said := false
			for _, p := range body.Contents[0].Parts {
				said = said || reflect.DeepEqual([]rune(p.Text), []rune(say))
			}
			if say != "" && !said {
				t.Fatalf("%s: %q is not in %s", name, say, enc.Body)
			}
		}
	})
}
