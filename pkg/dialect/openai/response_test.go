package openai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// rich returns an answer with all kinds of parts and members.
func rich() *chat.Response {
	return &chat.Response{ID: "msg_1", Model: "claude-5", ServiceTier: "flex", SystemFingerprint: "fp", Choices: []chat.Choice{
		{Index: 0, Finish: chat.FinishToolCalls, Logprobs: json.RawMessage("{\n \"content\": [{\"token\":\"H\"}], \"refusal\": null}"), Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Reason, Text: "Let me\nthink.", State: &chat.ReasoningState{Signature: "sig=="}},
			{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: "red"}},
			{Kind: chat.Reason, Text: "Sum.", State: &chat.ReasoningState{ID: "rs_1", Encrypted: "enc", Summary: true, Index: 5}},
			{Kind: chat.Reason, Text: "Bare."},
			{Kind: chat.Text, Text: "Hé 漢 🙂 \"q\"\n", Citations: []chat.Citation{{URL: "https://e.com", Title: "E", Text: "c", Start: 0, End: 4}, {URL: "https://f.com", Raw: json.RawMessage(`{"type":"web_search_result_location"}`)},
				{Raw: json.RawMessage(`{"type": "url_citation", "url_citation": {"url": "as it came"}}`)}}},
			{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/webp", Data: "+/8="}}, {Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/x.png"}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_1", Name: "look", Arguments: `{"at": 1}`, Signature: "ts"}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_2", Name: "sql", Arguments: "select 1", Custom: true}},
		}}},
		{Index: 1, Finish: chat.FinishContentFilter, Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Refusal, Text: "No."}}}},
		{Index: 2, Finish: chat.FinishLength},
	}, Usage: &chat.Usage{Input: 20, Cached: 8, CacheWrite: 4, CacheWrite1h: 1, InputAudio: 2, Output: 9, Reasoning: 5, OutputAudio: 1, CostNanos: 12_000_000_050, HasCost: true, Estimated: true}}
}

func TestEncodeResponse(t *testing.T) {
	got := new(openai.Server).EncodeResponse(rich(), served)
	if !json.Valid(got) {
		t.Fatalf("%s", got)
	}
	dialecttest.Golden(t, "testdata/response/rich.golden", got)
	dialecttest.Golden(t, "testdata/response/rich-stream.golden", written(chat.Events(rich())))
}

// SDKs rely on these bytes.
func TestEncodeContract(t *testing.T) {
	server := new(openai.Server)
	plain := &chat.Response{Choices: []chat.Choice{{Finish: chat.FinishStop, Message: chat.Message{Parts: []chat.Part{text("Hello")}}}}, Usage: &chat.Usage{Input: 3, Output: 4}}
	quiet := dialect.Served{RequestID: "r-1", Model: "m", Created: 7, Request: &chat.Request{}}
	want := `{"id":"chatcmpl-r-1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"system_fingerprint":null}`
	if got := string(server.EncodeResponse(plain, quiet)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	calls := &chat.Response{ID: "x", Choices: []chat.Choice{{Finish: chat.FinishToolCalls, Message: chat.Message{Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "c", Name: "f", Arguments: "{}"}}}}}}}
	want = `{"id":"x","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"system_fingerprint":null}`
	if got := string(server.EncodeResponse(calls, quiet)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}

	stream := func(served dialect.Served) string {
		e := server.NewStreamEncoder(served)
		var out []byte
		for _, ev := range []chat.Event{
			{Kind: chat.EventStart, ID: "i", Model: "n", Created: 8, ServiceTier: "default"},
			{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: "c", Name: "f"}}, {Kind: chat.EventCallArgs, Text: `{"a"`}, {Kind: chat.EventCallArgs, Text: ":1}\n"},
			{Kind: chat.EventText, Text: "done"},
			{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 1}}, {Kind: chat.EventFinish, Finish: chat.FinishToolCalls},
			{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 3, Output: 4}}, {Kind: chat.EventEnd},
		} {
			out = e.Encode(out, &ev)
		}
		return string(out)
	}
	lines := []string{
		`{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]},"logprobs":null,"finish_reason":null}`,
		`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]},"logprobs":null,"finish_reason":null}`,
		`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}\n"}}]},"logprobs":null,"finish_reason":null}`,
		`{"index":0,"delta":{"content":"done"},"logprobs":null,"finish_reason":null}`,
		`{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}`,
	}
	asked, unasked := "", ""
	for _, line := range lines {
		chunk := `data: {"id":"i","object":"chat.completion.chunk","created":8,"model":"n","service_tier":"default","choices":[` + line + `]`
		unasked += chunk + "}\n\n"
		asked += chunk + `,"usage":null}` + "\n\n"
	}
	asked += `data: {"id":"i","object":"chat.completion.chunk","created":8,"model":"n","service_tier":"default","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}` + "\n\n"
	if got, want := stream(quiet), unasked+"data: [DONE]\n\n"; got != want {
		t.Errorf("without usage:\n got %s\nwant %s", got, want)
	}
	if got, want := stream(served), asked+"data: [DONE]\n\n"; got != want {
		t.Errorf("with usage:\n got %s\nwant %s", got, want)
	}
	if got, want := stream(dialect.Served{}), unasked+"data: [DONE]\n\n"; got != want {
		t.Errorf("of an unknown request:\n got %s", got)
	}
}

