package responses_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

func text(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s} }

func user(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.User, Parts: parts} }

func assistant(parts ...chat.Part) chat.Message {
	return chat.Message{Role: chat.Assistant, Parts: parts}
}

func reason(s string, state *chat.ReasoningState) chat.Part {
	return chat.Part{Kind: chat.Reason, Text: s, State: state}
}

func call(c chat.ToolCall) chat.Part { return chat.Part{Kind: chat.Call, ToolCall: &c} }

func result(id, name string, parts ...chat.Part) chat.Message {
	return chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: id, Name: name, Parts: parts}}}}
}

// sayable is a request with all fields that the dialect has.
func sayable() *chat.Request {
	return &chat.Request{
		Model: "m-1",
		Messages: []chat.Message{
			{Role: chat.System, Parts: []chat.Part{text("Be brief.")}},
			{Role: chat.Developer, Parts: []chat.Part{text("Be \"kind\"."), text("Be quick.")}},
			user(text("What is this?\n"),
				chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png", Detail: "low"}},
				chat.Part{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/jpeg", Data: "/9j/4A=="}},
				chat.Part{Kind: chat.Image, Media: &chat.Media{FileID: "file-1"}},
				chat.Part{Kind: chat.File, Media: &chat.Media{MIMEType: "application/pdf", Data: "QQ==", Filename: "a.pdf"}},
				chat.Part{Kind: chat.File, Media: &chat.Media{URL: "https://example.com/a.pdf"}},
				chat.Part{Kind: chat.File, Media: &chat.Media{FileID: "file-2"}}),
			assistant(
				reason("First. ", &chat.ReasoningState{ID: "rs_1", Summary: true}),
				reason("Second.", &chat.ReasoningState{ID: "rs_1", Summary: true, Index: 1}),
				reason("In full.", &chat.ReasoningState{ID: "rs_1", Encrypted: "gAAA1"}),
				chat.Part{Kind: chat.Text, Text: "I will ask.", Phase: "commentary"},
				reason("", &chat.ReasoningState{Encrypted: "gAAA2"}),
				call(chat.ToolCall{ID: "call_1", Name: "look", Arguments: `{"at": "<a>"}`}),
				call(chat.ToolCall{ID: "call_2", Name: "sql", Arguments: "SELECT 1", Custom: true}),
				chat.Part{Kind: chat.Unrendered, Dialect: "responses", Raw: json.RawMessage(`{"type":"web_search_call","id":"ws_1","status":"completed"}`)}),
			result("call_1", "look", text("a cat"), chat.Part{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/png", Data: "iVBORw=="}}),
			result("call_2", "sql", text("1")),
			assistant(text("A cat."), chat.Part{Kind: chat.Refusal, Text: "No more."}),
			user(text("And now?")),
		},
		Tools: []chat.Tool{
			{Name: "look", Description: "Looks.", Parameters: json.RawMessage(`{"type":"object","properties":{}}`), Strict: ptr(true)},
			{Name: "sql", Raw: json.RawMessage(`{"type":"custom","name":"sql","format":{"type":"text"}}`), Origin: "responses"},
			{Name: "web_search", Raw: json.RawMessage(`{"type":"web_search"}`), Origin: "responses",
				Hosted: &chat.HostedTool{Kind: chat.WebSearch}},
		},
		ToolChoice:        &chat.ToolChoice{Mode: chat.ToolNamed, Name: "sql"},
		ParallelToolCalls: ptr(false),
		MaxTokens:         ptr(int64(100)),
		Temperature:       ptr(1.9),
		TopP:              ptr(0.9),
		Logprobs:          ptr(true),
		TopLogprobs:       ptr(int64(3)),
		ResponseFormat:    &chat.ResponseFormat{Kind: chat.FormatSchema, Name: "cat", Description: "a cat", Schema: json.RawMessage(`{"type":"object","properties":{}}`), Strict: ptr(false)},
		Reasoning:         &chat.Reasoning{Effort: "medium", Summary: "auto"},
		Verbosity:         "low",
		Stream:            true,
		ServiceTier:       "auto",
		User:              "u-1",
		Metadata:          map[string]string{"b": "2", "a": "1"},
		CacheKey:          "k",
	}
}

// everything is sayable with fields that the dialect lacks.
func everything() *chat.Request {
	req := sayable()
	req.TopK, req.Stop, req.Seed, req.LogitBias = ptr(int64(40)), []string{"END"}, ptr(int64(7)), map[string]float64{"1": 1}
	req.FrequencyPenalty, req.PresencePenalty, req.N = ptr(0.5), ptr(0.5), ptr(int64(1))
	req.MaxTokens = ptr(int64(1))
	req.Messages[2].Name = "ann"
	req.Tools = append(req.Tools, chat.Tool{Name: "clock"})
	long := strings.Repeat("x", 65)
	req.Messages = append(req.Messages,
		assistant(reason("Signed.", &chat.ReasoningState{Signature: "s"}), reason("Open.", nil), reason("", &chat.ReasoningState{Encrypted: "e", Format: "f"}),
			call(chat.ToolCall{ID: long, Name: "clock"}), reason("", &chat.ReasoningState{ID: "rs_9", Encrypted: "gAAA9"})),
		user(text("first"), chat.Part{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: long, Parts: []chat.Part{text("noon")}}}))
	return req
}

func all(string) bool { return true }

var profiles = map[string]*openai.Rules{
	"plain": {CommonRules: dialect.CommonRules{Provider: "openai", Turns: dialect.TurnRules{CallIDs: dialect.CallIDs64}}},
	"reasoner": {
		CommonRules: dialect.CommonRules{Provider: "openai", Turns: dialect.TurnRules{CallIDs: dialect.CallIDs64}, Drop: []string{"top_k"}, Clamp: map[string]dialect.Range{"temperature": {Max: 1}}}, NoDeveloperRole: true,
		Models: []openai.ModelRules{{Match: all, Drop: []string{"stop"}, DropUnlessEffortNone: []string{"temperature", "top_p", "logprobs", "top_logprobs"},
			Efforts: []string{"low", "high"}, Tools: openai.ToolsWithoutReasoning}}},
}

func TestEncodeEverything(t *testing.T) {
	for name, rules := range profiles {
		t.Run(name, func(t *testing.T) {
			enc, err := responses.Client{Rules: rules}.EncodeRequest(everything())
			if err != nil {
				t.Fatal(err)
			}
			if enc.Path != "/responses" || !json.Valid(enc.Body) {
				t.Fatalf("%s %s", enc.Path, enc.Body)
			}
			got := append(enc.Body, '\n')
			dialecttest.Golden(t, "testdata/encode/"+name+".golden", append(got, strings.Join(enc.Warnings, "\n")...))
			for range 5 {
				again, _ := responses.Client{Rules: rules}.EncodeRequest(everything())
				if string(again.Body) != string(enc.Body) {
					t.Fatal("the same request gives other bytes")
				}
			}
		})
	}
}

// TestEncodeForms compares the bodies of other requests byte by byte.
func TestEncodeForms(t *testing.T) {
	reasons := openai.Rules{Models: []openai.ModelRules{{Match: all, Efforts: []string{"none", "low"}}}}
	tools := []chat.Tool{{Name: "f"}, {Name: "web_search", Raw: json.RawMessage(`{ "type": "web_search" }`), Origin: "responses"}}
	const f, web = `{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}`, `{"type":"web_search"}`
	for name, c := range map[string]struct {
		req      chat.Request
		rules    openai.Rules
		want     string // between input and store
		warnings int
	}{
		"nothing":      {chat.Request{Reasoning: &chat.Reasoning{Hide: true}, ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatText}, N: ptr(int64(1)), ToolChoice: &chat.ToolChoice{Mode: chat.ToolNone}}, openai.Rules{}, "", 0},
		"a reasoner":   {chat.Request{}, reasons, `"include":["reasoning.encrypted_content"],`, 0},
		"effort":       {chat.Request{Reasoning: &chat.Reasoning{Effort: "high"}}, openai.Rules{}, `"reasoning":{"effort":"high"},"include":["reasoning.encrypted_content"],`, 0},
		"nearest":      {chat.Request{Reasoning: &chat.Reasoning{Effort: "high"}}, reasons, `"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],`, 1},
		"budget":       {chat.Request{Reasoning: &chat.Reasoning{Budget: ptr(int64(1000))}}, reasons, `"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],`, 1},
		"summary":      {chat.Request{Reasoning: &chat.Reasoning{Summary: "auto"}}, openai.Rules{}, `"reasoning":{"summary":"auto"},"include":["reasoning.encrypted_content"],`, 0},
		"hidden":       {chat.Request{Reasoning: &chat.Reasoning{Effort: "low", Summary: "auto", Hide: true}}, reasons, `"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],`, 0},
		"no steering":  {chat.Request{Reasoning: &chat.Reasoning{Effort: "low"}}, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"reasoning_effort"}}}, "", 1},
		"no reasoning": {chat.Request{Reasoning: &chat.Reasoning{Effort: "low"}}, openai.Rules{Reasoning: openai.ReasoningDropped}, "", 1},
		"json":         {chat.Request{ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatJSON}}, openai.Rules{}, `"text":{"format":{"type":"json_object"}},`, 0},
		"verbosity":    {chat.Request{Verbosity: "low"}, openai.Rules{}, `"text":{"verbosity":"low"},`, 0},
		"no verbosity": {chat.Request{Verbosity: "low"}, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"verbosity"}}}, "", 1},
		"too short":    {chat.Request{MaxTokens: ptr(int64(15))}, openai.Rules{}, `"max_output_tokens":16,`, 1},
		"a function":   {chat.Request{Tools: tools, ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}}, openai.Rules{}, `"tools":[` + f + `,` + web + `],"tool_choice":{"type":"function","name":"f"},`, 0},
		"a hosted one": {chat.Request{Tools: tools, ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: "web_search"}}, openai.Rules{}, `"tools":[` + f + `,` + web + `],"tool_choice":{"type":"web_search"},`, 0},
		"any":          {chat.Request{Tools: tools[:1], ToolChoice: &chat.ToolChoice{Mode: chat.ToolRequired}}, openai.Rules{}, `"tools":[` + f + `],"tool_choice":"required",`, 0},
		"nested custom": {chat.Request{Tools: []chat.Tool{{Name: "g", Raw: json.RawMessage(`{"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}}}`)}}}, openai.Rules{},
			`"tools":[{"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"x"}}],`, 0},
	} {
		c.req.Model, c.req.Messages = "m", []chat.Message{user(text("hi"))}
		enc, err := responses.Client{Rules: &c.rules}.EncodeRequest(&c.req)
		want := `{"model":"m","input":[{"type":"message","role":"user","content":"hi"}],` + c.want + `"store":false}`
		if err != nil || string(enc.Body) != want || len(enc.Warnings) != c.warnings {
			t.Errorf("%s: %v %q\n got %s\nwant %s", name, err, enc.Warnings, enc.Body, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	say := func(parts ...chat.Part) chat.Request { return chat.Request{Messages: []chat.Message{user(parts...)}} }
	schema := chat.Request{ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema}}
	for name, c := range map[string]struct {
		req   chat.Request
		rules openai.Rules
		param string
	}{
		"several answers":  {chat.Request{N: ptr(int64(2))}, openai.Rules{}, "n"},
		"no tools":         {chat.Request{ToolChoice: &chat.ToolChoice{Mode: chat.ToolRequired}}, openai.Rules{}, "tool_choice"},
		"a foreign tool":   {chat.Request{Tools: []chat.Tool{{Raw: json.RawMessage(`{"type":"web_search_20250305"}`)}}}, openai.Rules{}, "tools"},
		"schema dropped":   {schema, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"response_format"}}}, "response_format"},
		"text dropped":     {schema, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"text"}}}, "text"},
		"audio":            {say(chat.Part{Kind: chat.Audio, Media: &chat.Media{Data: "QQ=="}}), openai.Rules{}, "messages"},
		"images refused":   {say(chat.Part{Kind: chat.Image, Media: &chat.Media{Data: "QQ=="}}), openai.Rules{NoImages: true}, "messages"},
		"files refused":    {say(chat.Part{Kind: chat.File, Media: &chat.Media{Data: "QQ=="}}), openai.Rules{Files: openai.FilesRefused}, "messages"},
		"video":            {say(chat.Part{Kind: chat.File, Media: &chat.Media{MIMEType: "video/mp4", URL: "https://e.com/a"}}), openai.Rules{}, "messages"},
		"image of nothing": {say(chat.Part{Kind: chat.Image, Media: &chat.Media{}}), openai.Rules{}, "messages"},
		"file of nothing":  {say(chat.Part{Kind: chat.File, Media: &chat.Media{}}), openai.Rules{}, "messages"},
		"no medium":        {say(chat.Part{Kind: chat.Image}), openai.Rules{}, "messages"},
		"part of another":  {say(chat.Part{Kind: chat.Unrendered, Raw: json.RawMessage(`{"type":"compaction","content":"x"}`)}), openai.Rules{}, "messages"},
		"an unknown role":  {chat.Request{Messages: []chat.Message{{Role: "robot"}}}, openai.Rules{}, "messages"},
	} {
		_, err := responses.Client{Rules: &c.rules}.EncodeRequest(&c.req)
		var e *chat.Error
		if !errors.As(err, &e) || e.Class != chat.BadRequest || e.Param != c.param || e.Message == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzEncode: for all strings in a request, the body is JSON that the server half reads.
func FuzzEncode(f *testing.F) {
	f.Add("hi", "call:1", `{"a":1}`, "rs_1", "gAAA")
	f.Add("\xff\"\\\n", "", "", "", "")
	f.Fuzz(func(t *testing.T, say, id, args, item, sealed string) {
		req := sayable()
		req.Messages[2].Parts[0].Text = say
		req.Messages[3].Parts[0].Text = say
		req.Messages[3].Parts[4].State = &chat.ReasoningState{ID: item, Encrypted: sealed}
		req.Messages[3].Parts[5].ToolCall.ID = id
		req.Messages[3].Parts[5].ToolCall.Arguments = args
		req.Messages[4].Parts[0].ToolResult.CallID = id
		enc, err := responses.Client{}.EncodeRequest(req)
		if err != nil || !json.Valid(enc.Body) {
			t.Fatalf("%v: %s", err, enc.Body)
		}
		got, _, err := new(responses.Server).DecodeRequest(enc.Body)
		if err != nil {
			if id == "" || reasoning.IsEnvelope(sealed) {
				return // an id is required, and such a state is not the provider's
			}
			t.Fatalf("%v: %s", err, enc.Body)
		}
		if want := strings.ToValidUTF8(say, "\uFFFD"); len([]rune(got.Messages[2].Parts[0].Text)) != len([]rune(say)) && got.Messages[2].Parts[0].Text != want {
			t.Fatalf("%q became %q", say, got.Messages[2].Parts[0].Text)
		}
	})
}

func ptr[T any](v T) *T { return &v }
