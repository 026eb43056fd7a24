package anthropic_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
)

func ptr[T any](v T) *T { return &v }

func text(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s} }

func user(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.User, Parts: parts} }

func said(parts ...chat.Part) chat.Message { return chat.Message{Role: chat.Assistant, Parts: parts} }

func call(id, args string) chat.Part {
	return chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: "look", Arguments: args}}
}

func result(id string, parts ...chat.Part) chat.Message {
	return chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: id, Name: "look", Parts: parts}}}}
}

// everything is a request that says all that can be said at once.
func everything() *chat.Request {
	return &chat.Request{
		Model: "m-1",
		Messages: []chat.Message{
			{Role: chat.Developer, Parts: []chat.Part{text("Be brief."), {Kind: chat.Text, Text: "Be \"kind\".", Cache: &chat.CacheMark{TTL: "1h"}}}},
			{Role: chat.User, Name: "ann", Parts: []chat.Part{
				text("What is this?\n"), text(" "),
				{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png", Detail: "low"}},
				{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/jpg", Data: "/9j/4A=="}, Cache: &chat.CacheMark{}},
				{Kind: chat.File, Media: &chat.Media{Data: "JVBERg==", Filename: "a.pdf"}},
				{Kind: chat.File, Media: &chat.Media{MIMEType: "text/markdown", Data: "IyBow6k="}},
				{Kind: chat.File, Media: &chat.Media{FileID: "file_1"}},
			}},
			said(
				chat.Part{Kind: chat.Reason, Text: "Let me look. ", State: &chat.ReasoningState{Signature: "sig=="}},
				chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: "red"}},
				chat.Part{Kind: chat.Reason, Text: "OpenRouter's", State: &chat.ReasoningState{Signature: "or", Format: "anthropic-claude-v1", Index: 1}},
				chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Encrypted: "enc", ID: "rs_1"}},
				chat.Part{Kind: chat.Reason, Text: "unsigned"},
				chat.Part{Kind: chat.Text, Text: "I will ask.", Citations: []chat.Citation{
					{URL: "https://e.com", Raw: json.RawMessage(`{"type":"url_citation"}`)},
					{Raw: json.RawMessage(`{"type": "char_location", "cited_text": "c", "document_index": 0}`)}}},
				call("toolu_1", `{"at": "<a>"}`), call("functions.look:0", ""), call("broken", `{"at": `),
				chat.Part{Kind: chat.Unrendered, Dialect: "anthropic", Raw: json.RawMessage(`{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}`)},
				chat.Part{Kind: chat.Unrendered, Raw: json.RawMessage(`{"type":"computer_call"}`)},
			),
			user(text("Meanwhile.")),
			result("toolu_1", text("a cat"), chat.Part{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/png", Data: "iVBORw=="}}),
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, Cache: &chat.CacheMark{TTL: "5m"}, ToolResult: &chat.ToolResult{CallID: "functions.look:0", IsError: true, Parts: []chat.Part{text("no")}}}}},
			result("broken"),
			{Role: chat.System, Parts: []chat.Part{text("From now on, shout.")}},
			user(text("And now?")),
			said(text("")), said(text("LIKE THIS"), chat.Part{Kind: chat.Refusal, Text: "OR NOT"}),
		},
		Tools: []chat.Tool{
			{Name: "look", Description: "Looks.", Parameters: json.RawMessage("{\n \"type\": \"object\", \"properties\": {\"at\": {\"type\": \"string\", \"minLength\": 1}} }"), Strict: ptr(true), Cache: &chat.CacheMark{}},
			{Name: "clock"}, {Name: "typeless", Parameters: json.RawMessage(`{"properties":{}}`), Strict: ptr(false)},
			{Name: "web_search", Raw: json.RawMessage(`{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}`), Origin: "anthropic"},
		},
		ToolChoice:        &chat.ToolChoice{Mode: chat.ToolNamed, Name: "look"},
		ParallelToolCalls: ptr(false),
		MaxTokens:         ptr(int64(5000)),
		Temperature:       ptr(1.9),
		TopP:              ptr(0.9),
		TopK:              ptr(int64(40)),
		Stop:              []string{"END", "\n"},
		Seed:              ptr(int64(7)),
		N:                 ptr(int64(1)),
		FrequencyPenalty:  ptr(0.5),
		PresencePenalty:   ptr(0.0),
		LogitBias:         map[string]float64{"1": 1},
		Logprobs:          ptr(true),
		ResponseFormat:    &chat.ResponseFormat{Kind: chat.FormatSchema, Name: "x", Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"How many"}},"required":["n"]}`)},
		Reasoning:         &chat.Reasoning{Effort: "minimal"},
		Verbosity:         "low",
		Stream:            true,
		ServiceTier:       "default",
		User:              "u-1",
		Metadata:          map[string]string{"a": "b"},
		CacheKey:          "k",
	}
}

var always = func(string) bool { return true }

// words are Anthropic's ids of calls.
var words = dialect.TurnRules{CallIDs: dialect.CallIDsWord, DistinctCallIDs: true}

// generations are rules as the provider table has them.
func generations() map[string]*anthropic.Rules {
	clamp := map[string]dialect.Range{"temperature": {Min: 0, Max: 1}}
	limit := func(string) int64 { return 4096 }
	return map[string]*anthropic.Rules{
		"plain": {CommonRules: dialect.CommonRules{Turns: words}},
		"newest": {
			CommonRules: dialect.CommonRules{Provider: "anthropic", Turns: words}, CacheMarks: true, Models: []anthropic.ModelRules{{
				Match: always, Drop: []string{"temperature", "top_p", "top_k"}, Efforts: []string{"low", "medium", "high"}, ThinkingOff: anthropic.OffNever}}},
		"default-on": {
			CommonRules: dialect.CommonRules{Provider: "anthropic", Turns: words}, CacheMarks: true, Models: []anthropic.ModelRules{{
				Match: always, Drop: []string{"temperature", "top_p", "top_k"}, ThinkingOff: anthropic.OffDisabled, ForcedTools: anthropic.ForcedWithoutThinking}}},
		"budget": {
			CommonRules: dialect.CommonRules{Provider: "anthropic", Turns: words, Clamp: clamp, MaxOutput: limit}, CacheMarks: true, Models: []anthropic.ModelRules{{
				Match: always, Thinking: anthropic.ThinkingBudget, FoldsSystemTurns: true}}},
	}
}

func encode(t testing.TB, req *chat.Request, rules *anthropic.Rules) (dialect.Encoded, error) {
	t.Helper()
	enc, err := anthropic.Client{Rules: rules}.EncodeRequest(req)
	if err != nil {
		var failed *chat.Error
		if !errors.As(err, &failed) || failed.Class != chat.BadRequest || failed.Param == "" || failed.Message == "" {
			t.Fatalf("%#v", err)
		}
		return enc, err
	}
	if enc.Path != "/v1/messages" || !json.Valid(enc.Body) {
		t.Fatalf("%s %s", enc.Path, enc.Body)
	}
	return enc, nil
}

func TestEncodeGolden(t *testing.T) {
	for name, rules := range generations() {
		enc, err := encode(t, everything(), rules)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var pretty bytes.Buffer
		json.Indent(&pretty, enc.Body, "", " ")
		pretty.WriteString("\n" + strings.Join(enc.Warnings, "\n") + "\n" + strings.Join(enc.Header["Anthropic-Beta"], ","))
		dialecttest.Golden(t, "testdata/encode/"+name+".golden", pretty.Bytes())
		again, _ := encode(t, everything(), rules)
		if !bytes.Equal(enc.Body, again.Body) {
			t.Errorf("%s: the same request gives other bytes", name)
		}
	}
}

func TestEncodeLeavesTheRequestAlone(t *testing.T) {
	req := everything()
	for _, rules := range generations() {
		encode(t, req, rules)
	}
	if !reflect.DeepEqual(req, everything()) {
		t.Error("the request was changed")
	}
}

// part is the member of a body at the path, as JSON.
func part(t testing.TB, body []byte, path ...string) string {
	t.Helper()
	for _, name := range path {
		var o map[string]json.RawMessage
		if err := json.Unmarshal(body, &o); err != nil {
			return ""
		}
		body = o[name]
	}
	return string(body)
}

func TestMaxTokens(t *testing.T) {
	limit := func(string) int64 { return 64000 }
	small := func(string) int64 { return 4096 }
	adaptive, budget := anthropic.ModelRules{Match: always}, anthropic.ModelRules{Match: always, Thinking: anthropic.ThinkingBudget}
	for name, c := range map[string]struct {
		max    *int64
		stream bool
		limit  func(string) int64
		model  anthropic.ModelRules
		think  *chat.Reasoning
		want   string
		budget string
		warns  int
	}{
		"said":                {ptr(int64(5)), false, limit, adaptive, nil, "5", "", 0},
		"cache only":          {ptr(int64(0)), false, nil, adaptive, nil, "0", "", 0},
		"too many":            {ptr(int64(70000)), true, limit, adaptive, nil, "64000", "", 1},
		"no limit known":      {ptr(int64(70000)), true, nil, adaptive, nil, "70000", "", 0},
		"stream":              {nil, true, limit, adaptive, nil, "64000", "", 0},
		"stream, unknown":     {nil, true, nil, adaptive, nil, "8192", "", 0},
		"whole":               {nil, false, limit, adaptive, nil, "8192", "", 0},
		"whole, small":        {nil, false, small, adaptive, nil, "4096", "", 0},
		"whole, thinking":     {nil, false, limit, adaptive, &chat.Reasoning{Effort: "low"}, "16384", "", 0},
		"budget":              {nil, false, limit, budget, &chat.Reasoning{Effort: "high"}, "24576", "16384", 0},
		"budget said":         {nil, true, limit, budget, &chat.Reasoning{Budget: ptr(int64(5000))}, "64000", "5000", 0},
		"budget tiny":         {nil, true, limit, budget, &chat.Reasoning{Budget: ptr(int64(5))}, "64000", "1024", 0},
		"budget does not fit": {ptr(int64(4000)), true, limit, budget, &chat.Reasoning{Effort: "high"}, "4000", "3000", 1},
		"budget just fits":    {ptr(int64(1100)), true, limit, budget, &chat.Reasoning{Effort: "high"}, "1100", "1024", 1},
		"no room to think":    {ptr(int64(1024)), true, limit, budget, &chat.Reasoning{Effort: "high"}, "1024", "", 1},
		"small model":         {nil, false, small, budget, &chat.Reasoning{Effort: "max"}, "4096", "3072", 1},
	} {
		enc, err := encode(t, &chat.Request{Model: "m", MaxTokens: c.max, Stream: c.stream, Reasoning: c.think, Messages: []chat.Message{user(text("x"))}},
			&anthropic.Rules{CommonRules: dialect.CommonRules{MaxOutput: c.limit}, Models: []anthropic.ModelRules{c.model}})
		if err != nil {
			t.Fatal(err)
		}
		got, budget := part(t, enc.Body, "max_tokens"), part(t, enc.Body, "thinking", "budget_tokens")
		if got != c.want || budget != c.budget || len(enc.Warnings) != c.warns {
			t.Errorf("%s: max_tokens %s, budget %q, %q", name, got, budget, enc.Warnings)
		}
	}
}

func TestEncodeTurns(t *testing.T) {
	system := func(s string) chat.Message { return chat.Message{Role: chat.System, Parts: []chat.Part{text(s)}} }
	kept, folded := &anthropic.Rules{}, &anthropic.Rules{Models: []anthropic.ModelRules{{Match: always, FoldsSystemTurns: true}}}
	for name, c := range map[string]struct {
		messages []chat.Message
		rules    *anthropic.Rules
		system   string
		want     string // "role: text|text; role: ..."
	}{
		"merged":             {[]chat.Message{user(text("a")), user(text("b")), said(text("c")), said(text("d")), user(text("e"))}, kept, "", "user: a|b; assistant: c|d; user: e"},
		"hoisted":            {[]chat.Message{system("s"), {Role: chat.Developer, Parts: []chat.Part{text("d")}}, user(text("a"))}, kept, "s|d", "user: a"},
		"in the middle":      {[]chat.Message{user(text("a")), said(text("b")), user(text("c")), system("s")}, kept, "", "user: a; assistant: b; user: c; system: s"},
		"before the user":    {[]chat.Message{user(text("a")), said(text("b")), system("s"), user(text("c"))}, kept, "", "user: a; assistant: b; user: c; system: s"},
		"between two":        {[]chat.Message{user(text("a")), system("s"), user(text("b")), said(text("c")), user(text("d"))}, kept, "", "user: a|b; system: s; assistant: c; user: d"},
		"behind results":     {[]chat.Message{user(text("a")), said(call("1", "{}")), result("1", text("r")), system("s")}, kept, "", "user: a; assistant: look; user: =r; system: s"},
		"without a user":     {[]chat.Message{user(text("a")), said(text("b")), system("s")}, kept, "", "user: a; assistant: b; user: <system>\ns\n</system>"},
		"folded":             {[]chat.Message{user(text("a")), said(text("b")), system("s"), user(text("c"))}, folded, "", "user: a; assistant: b; user: <system>\ns\n</system>|c"},
		"nothing else":       {[]chat.Message{system("s"), system("t")}, kept, "", "user: s|t"},
		"results first":      {[]chat.Message{user(text("a")), said(call("1", "{}"), call("2", "{}")), user(text("b")), result("1", text("r")), result("2")}, kept, "", "user: a; assistant: look|look; user: =r|=|b"},
		"blank turn":         {[]chat.Message{user(text("a")), said(text(" \n")), user(text("b"))}, kept, "", "user: a|b"},
		"blank instructions": {[]chat.Message{system(" "), user(text("a"))}, kept, "", "user: a"},
		"begins otherwise":   {[]chat.Message{said(text("a")), user(text("b"))}, kept, "", "user: (begin); assistant: a; user: b"},
		"ends with space":    {[]chat.Message{user(text("a")), said(text("b \n"))}, kept, "", "user: a; assistant: b"},
	} {
		enc, err := encode(t, &chat.Request{Model: "m", Messages: c.messages}, c.rules)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		type block struct{ Type, Text, Name, Content string }
		var body struct {
			System   []block
			Messages []struct {
				Role    string
				Content []block
			}
		}
		if err := json.Unmarshal(enc.Body, &body); err != nil {
			t.Fatal(err)
		}
		show := func(bs []block) string {
			var out []string
			for _, b := range bs {
				if b.Type == "tool_result" {
					b.Text = "=" + b.Content
				}
				out = append(out, b.Text+b.Name)
			}
			return strings.Join(out, "|")
		}
		var turns []string
		for _, m := range body.Messages {
			turns = append(turns, m.Role+": "+show(m.Content))
		}
		if got := strings.Join(turns, "; "); got != c.want || show(body.System) != c.system {
			t.Errorf("%s: system %q, %q; want %q, %q", name, show(body.System), got, c.system, c.want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*chat.Request)
		rules  anthropic.ModelRules
		param  string
	}{
		"n": {func(r *chat.Request) { r.N = ptr(int64(2)) }, anthropic.ModelRules{}, "n"},
		"audio": {func(r *chat.Request) {
			r.Messages = []chat.Message{user(chat.Part{Kind: chat.Audio, Media: &chat.Media{Data: "AAAA"}})}
		}, anthropic.ModelRules{}, "messages"},
		"image type": {func(r *chat.Request) {
			r.Messages = []chat.Message{user(chat.Part{Kind: chat.Image, Media: &chat.Media{Data: "AAAA", MIMEType: "image/tiff"}})}
		}, anthropic.ModelRules{}, "messages"},
		"image of nothing": {func(r *chat.Request) {
			r.Messages = []chat.Message{user(chat.Part{Kind: chat.Image, Media: &chat.Media{}})}
		}, anthropic.ModelRules{}, "messages"},
		"file type": {func(r *chat.Request) {
			r.Messages = []chat.Message{user(chat.Part{Kind: chat.File, Media: &chat.Media{Data: "AAAA", MIMEType: "application/zip"}})}
		}, anthropic.ModelRules{}, "messages"},
		"text that is none": {func(r *chat.Request) {
			r.Messages = []chat.Message{user(chat.Part{Kind: chat.File, Media: &chat.Media{Data: "/w==", MIMEType: "text/plain"}})}
		}, anthropic.ModelRules{}, "messages"},
		"foreign part": {func(r *chat.Request) {
			r.Messages = []chat.Message{user(chat.Part{Kind: chat.Unrendered, Raw: json.RawMessage(`{"type":"item_reference"}`)})}
		}, anthropic.ModelRules{}, "messages"},
		"image in system": {func(r *chat.Request) {
			r.Messages = append([]chat.Message{{Role: chat.System, Parts: []chat.Part{{Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/"}}}}}, r.Messages...)
		}, anthropic.ModelRules{}, "messages"},
		"audio in a result": {func(r *chat.Request) {
			r.Messages = append(r.Messages, result("1", chat.Part{Kind: chat.Audio, Media: &chat.Media{Data: "AAAA"}}))
		}, anthropic.ModelRules{}, "messages"},
		"role":         {func(r *chat.Request) { r.Messages[0].Role = "critic" }, anthropic.ModelRules{}, "messages"},
		"nothing said": {func(r *chat.Request) { r.Messages = []chat.Message{user(text(" "))} }, anthropic.ModelRules{}, "messages"},
		"no tool":      {func(r *chat.Request) { r.ToolChoice = &chat.ToolChoice{Mode: chat.ToolRequired} }, anthropic.ModelRules{}, "tool_choice"},
		"forced": {func(r *chat.Request) {
			r.Tools, r.ToolChoice = []chat.Tool{{Name: "f"}}, &chat.ToolChoice{Mode: chat.ToolNamed, Name: "f"}
		}, anthropic.ModelRules{ForcedTools: anthropic.ForcedRefused}, "tool_choice"},
		"tool name": {func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "a.b"}} }, anthropic.ModelRules{}, "tools"},
		"foreign tool": {func(r *chat.Request) {
			r.Tools = []chat.Tool{{Name: "g", Raw: json.RawMessage(`{"type":"custom","custom":{"name":"g"}}`)}}
		}, anthropic.ModelRules{}, "tools"},
		"parameters": {func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "f", Parameters: json.RawMessage(`[]`)}} }, anthropic.ModelRules{}, "tools"},
		"open strict tool": {func(r *chat.Request) {
			r.Tools = []chat.Tool{{Name: "f", Strict: ptr(true), Parameters: json.RawMessage(`{"type":"object","additionalProperties":{"type":"string"}}`)}}
		}, anthropic.ModelRules{}, "tools"},
		"open schema": {func(r *chat.Request) {
			r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"type":["object","null"],"additionalProperties":{"type":"string"}}`)}
		}, anthropic.ModelRules{}, "response_format"},
		"no schema": {func(r *chat.Request) {
			r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`7`)}
		}, anthropic.ModelRules{}, "response_format"},
		"old model": {func(r *chat.Request) {
			r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"type":"string"}`)}
		}, anthropic.ModelRules{Drop: []string{"output_config"}}, "response_format"},
	} {
		req := &chat.Request{Model: "m", Messages: []chat.Message{user(text("x"))}}
		c.change(req)
		c.rules.Match = always
		_, err := encode(t, req, &anthropic.Rules{CommonRules: dialect.CommonRules{Provider: "anthropic"}, Models: []anthropic.ModelRules{c.rules}})
		var failed *chat.Error
		if !errors.As(err, &failed) || failed.Param != c.param {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncodeFields(t *testing.T) {
	tool := []chat.Tool{{Name: "f"}}
	for name, c := range map[string]struct {
		change func(*chat.Request)
		rules  anthropic.ModelRules
		path   string
		want   string
		warns  string // part of a warning; empty: there must be none
	}{
		"choice auto, single": {func(r *chat.Request) { r.Tools, r.ParallelToolCalls = tool, ptr(false) }, anthropic.ModelRules{}, "tool_choice", `{"type":"auto","disable_parallel_tool_use":true}`, ""},
		"choice any":          {func(r *chat.Request) { r.Tools, r.ToolChoice = tool, &chat.ToolChoice{Mode: chat.ToolRequired} }, anthropic.ModelRules{}, "tool_choice", `{"type":"any"}`, ""},
		"choice none": {func(r *chat.Request) {
			r.Tools, r.ToolChoice, r.ParallelToolCalls = tool, &chat.ToolChoice{Mode: chat.ToolNone}, ptr(false)
		}, anthropic.ModelRules{}, "tool_choice", `{"type":"none"}`, ""},
		"no choice":             {func(r *chat.Request) { r.Tools, r.ParallelToolCalls = tool, ptr(true) }, anthropic.ModelRules{}, "tool_choice", "", ""},
		"both samplings":        {func(r *chat.Request) { r.Temperature, r.TopP = ptr(0.5), ptr(0.5) }, anthropic.ModelRules{}, "top_p", "", "top_p beside temperature"},
		"both, one the default": {func(r *chat.Request) { r.Temperature, r.TopP = ptr(0.5), ptr(1.0) }, anthropic.ModelRules{}, "top_p", "", ""},
		"top_p alone":           {func(r *chat.Request) { r.TopP = ptr(0.5) }, anthropic.ModelRules{}, "top_p", "0.5", ""},
		"default temperature":   {func(r *chat.Request) { r.Temperature = ptr(1.0) }, anthropic.ModelRules{Drop: []string{"temperature"}}, "temperature", "", ""},
		"temperature dropped":   {func(r *chat.Request) { r.Temperature = ptr(0.2) }, anthropic.ModelRules{Drop: []string{"temperature"}}, "temperature", "", "temperature is not supported"},
		"temperature, thinking": {func(r *chat.Request) { r.Temperature, r.Reasoning = ptr(0.2), &chat.Reasoning{Effort: "low"} }, anthropic.ModelRules{}, "temperature", "", "while the model thinks"},
		"top_k, thinking":       {func(r *chat.Request) { r.TopK, r.Reasoning = ptr(int64(2)), &chat.Reasoning{Effort: "low"} }, anthropic.ModelRules{}, "top_k", "", "while the model thinks"},
		"tier":                  {func(r *chat.Request) { r.ServiceTier = "auto" }, anthropic.ModelRules{}, "service_tier", `"auto"`, ""},
		"foreign tier":          {func(r *chat.Request) { r.ServiceTier = "flex" }, anthropic.ModelRules{}, "service_tier", "", "flex"},
		"long user":             {func(r *chat.Request) { r.User = strings.Repeat("é", 513) }, anthropic.ModelRules{}, "metadata", "", "user id"},
		"JSON":                  {func(r *chat.Request) { r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatJSON} }, anthropic.ModelRules{}, "system", `[{"type":"text","text":"Answer with a single JSON object and nothing else."}]`, "prompt"},
		"schema of nothing":     {func(r *chat.Request) { r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema} }, anthropic.ModelRules{}, "system", `[{"type":"text","text":"Answer with a single JSON object and nothing else."}]`, "prompt"},
		"text":                  {func(r *chat.Request) { r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatText} }, anthropic.ModelRules{}, "output_config", "", ""},
		"adaptive":              {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "high"} }, anthropic.ModelRules{}, "thinking", `{"type":"adaptive","display":"summarized"}`, ""},
		"adaptive, hidden":      {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "high", Hide: true} }, anthropic.ModelRules{}, "thinking", `{"type":"adaptive","display":"omitted"}`, ""},
		"effort":                {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "xhigh"} }, anthropic.ModelRules{Efforts: []string{"low", "medium", "high", "max"}}, "output_config", `{"effort":"high"}`, "changed to high"},
		"effort of a budget":    {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: ptr(int64(9000))} }, anthropic.ModelRules{}, "output_config", `{"effort":"medium"}`, "became the effort"},
		"none":                  {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "none"} }, anthropic.ModelRules{ThinkingOff: anthropic.OffDisabled}, "thinking", `{"type":"disabled"}`, ""},
		"budget 0":              {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: ptr(int64(0))} }, anthropic.ModelRules{ThinkingOff: anthropic.OffBetweenTools}, "thinking", `{"type":"between_tools"}`, ""},
		"none, unsaid":          {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "none"} }, anthropic.ModelRules{}, "thinking", "", ""},
		"none, never":           {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "none"} }, anthropic.ModelRules{ThinkingOff: anthropic.OffNever}, "output_config", `{"effort":"low"}`, "always thinks"},
		"shown by itself":       {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Summary: "auto"} }, anthropic.ModelRules{ThinkingOff: anthropic.OffDisabled}, "thinking", `{"type":"adaptive","display":"summarized"}`, ""},
		"shown if told":         {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Summary: "auto"} }, anthropic.ModelRules{}, "thinking", "", ""},
		"cannot think":          {func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: "low"} }, anthropic.ModelRules{Thinking: anthropic.ThinkingNever}, "thinking", "", "cannot think"},
		"must call": {func(r *chat.Request) {
			r.Reasoning, r.Tools, r.ToolChoice = &chat.Reasoning{Effort: "low"}, tool, &chat.ToolChoice{Mode: chat.ToolRequired}
		}, anthropic.ModelRules{Thinking: anthropic.ThinkingBudget, ForcedTools: anthropic.ForcedWithoutThinking}, "thinking", "", "while a tool must be called"},
		"must call, by itself": {func(r *chat.Request) { r.Tools, r.ToolChoice = tool, &chat.ToolChoice{Mode: chat.ToolRequired} }, anthropic.ModelRules{ThinkingOff: anthropic.OffDisabled, ForcedTools: anthropic.ForcedWithoutThinking}, "thinking", `{"type":"disabled"}`, ""},
		"strict, old model":    {func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "f", Strict: ptr(true)}} }, anthropic.ModelRules{Drop: []string{"output_config"}}, "tools", `[{"name":"f","input_schema":{"type":"object","properties":{}}}]`, "strict tools"},
		"in calls without": {func(r *chat.Request) {
			r.Reasoning = &chat.Reasoning{Effort: "low"}
			r.Messages = append(r.Messages, said(call("1", "{}")), result("1"))
		}, anthropic.ModelRules{Thinking: anthropic.ThinkingBudget}, "thinking", "", "in the middle of calls"},
		"in calls with": {func(r *chat.Request) {
			r.Reasoning = &chat.Reasoning{Effort: "low"}
			r.Messages = append(r.Messages, said(chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Signature: "s"}}, call("toolu_1", "{}")), result("toolu_1"), said(call("toolu_2", "{}")), result("toolu_2"))
		}, anthropic.ModelRules{Thinking: anthropic.ThinkingBudget}, "thinking", `{"type":"enabled","budget_tokens":2048,"display":"summarized"}`, ""},
		"in calls with, then without": {func(r *chat.Request) {
			r.Reasoning = &chat.Reasoning{Effort: "low"}
			r.Messages = append(r.Messages, said(chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Signature: "s"}}, call("toolu_1", "{}")), result("toolu_1"), user(text("y")),
				said(call("call_2", "{}")), result("call_2"))
		}, anthropic.ModelRules{Thinking: anthropic.ThinkingBudget}, "thinking", "", "in the middle of calls"},
		"after calls": {func(r *chat.Request) {
			r.Reasoning = &chat.Reasoning{Effort: "low"}
			r.Messages = append(r.Messages, said(call("1", "{}")), result("1"), said(text("x")), user(text("y")))
		}, anthropic.ModelRules{Thinking: anthropic.ThinkingBudget}, "thinking", `{"type":"enabled","budget_tokens":2048,"display":"summarized"}`, ""},
	} {
		req := &chat.Request{Model: "m", Messages: []chat.Message{user(text("x"))}}
		c.change(req)
		c.rules.Match = always
		enc, err := encode(t, req, &anthropic.Rules{CommonRules: dialect.CommonRules{Provider: "anthropic"}, Models: []anthropic.ModelRules{c.rules}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := part(t, enc.Body, c.path); got != c.want {
			t.Errorf("%s: %s is %s, want %s", name, c.path, got, c.want)
		}
		said := strings.Join(enc.Warnings, "\n")
		if (c.warns == "") != (said == "") || !strings.Contains(said, c.warns) {
			t.Errorf("%s: warnings %q", name, enc.Warnings)
		}
	}
}

func TestNarrow(t *testing.T) {
	for in, want := range map[string]string{
		`{"type":"object","properties":{"a":{"type":"object"}}}`:                                                     `{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}},"additionalProperties":false}`,
		`{"type":"object","additionalProperties":true,"$schema":"x"}`:                                                `{"type":"object","additionalProperties":false}`,
		`{"properties":{"minimum":{"type":"number","minimum":1}}}`:                                                   `{"properties":{"minimum":{"type":"number","description":"(minimum 1)"}},"additionalProperties":false}`,
		`{"type":"array","items":{"type":"string","format":"color"},"minItems":1,"maxItems":3,"description":"Some"}`: `{"type":"array","items":{"type":"string","description":"(format \"color\")"},"minItems":1,"description":"Some (maxItems 3)"}`,
		`{"oneOf":[{"$ref":"#/$defs/a"},true],"$defs":{"a":{"type":"object"}}}`:                                      `{"anyOf":[{"$ref":"#/$defs/a"},true],"$defs":{"a":{"type":"object","additionalProperties":false}}}`,
		`{"anyOf":[{"type":"null"}],"oneOf":[true]}`:                                                                 `{"anyOf":[{"type":"null"}],"description":"(oneOf [true])"}`,
		`{"type":"string","enum":["a"],"format":"date","default":"a"}`:                                               `{"type":"string","enum":["a"],"format":"date","default":"a"}`,
	} {
		enc, err := encode(t, &chat.Request{Model: "m", Messages: []chat.Message{user(text("x"))},
			ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(in)}}, &anthropic.Rules{})
		if err != nil {
			t.Fatal(err)
		}
		if got := part(t, enc.Body, "output_config", "format", "schema"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

// Of more marks than the API takes, the last of the conversation are kept.
func TestCacheMarks(t *testing.T) {
	marked := func(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s, Cache: &chat.CacheMark{}} }
	req := &chat.Request{Model: "m", Messages: []chat.Message{{Role: chat.System, Parts: []chat.Part{marked("s")}},
		user(marked("a"), marked(" ")), said(marked("b")), user(marked("c")), said(marked("d")), user(marked("e"))},
		Tools: []chat.Tool{{Name: "f", Cache: &chat.CacheMark{}}}}
	enc, err := encode(t, req, rules())
	if err != nil || len(enc.Warnings) != 1 {
		t.Fatal(enc.Warnings, err)
	}
	var got []string
	for _, block := range strings.Split(string(enc.Body), `{"type":"text","text":"`)[1:] {
		if strings.Contains(strings.Split(block, "}")[0], "cache_control") {
			got = append(got, block[:1])
		}
	}
	if s := strings.Join(got, ""); s != "sde" || strings.Count(string(enc.Body), "cache_control") != 4 {
		t.Errorf("marks at %s in %s", s, enc.Body)
	}
}