// An answer of reasoning alone has an empty text, whole and streamed: SDKs make null of a missing text.
func TestEncodeReasoningAlone(t *testing.T) {
	served := dialect.Served{RequestID: "r", Model: "m", Created: 7}
	resp := &chat.Response{ID: "i", Choices: []chat.Choice{{Finish: chat.FinishLength, Message: chat.Message{Parts: []chat.Part{{Kind: chat.Reason, Text: "hm"}}}}}}
	if whole := string(new(openai.Server).EncodeResponse(resp, served)); !strings.Contains(whole, `"content":""`) {
		t.Error(whole)
	}
	e := new(openai.Server).NewStreamEncoder(served)
	var out []byte
	for _, ev := range chat.Events(resp) {
		out = e.Encode(out, &ev)
	}
	if !strings.Contains(string(out), `"delta":{"content":""},"logprobs":null,"finish_reason":"length"`) {
		t.Errorf("%s", out)
	}
}

// A client that uses functions instead of tools gets function_call.
func TestEncodeFunctionCall(t *testing.T) {
	old := dialect.Served{RequestID: "r", Model: "m", Created: 7, Request: &chat.Request{FunctionCalls: true}}
	call := func(name string) chat.Part {
		return chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "c", Name: name, Arguments: `{}`}}
	}
	resp := &chat.Response{ID: "i", Choices: []chat.Choice{{Finish: chat.FinishToolCalls, Message: chat.Message{Parts: []chat.Part{call("f"), call("g")}}}}}
	whole := string(new(openai.Server).EncodeResponse(resp, old))
	if !strings.Contains(whole, `"content":null,"refusal":null,"function_call":{"name":"f","arguments":"{}"}},"logprobs":null,"finish_reason":"function_call"`) {
		t.Error(whole)
	}
	e := new(openai.Server).NewStreamEncoder(old)
	var out []byte
	for _, ev := range chat.Events(resp) {
		out = e.Encode(out, &ev)
	}
	out = e.Encode(out, &chat.Event{Kind: chat.EventCallArgs, Text: " "})
	got, _ := io.ReadAll(bytes.NewReader(out))
	for _, want := range []string{`"delta":{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}`, `"finish_reason":"function_call"`, `"delta":{"function_call":{"arguments":" "}}`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(string(got), `"g"`) {
		t.Errorf("a second call in %s", got)
	}
}

