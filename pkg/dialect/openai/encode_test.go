package openai_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

func ptr[T any](v T) *T { return &v }

func text(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s} }

func user(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.User, Parts: parts} }

// everything returns a request with all members that can be set at once.
func everything() *chat.Request {
	return &chat.Request{
		Model: "m-1",
		Messages: []chat.Message{
			{Role: chat.Developer, Parts: []chat.Part{text("Be brief."), text("Be \"kind\".")}},
			{Role: chat.User, Name: "ann", Parts: []chat.Part{
				text("What is this?\n"),
				{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png", Detail: "low"}},
				{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/jpeg", Data: "/9j/4A=="}},
			}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Reason, Text: "Let me look. ", State: &chat.ReasoningState{Signature: "sig==", Format: "anthropic-claude-v1"}},
				{Kind: chat.Reason, Text: "", State: &chat.ReasoningState{Encrypted: "enc==", ID: "call_1", Format: "google-gemini-v1", Index: 1}},
				text("I will ask."),
				{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_1", Name: "look", Arguments: `{"at": "<a>"}`}},
				{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "g6fVbXS8K", Name: "clock"}},
			}},
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "call_1", Name: "look", Parts: []chat.Part{
				text("a cat"), {Kind: chat.Image, Media: &chat.Media{MIMEType: "image/png", Data: "iVBORw=="}}}}}}},
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "g6fVbXS8K", Parts: []chat.Part{text("noon")}}}}},
			user(text("And now?")),
		},
		Tools: []chat.Tool{
			{Name: "look", Description: "Looks.", Parameters: json.RawMessage("{\n \"type\": \"object\" }"), Strict: ptr(true)},
			{Name: "clock"},
		},
		ToolChoice:        &chat.ToolChoice{Mode: chat.ToolRequired},
		ParallelToolCalls: ptr(false),
		MaxTokens:         ptr(int64(100)),
		Temperature:       ptr(1.9),
		TopP:              ptr(0.9),
		TopK:              ptr(int64(40)),
		Stop:              []string{"END"},
		Seed:              ptr(int64(7228414683750928000)),
		FrequencyPenalty:  ptr(0.5),
		PresencePenalty:   ptr(-0.5),
		LogitBias:         map[string]float64{"50256": -100, "11": 1, "9": 2},
		Logprobs:          ptr(true),
		TopLogprobs:       ptr(int64(3)),
		ResponseFormat:    &chat.ResponseFormat{Kind: chat.FormatSchema, Name: "cat", Description: "a cat", Schema: json.RawMessage(`{"type": "object"}`), Strict: ptr(false)},
		Reasoning:         &chat.Reasoning{Effort: "medium"},
		Verbosity:         "low",
		Stream:            true,
		ServiceTier:       "auto",
		User:              "u-1",
		Metadata:          map[string]string{"b": "2", "a": "1"},
		CacheKey:          "k",
	}
}