// A foreign id of a call is mapped to the same one in the call, in its result, and in the next request.
func TestToolIDs(t *testing.T) {
	req := &chat.Request{Model: "m", Messages: []chat.Message{user(text("x")), said(call("a:1", "{}"), call("a:2", "{}"), call("toolu_Ab-9", "{}")), result("a:1"), result("a:2"), result("toolu_Ab-9")}}
	enc, err := encode(t, req, &anthropic.Rules{CommonRules: dialect.CommonRules{Turns: words}})
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Messages []struct{ Content []map[string]any }
	}
	json.Unmarshal(enc.Body, &body)
	var calls, results []string
	for _, b := range body.Messages[1].Content {
		calls = append(calls, b["id"].(string))
	}
	for _, b := range body.Messages[2].Content {
		results = append(results, b["tool_use_id"].(string))
	}
	if !slices.Equal(calls, results) || calls[0] == calls[1] || calls[2] != "toolu_Ab-9" || !strings.HasPrefix(calls[0], "toolu_") {
		t.Errorf("%v %v", calls, results)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("text", `{"a":1}`, `{"type":"object"}`, "id:1")
	f.Add("\xff", "{", `{"oneOf":[{"minimum":1}],"anyOf":[]}`, "")
	f.Fuzz(func(t *testing.T, words, args, schema, id string) {
		if !json.Valid([]byte(schema)) {
			schema = "{}"
		}
		req := &chat.Request{Model: words, Messages: []chat.Message{user(text(words)), said(text(words), call(id, args)), result(id, text(words))},
			Tools:          []chat.Tool{{Name: "f", Description: words, Parameters: json.RawMessage(schema), Strict: ptr(len(words)%2 == 0)}},
			ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(schema)}, User: words, Stop: []string{words}}
		encode(t, req, &anthropic.Rules{}) // which fails the test if the body is no JSON
	})
}