// A client may send the images of an answer back, and Gemini's models see them again.
func TestImagesGoBack(t *testing.T) {
	parts := []chat.Part{text("Here:"), {Kind: chat.Image, Media: &chat.Media{MIMEType: "image/png", Data: "+/8="}}, {Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/x.png"}}}
	answer := new(openai.Server).EncodeResponse(&chat.Response{Choices: []chat.Choice{{Message: chat.Message{Role: chat.Assistant, Parts: parts}}}}, served)
	var whole struct {
		Choices []struct{ Message json.RawMessage }
	}
	if err := json.Unmarshal(answer, &whole); err != nil {
		t.Fatal(err)
	}
	req, _, err := new(openai.Server).DecodeRequest([]byte(`{"messages":[` + string(whole.Choices[0].Message) + `,{"role":"assistant","content":"x","images":["not of this form",{"image_url":{"url":"file:///x"}},7]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, string(answer), req.Messages[0].Parts, parts)
	same(t, "others", req.Messages[1].Parts, []chat.Part{text("x")})
}

// Reasoning whose signature comes last can be assembled by index, and is sent back complete.
func TestReasoningGoesBack(t *testing.T) {
	stream := written([]chat.Event{
		{Kind: chat.EventStart}, {Kind: chat.EventReason, Text: "one "}, {Kind: chat.EventReason, Text: "two"}, {Kind: chat.EventReason, State: &chat.ReasoningState{Signature: "s1"}},
		{Kind: chat.EventReason, Text: "three", State: &chat.ReasoningState{ID: "r"}}, {Kind: chat.EventReason, State: &chat.ReasoningState{ID: "r", Format: "f"}}, {Kind: chat.EventReason, State: &chat.ReasoningState{Signature: "s2"}},
		{Kind: chat.EventText, Text: "so"}, {Kind: chat.EventFinish, Finish: chat.FinishStop}, {Kind: chat.EventEnd},
	})
	r := sse.NewReader(bytes.NewReader(stream), 0)
	details := map[float64]object{}
	for {
		_, data, err := r.Next()
		if err != nil || string(data) == "[DONE]" {
			break
		}
		for _, c := range list(object1(t, "chunk", data)["choices"]) {
			for _, d := range list(obj(obj(c)["delta"])["reasoning_details"]) {
				at := num(obj(d)["index"])
				if details[at] == nil {
					details[at] = object{}
				}
				for key, value := range obj(d) {
					if key == "text" {
						value = str(details[at][key]) + str(value)
					}
					details[at][key] = value
				}
			}
		}
	}
	back, _ := json.Marshal(object{"messages": []any{object{"role": "assistant", "content": "so", "reasoning_content": "one twothree", "reasoning_details": []any{details[0], details[1]}}}})
	req, _, err := new(openai.Server).DecodeRequest(back)
	if err != nil {
		t.Fatal(err)
	}
	same(t, string(back), req.Messages[0].Parts, []chat.Part{
		{Kind: chat.Reason, Text: "one two", State: &chat.ReasoningState{Signature: "s1"}},
		{Kind: chat.Reason, Text: "three", State: &chat.ReasoningState{ID: "r", Format: "f", Signature: "s2", Index: 1}}, text("so"),
	})
}

func TestEncodeErrors(t *testing.T) {
	issues := fault.Issues{{Path: "messages[0].content", Message: "required"}}.Err()
	class := func(code fault.Code, class chat.Class, more ...string) *fault.Error {
		details := map[string]any{"class": class}
		for i := 0; i < len(more); i += 2 {
			details[more[i]] = more[i+1]
		}
		return &fault.Error{Code: code, Message: "m \"q\"\n", Details: details, RetryAfter: time.Second, Err: errors.New("secret")}
	}
	var out []byte
	for _, err := range []*fault.Error{
		fault.From(issues), class(fault.Validation, chat.ContextLength, "param", "messages"), class(fault.Validation, chat.ContentPolicy), class(fault.Validation, chat.TooLarge), class(fault.Validation, chat.BadRequest, "param", "top_k"),
		fault.New(fault.Validation, "m"), fault.New(fault.Unauthorized, "m"), fault.New(fault.Forbidden, "m"), fault.New(fault.NotFound, "m"), fault.New(fault.MethodNotAllowed, "m"),
		fault.New(fault.Conflict, "m"), fault.New(fault.TooLarge, "m"), fault.New(fault.UnsupportedMedia, "m"), fault.New(fault.HeadersTooLarge, "m"), fault.New(fault.RequestTimeout, "m"),
		fault.New(fault.RateLimit, "m"), fault.New(fault.NoEligibleKey, "m"), fault.New(fault.ProviderTimeout, "m"), fault.New(fault.Unavailable, "m"), fault.New(fault.Internal, "m"), fault.New(fault.Cancelled, "m"),
		class(fault.Provider, chat.Overloaded), class(fault.Provider, chat.RateLimited), class(fault.Provider, chat.DailyQuota), class(fault.Provider, chat.OutOfMoney),
		class(fault.Provider, chat.ModelUnknown), class(fault.Provider, chat.Timeout), class(fault.Provider, chat.BadKey), fault.New(fault.Provider, "m"),
		{Code: fault.Internal, Message: "details that cannot be written", Details: func() {}},
	} {
		body := new(openai.Server).EncodeError(err, "r-1")
		out = append(append(append(append(out, err.Code...), ' '), body...), '\n')

		enc := new(openai.Server).NewStreamEncoder(served)
		half := enc.Encode(nil, &chat.Event{Kind: chat.EventText, Text: "half"})
		half = enc.Encode(half, &chat.Event{Kind: chat.EventError, Err: &chat.Error{Message: "not for the client"}})
		all := enc.Error(bytes.Clone(half), err)
		if got := string(all[len(half):]); got != "data: "+string(body)+"\n\n" {
			t.Errorf("in a stream: %s", got)
		}
		if strings.Contains(string(all), "not for the client") || strings.Contains(string(all), "DONE") {
			t.Errorf("%s", all)
		}
		if _, complete, failed := collect(t, bytes.NewReader(all)); complete || failed == nil || failed.Message != err.Message {
			t.Errorf("reads as %v: %s", failed, all)
		}
	}
	if bytes.Contains(out, []byte("secret")) {
		t.Errorf("%s", out)
	}
	dialecttest.Golden(t, "testdata/response/errors.golden", out)
}

// A state that comes after the text of its reasoning belongs to the same block, as in a whole answer.
func TestStreamStateAfterText(t *testing.T) {
	e := new(openai.Server).NewStreamEncoder(served)
	out := e.Encode(nil, &chat.Event{Kind: chat.EventReason, Text: "Hm."})
	at := len(out)
	out = e.Encode(out, &chat.Event{Kind: chat.EventReason, State: &chat.ReasoningState{Signature: "s", Index: 1}})
	if !strings.Contains(string(out[:at]), `"text":"Hm.","index":0`) || !strings.Contains(string(out[at:]), `"signature":"s","index":0`) {
		t.Errorf("%s", out)
	}
}

// A chunk allocates nothing but the buffer.
func BenchmarkEncodeChunk(b *testing.B) {
	e := new(openai.Server).NewStreamEncoder(served)
	buf := e.Encode(nil, &chat.Event{Kind: chat.EventStart, ID: "chatcmpl-DuLdWOILVCVVrpY7aRAWaTdcPyWSy", Model: "gpt-4o-mini-2024-07-18"})
	ev := &chat.Event{Kind: chat.EventText, Text: " world"}
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Encode(buf[:0], ev)
	}
}