// The rules of real providers that this package applies.
var profiles = map[string]*openai.Rules{
	"plain": {},
	"mistral": {
		CommonRules: dialect.CommonRules{
			Provider: "mistral",
			Fields:   []string{"model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "max_tokens", "temperature", "top_p", "stop", "random_seed", "n", "frequency_penalty", "presence_penalty", "reasoning_effort", "metadata", "prompt_cache_key", "stream"},
			Rename:   map[string]string{"seed": "random_seed"},
			Clamp:    map[string]dialect.Range{"temperature": {Min: 0, Max: 1.5}},
			Turns:    dialect.TurnRules{CallIDs: dialect.CallIDsNine},
		},
		MaxTokens: openai.MaxTokens, ToolChoiceAny: true,
		NoDeveloperRole: true, NoNames: true, Reasoning: openai.ReasoningTwoLevel,
		Audio: openai.AudioString, Files: openai.FileDocumentURL,
	},
	"deepseek": {
		CommonRules: dialect.CommonRules{
			Provider: "deepseek",
			Drop:     []string{"seed", "logit_bias", "parallel_tool_calls", "metadata", "service_tier", "verbosity", "prompt_cache_key", "top_k"},
			Rename:   map[string]string{"user": "user_id"}, SingleChoice: true,
		},
		MaxTokens: openai.MaxTokens, AsksStreamUsage: true, NoDeveloperRole: true,
		Reasoning: openai.ReasoningThinking, ReasoningBack: openai.ReasoningBackContent, NoSchema: true,
	},
	"openrouter": {
		CommonRules: dialect.CommonRules{
			Provider: "openrouter",
		}, MaxTokens: openai.MaxTokens, Reasoning: openai.ReasoningObject, ReasoningBack: openai.ReasoningBackDetails,
		Files: openai.FileObjectOrURL, CacheMarks: true,
	},
	"groq": {
		CommonRules: dialect.CommonRules{
			Provider: "groq", Drop: []string{"logprobs", "top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "metadata", "prompt_cache_key", "verbosity", "top_k"},
		},
		AsksStreamUsage: true, NoDeveloperRole: true, NoNames: true, ReasoningBack: openai.ReasoningBackField,
		Models: []openai.ModelRules{{Match: func(m string) bool { return m == "m-1" }, Efforts: []string{"none", "default"}}},
	},
	"reasoner": {
		CommonRules: dialect.CommonRules{
			Provider: "openai", Drop: []string{"top_k"},
		}, AsksStreamUsage: true, MaxTokens: openai.MaxTokens,
		Models: []openai.ModelRules{
			{Match: func(m string) bool { return strings.HasPrefix(m, "m-") }, Drop: []string{"stop", "logit_bias"}, MaxTokens: openai.MaxCompletionTokens,
				DropUnlessEffortNone: []string{"temperature", "top_p", "logprobs", "top_logprobs"}, Efforts: []string{"none", "low", "high"}},
			{Match: func(string) bool { return true }, Drop: []string{"messages"}}, // not the first: must not count
		},
	},
}

func TestEncodeEverything(t *testing.T) {
	for name, rules := range profiles {
		t.Run(name, func(t *testing.T) {
			enc, err := openai.Client{Rules: rules}.EncodeRequest(everything())
			if err != nil {
				t.Fatal(err)
			}
			if enc.Path != "/chat/completions" || !json.Valid(enc.Body) {
				t.Fatalf("%s %s", enc.Path, enc.Body)
			}
			got := append(enc.Body, '\n')
			got = append(got, strings.Join(enc.Warnings, "\n")...)
			dialecttest.Golden(t, "testdata/encode/"+name+".golden", got)
			for range 5 {
				again, _ := openai.Client{Rules: rules}.EncodeRequest(everything())
				if string(again.Body) != string(enc.Body) {
					t.Fatal("the same request gives other bytes")
				}
			}
		})
	}
}

// encode returns the body as a tree, and the warnings.
func encode(t *testing.T, req *chat.Request, rules *openai.Rules) (map[string]any, []string) {
	t.Helper()
	if rules == nil {
		rules = &openai.Rules{}
	}
	enc, err := openai.Client{Rules: rules}.EncodeRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(enc.Body, &body); err != nil {
		t.Fatalf("%v: %s", err, enc.Body)
	}
	return body, enc.Warnings
}

func TestEncodeMinimal(t *testing.T) {
	enc, err := openai.Client{Rules: &openai.Rules{CommonRules: dialect.CommonRules{SingleChoice: true}}}.EncodeRequest(&chat.Request{Model: "m", Messages: []chat.Message{user(text("hi"))}, N: ptr(int64(1)),
		ToolChoice: &chat.ToolChoice{Mode: chat.ToolNone}, ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatText}, Reasoning: &chat.Reasoning{Hide: true}})
	if want := `{"model":"m","messages":[{"role":"user","content":"hi"}]}`; err != nil || string(enc.Body) != want || len(enc.Warnings) > 0 {
		t.Errorf("%s %v %v", enc.Body, enc.Warnings, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	tools := []chat.Tool{{Name: "f"}}
	image := user(chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/a"}})
	file := func(m chat.Media) []chat.Message { return []chat.Message{user(chat.Part{Kind: chat.File, Media: &m})} }
	audio := func(m chat.Media) []chat.Message {
		return []chat.Message{user(chat.Part{Kind: chat.Audio, Media: &m})}
	}
	for name, c := range map[string]struct {
		req   chat.Request
		rules openai.Rules
		param string
	}{
		"several answers":       {chat.Request{N: ptr(int64(2))}, openai.Rules{CommonRules: dialect.CommonRules{SingleChoice: true}}, "n"},
		"n dropped":             {chat.Request{N: ptr(int64(2))}, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"n"}}}, "n"},
		"tool choice dropped":   {chat.Request{Tools: tools, ToolChoice: &chat.ToolChoice{Mode: chat.ToolNone}}, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"tool_choice"}}}, "tool_choice"},
		"named tool, no tools":  {chat.Request{ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}}, openai.Rules{}, "tool_choice"},
		"tools dropped":         {chat.Request{Tools: tools}, openai.Rules{CommonRules: dialect.CommonRules{Fields: []string{"model", "messages"}}}, "tools"},
		"schema dropped":        {chat.Request{ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema}}, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"response_format"}}}, "response_format"},
		"foreign tool":          {chat.Request{Tools: []chat.Tool{{Raw: json.RawMessage(`{"type":"web_search"}`)}}}, openai.Rules{}, "tools"},
		"image":                 {chat.Request{Messages: []chat.Message{image}}, openai.Rules{NoImages: true}, "messages"},
		"image by id":           {chat.Request{Messages: []chat.Message{user(chat.Part{Kind: chat.Image, Media: &chat.Media{FileID: "f"}})}}, openai.Rules{}, "messages"},
		"image of nothing":      {chat.Request{Messages: []chat.Message{user(chat.Part{Kind: chat.Image})}}, openai.Rules{}, "messages"},
		"file":                  {chat.Request{Messages: file(chat.Media{Data: "QQ=="})}, openai.Rules{Files: openai.FilesRefused}, "messages"},
		"file by URL":           {chat.Request{Messages: file(chat.Media{URL: "https://e.com/a.pdf"})}, openai.Rules{}, "messages"},
		"file by id":            {chat.Request{Messages: file(chat.Media{FileID: "f"})}, openai.Rules{Files: openai.FileDocumentURL}, "messages"},
		"video":                 {chat.Request{Messages: file(chat.Media{MIMEType: "video/mp4", Data: "QQ=="})}, openai.Rules{}, "messages"},
		"video as a document":   {chat.Request{Messages: file(chat.Media{MIMEType: "Video/mp4", Data: "QQ=="})}, openai.Rules{Files: openai.FileDocumentURL}, "messages"},
		"video by URL":          {chat.Request{Messages: file(chat.Media{MIMEType: "video/mp4", URL: "https://e.com/a"})}, openai.Rules{Files: openai.FileObjectOrURL}, "messages"},
		"audio":                 {chat.Request{Messages: audio(chat.Media{Data: "QQ=="})}, openai.Rules{Audio: openai.AudioRefused}, "messages"},
		"audio by URL":          {chat.Request{Messages: audio(chat.Media{URL: "https://e.com/a.mp3"})}, openai.Rules{}, "messages"},
		"part of another":       {chat.Request{Messages: []chat.Message{user(chat.Part{Kind: chat.Unrendered, Raw: json.RawMessage(`{}`)})}}, openai.Rules{}, "messages"},
		"an unknown role":       {chat.Request{Messages: []chat.Message{{Role: "robot", Parts: []chat.Part{text("x")}}}}, openai.Rules{}, "messages"},
		"media in instructions": {chat.Request{Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{}}}}}}, openai.Rules{}, "messages"},
	} {
		_, err := openai.Client{Rules: &c.rules}.EncodeRequest(&c.req)
		var e *chat.Error
		if !errors.As(err, &e) || e.Class != chat.BadRequest || e.Param != c.param || e.Message == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncodeMedia(t *testing.T) {
	parts := func(rules *openai.Rules, media chat.Media, kind chat.PartKind) string {
		enc, err := openai.Client{Rules: rules}.EncodeRequest(&chat.Request{Messages: []chat.Message{user(chat.Part{Kind: kind, Media: &media})}})
		if err != nil {
			t.Fatal(err)
		}
		body := strings.TrimSuffix(strings.TrimPrefix(string(enc.Body), `{"model":"","messages":[{"role":"user","content":[`), `]}]}`)
		return body
	}
	plain, mistral, router := profiles["plain"], profiles["mistral"], profiles["openrouter"]
	for _, c := range []struct{ got, want string }{
		{parts(plain, chat.Media{Data: "QQ=="}, chat.Image), `{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}`},
		{parts(plain, chat.Media{Data: "QQ==", MIMEType: "audio/mpeg"}, chat.Audio), `{"type":"input_audio","input_audio":{"data":"QQ==","format":"mp3"}}`},
		{parts(plain, chat.Media{Data: "QQ==", MIMEType: "audio/x-wav"}, chat.Audio), `{"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}}`},
		{parts(plain, chat.Media{Data: "QQ==", Format: "flac"}, chat.Audio), `{"type":"input_audio","input_audio":{"data":"QQ==","format":"flac"}}`},
		{parts(mistral, chat.Media{Data: "QQ==", Format: "mp3"}, chat.Audio), `{"type":"input_audio","input_audio":"QQ=="}`},
		{parts(mistral, chat.Media{URL: "https://e.com/a.mp3"}, chat.Audio), `{"type":"input_audio","input_audio":"https://e.com/a.mp3"}`},
		{parts(plain, chat.Media{Data: "QQ==", MIMEType: "application/pdf", Filename: "a\"b.pdf"}, chat.File), `{"type":"file","file":{"filename":"a\"b.pdf","file_data":"data:application/pdf;base64,QQ=="}}`},
		{parts(plain, chat.Media{Data: "QQ=="}, chat.File), `{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,QQ=="}}`},
		{parts(plain, chat.Media{FileID: "file-1"}, chat.File), `{"type":"file","file":{"file_id":"file-1"}}`},
		{parts(router, chat.Media{URL: "https://e.com/a.pdf", Filename: "a.pdf"}, chat.File), `{"type":"file","file":{"filename":"a.pdf","file_data":"https://e.com/a.pdf"}}`},
		{parts(mistral, chat.Media{URL: "https://e.com/a.pdf", Filename: "a.pdf"}, chat.File), `{"type":"document_url","document_url":"https://e.com/a.pdf","document_name":"a.pdf"}`},
		{parts(mistral, chat.Media{Data: "QQ==", MIMEType: "application/pdf"}, chat.File), `{"type":"document_url","document_url":"data:application/pdf;base64,QQ=="}`},
		{parts(plain, chat.Media{Data: "QQ==", MIMEType: "image/\"x"}, chat.Image), `{"type":"image_url","image_url":{"url":"data:image/\"x;base64,QQ=="}}`},
	} {
		if c.got != c.want {
			t.Errorf("\n got %s\nwant %s", c.got, c.want)
		}
	}
}

func TestEncodeReasoning(t *testing.T) {
	named := &chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}
	tools := []chat.Tool{{Name: "f"}}
	efforts := func(form openai.ReasoningForm, list ...string) openai.Rules {
		return openai.Rules{Reasoning: form, Models: []openai.ModelRules{{Match: func(string) bool { return true }, Efforts: list}}}
	}
	for name, c := range map[string]struct {
		reasoning *chat.Reasoning
		rules     openai.Rules
		choice    *chat.ToolChoice
		want      map[string]any
		warnings  int
	}{
		"effort":                 {&chat.Reasoning{Effort: "high"}, openai.Rules{}, nil, map[string]any{"reasoning_effort": "high"}, 0},
		"budget as effort":       {&chat.Reasoning{Budget: ptr(int64(4096))}, openai.Rules{}, nil, map[string]any{"reasoning_effort": "medium"}, 1},
		"no budget is none":      {&chat.Reasoning{Budget: ptr(int64(0))}, openai.Rules{}, nil, map[string]any{"reasoning_effort": "none"}, 1},
		"minimal to low":         {&chat.Reasoning{Effort: "minimal"}, efforts(0, "none", "low", "high"), nil, map[string]any{"reasoning_effort": "low"}, 1},
		"max to high":            {&chat.Reasoning{Effort: "max"}, efforts(0, "low", "medium", "high"), nil, map[string]any{"reasoning_effort": "high"}, 1},
		"none to the lowest":     {&chat.Reasoning{Effort: "none"}, efforts(0, "minimal", "low"), nil, map[string]any{"reasoning_effort": "minimal"}, 1},
		"between two: the lower": {&chat.Reasoning{Effort: "medium"}, efforts(0, "high", "low"), nil, map[string]any{"reasoning_effort": "high"}, 1},
		"object effort":          {&chat.Reasoning{Effort: "low", Hide: true}, openai.Rules{Reasoning: openai.ReasoningObject}, nil, map[string]any{"reasoning": map[string]any{"effort": "low", "exclude": true}}, 0},
		"object budget":          {&chat.Reasoning{Budget: ptr(int64(2000))}, openai.Rules{Reasoning: openai.ReasoningObject}, nil, map[string]any{"reasoning": map[string]any{"max_tokens": 2000.0}}, 0},
		"object hide":            {&chat.Reasoning{Hide: true}, openai.Rules{Reasoning: openai.ReasoningObject}, nil, map[string]any{"reasoning": map[string]any{"exclude": true}}, 0},
		"two levels":             {&chat.Reasoning{Effort: "low"}, openai.Rules{Reasoning: openai.ReasoningTwoLevel}, nil, map[string]any{"reasoning_effort": "high"}, 1},
		"two levels: none":       {&chat.Reasoning{Effort: "none"}, openai.Rules{Reasoning: openai.ReasoningTwoLevel}, nil, map[string]any{"reasoning_effort": "none"}, 0},
		"thinking":               {&chat.Reasoning{Effort: "xhigh"}, openai.Rules{Reasoning: openai.ReasoningThinking}, nil, map[string]any{"thinking": map[string]any{"type": "enabled"}, "reasoning_effort": "high"}, 1},
		"thinking max":           {&chat.Reasoning{Effort: "max"}, openai.Rules{Reasoning: openai.ReasoningThinking}, nil, map[string]any{"thinking": map[string]any{"type": "enabled"}, "reasoning_effort": "max"}, 0},
		"thinking off":           {&chat.Reasoning{Effort: "none"}, openai.Rules{Reasoning: openai.ReasoningThinking}, nil, map[string]any{"thinking": map[string]any{"type": "disabled"}}, 0},
		"thinking unsaid":        {nil, openai.Rules{Reasoning: openai.ReasoningThinking}, nil, map[string]any{}, 0},
		"no thinking in a call":  {nil, openai.Rules{Reasoning: openai.ReasoningThinking}, named, map[string]any{"thinking": map[string]any{"type": "disabled"}}, 1},
		"dropped":                {&chat.Reasoning{Effort: "low"}, openai.Rules{Reasoning: openai.ReasoningDropped}, nil, map[string]any{}, 1},
		"field dropped":          {&chat.Reasoning{Effort: "low"}, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"reasoning_effort"}}}, nil, map[string]any{}, 1},
	} {
		req := &chat.Request{Model: "m", Reasoning: c.reasoning, ToolChoice: c.choice}
		if c.choice != nil {
			req.Tools = tools
		}
		body, warnings := encode(t, req, &c.rules)
		got := map[string]any{}
		for _, field := range []string{"reasoning", "reasoning_effort", "thinking"} {
			if v, ok := body[field]; ok {
				got[field] = v
			}
		}
		if !reflect.DeepEqual(got, c.want) || len(warnings) != c.warnings {
			t.Errorf("%s: got %v, want %v; warnings %q", name, got, c.want, warnings)
		}
	}
}

func TestEncodeCustomTools(t *testing.T) {
	const nested = `{"type":"custom","custom":{"name":"sql","description":"Asks.","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"SELECT .+"}}}}`
	for _, raw := range []string{nested, `{"type":"custom","name":"sql","description":"Asks.","format":{"type":"grammar","syntax":"regex","definition":"SELECT .+"}}`} {
		enc, err := openai.Client{}.EncodeRequest(&chat.Request{Tools: []chat.Tool{{Name: "sql", Raw: json.RawMessage(raw)}}, ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: "sql"}})
		if want := `{"model":"","messages":[],"tools":[` + nested + `],"tool_choice":{"type":"custom","custom":{"name":"sql"}}}`; err != nil || string(enc.Body) != want {
			t.Errorf("%v\n got %s\nwant %s", err, enc.Body, want)
		}
	}
}

func TestEncodeToolIDs(t *testing.T) {
	rules := &openai.Rules{CommonRules: dialect.CommonRules{Turns: dialect.TurnRules{CallIDs: dialect.CallIDsNine}}}
	ids := func(id string) (call, result string) {
		body, _ := encode(t, &chat.Request{Messages: []chat.Message{
			{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: "f", Arguments: " "}}}},
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: id}}}},
		}}, rules)
		m := body["messages"].([]any)
		made := m[0].(map[string]any)["tool_calls"].([]any)[0].(map[string]any)
		if args := made["function"].(map[string]any)["arguments"]; args != "{}" {
			t.Errorf("blank arguments became %q", args)
		}
		return made["id"].(string), m[1].(map[string]any)["tool_call_id"].(string)
	}
	seen := map[string]string{}
	for _, id := range []string{"g6fVbXS8K", "call_1", "functions.add:0", "functions.add:1", "chatcmpl-tool-0123456789", "", "g6fVbXS8_", "12345678é"} {
		call, result := ids(id)
		if call != result {
			t.Errorf("%q is %q in the call and %q in the result", id, call, result)
		}
		if len(call) != 9 || strings.Trim(call, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q became %q", id, call)
		}
		if other, ok := seen[call]; ok {
			t.Errorf("%q and %q are both %q", id, other, call)
		}
		seen[call] = id
	}
	if call, _ := ids("g6fVbXS8K"); call != "g6fVbXS8K" {
		t.Errorf("an id that fits became %q", call)
	}
}

func TestEncodeSchemaInPrompt(t *testing.T) {
	rules := profiles["deepseek"]
	first := func(f *chat.ResponseFormat, prompt string) string {
		body, _ := encode(t, &chat.Request{ResponseFormat: f, Messages: []chat.Message{user(text(prompt))}}, rules)
		if body["response_format"].(map[string]any)["type"] != "json_object" {
			t.Errorf("response_format %v", body["response_format"])
		}
		m := body["messages"].([]any)[0].(map[string]any)
		if m["role"] != "system" {
			return ""
		}
		return m["content"].(string)
	}
	if got := first(&chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{ "type":"object" }`)}, "json please"); !strings.Contains(got, "JSON") || !strings.HasSuffix(got, `{"type":"object"}`) {
		t.Errorf("schema: %q", got)
	}
	if got := first(&chat.ResponseFormat{Kind: chat.FormatJSON}, "Answer in Json."); got != "" {
		t.Errorf("a prompt with the word JSON got %q", got)
	}
	if got := first(&chat.ResponseFormat{Kind: chat.FormatJSON}, "Answer."); !strings.Contains(got, "JSON") {
		t.Errorf("a prompt without the word JSON got %q", got)
	}
}

func TestEncodeForms(t *testing.T) {
	body, warnings := encode(t, &chat.Request{Logprobs: ptr(true), TopLogprobs: ptr(int64(5)), MaxTokens: ptr(int64(99)), TopK: ptr(int64(1<<62 + 1))},
		&openai.Rules{CommonRules: dialect.CommonRules{Clamp: map[string]dialect.Range{"max_completion_tokens": {Min: 1, Max: 64}}}, LogprobsCount: true})
	if body["logprobs"] != 5.0 || body["top_logprobs"] != nil || body["max_completion_tokens"] != 64.0 || len(warnings) != 1 {
		t.Errorf("%v %q", body, warnings)
	}
	enc, _ := openai.Client{Rules: &openai.Rules{CommonRules: dialect.CommonRules{Clamp: map[string]dialect.Range{"top_k": {Min: 0, Max: 1 << 63}}}}}.EncodeRequest(&chat.Request{TopK: ptr(int64(1<<62 + 1))})
	if !strings.Contains(string(enc.Body), `"top_k":4611686018427387905`) {
		t.Errorf("a large number was rounded: %s", enc.Body)
	}
	body, _ = encode(t, &chat.Request{Logprobs: ptr(false), TopLogprobs: ptr(int64(5))}, &openai.Rules{LogprobsCount: true})
	if body["logprobs"] != nil {
		t.Errorf("%v", body)
	}
	// Where a model does not think while it has functions, the effort is none, said or not.
	rules := &openai.Rules{Models: []openai.ModelRules{{Match: func(string) bool { return true }, Tools: openai.ToolsWithoutReasoning, DropUnlessEffortNone: []string{"temperature"}}}}
	for _, reasoning := range []*chat.Reasoning{nil, {Effort: "high"}, {Effort: "none"}} {
		body, _ = encode(t, &chat.Request{Tools: []chat.Tool{{Name: "f"}}, Reasoning: reasoning, Temperature: ptr(0.5)}, rules)
		if body["reasoning_effort"] != "none" || body["temperature"] != 0.5 {
			t.Errorf("%v", body)
		}
	}
	if body, _ = encode(t, &chat.Request{Temperature: ptr(0.5)}, rules); body["reasoning_effort"] != nil || body["temperature"] != nil {
		t.Errorf("%v", body)
	}
	// A turn with calls needs reasoning_content where a provider thinks, and no other turn does.
	calls := chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "a", Name: "f"}}}}
	plain := chat.Message{Role: chat.Assistant, Parts: []chat.Part{text("hi")}}
	enc, _ = openai.Client{Rules: profiles["deepseek"]}.EncodeRequest(&chat.Request{Messages: []chat.Message{calls, plain}})
	if n := strings.Count(string(enc.Body), `"reasoning_content":""`); n != 1 {
		t.Errorf("%d empty reasoning_content in %s", n, enc.Body)
	}
	// Cache marks survive where they are understood, and make arrays nowhere else.
	marked := &chat.Request{Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{{Kind: chat.Text, Text: "s", Cache: &chat.CacheMark{TTL: "1h"}}}}}}
	enc, _ = openai.Client{Rules: profiles["openrouter"]}.EncodeRequest(marked)
	if !strings.Contains(string(enc.Body), `[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]`) {
		t.Errorf("%s", enc.Body)
	}
	enc, _ = openai.Client{}.EncodeRequest(marked)
	if !strings.Contains(string(enc.Body), `"content":"s"`) {
		t.Errorf("%s", enc.Body)
	}
}

func TestEncodeNamedTool(t *testing.T) {
	tools := []chat.Tool{{Name: "f"}, {Name: "c", Raw: json.RawMessage(`{"type":"custom","custom":{"name":"c"}}`)}}
	for name, want := range map[string]string{"f": `{"type":"function","function":{"name":"f"}}`, "c": `{"type":"custom","custom":{"name":"c"}}`} {
		enc, err := openai.Client{}.EncodeRequest(&chat.Request{Tools: tools, ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: name}})
		if err != nil || !strings.Contains(string(enc.Body), `"tool_choice":`+want) {
			t.Errorf("%s %v", enc.Body, err)
		}
	}
}

// The body is JSON and has the strings of the request, whatever they are.
func FuzzEncode(f *testing.F) {
	f.Add("hi", "call:1", `{"a":1}`, "image/png")
	f.Add("\xff\"\\\n", "", "", "\"}")
	f.Fuzz(func(t *testing.T, say, id, args, mime string) {
		req := everything()
		req.Messages[1].Parts[0].Text = say
		req.Messages[1].Parts[2].Media.MIMEType = mime
		req.Messages[2].Parts[3].ToolCall.ID = id
		req.Messages[2].Parts[3].ToolCall.Arguments = args
		req.Messages[3].Parts[0].ToolResult.CallID = id
		for name, rules := range profiles {
			enc, err := openai.Client{Rules: rules}.EncodeRequest(req)
			if err != nil {
				t.Fatal(err)
			}
			var body struct {
				Messages []struct {
					Role    string
					Content json.RawMessage
				}
			}
			if err := json.Unmarshal(enc.Body, &body); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, m := range body.Messages {
				if m.Role != "user" {
					continue
				}
				var parts []struct{ Text string }
				if err := json.Unmarshal(m.Content, &parts); err != nil || parts[0].Text != strings.ToValidUTF8(parts[0].Text, "") || len([]rune(parts[0].Text)) != len([]rune(say)) {
					t.Fatalf("%s: %q became %s", name, say, m.Content)
				}
				break
			}
		}
	})
}
