package native_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

var served = dialect.Served{RequestID: `my "42"`, Provider: "openai", Model: "gpt-5", Created: 1795478400}

// rich returns an answer with all kinds of parts and members.
func rich() *chat.Response {
	return &chat.Response{ID: "chatcmpl-1", Model: "gpt-5-2026", Created: 7, ServiceTier: "flex", Choices: []chat.Choice{
		{Index: 0, Finish: chat.FinishToolCalls, Logprobs: json.RawMessage("{\n \"content\": [{\"token\":\"H\"}], \"refusal\": null}"), Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Reason, Text: "Let me\nthink.", State: &chat.ReasoningState{Signature: "sig==", Format: "anthropic-claude-v1"}},
			{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: "red", Index: 1}},
			{Kind: chat.Reason, Text: "Sum.", State: &chat.ReasoningState{ID: "rs_1", Encrypted: "enc", Summary: true, Index: 2}},
			{Kind: chat.Text, Text: "Hé 漢 🙂 \"q\"\n", Citations: []chat.Citation{{URL: "https://e.com", Title: "E", Text: "c", Start: 0, End: 4}, {URL: "https://f.com"}}},
			{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/webp", Data: "+/8="}}, {Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/x.png"}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_1", Name: "look", Arguments: `{"at": 1}`, Signature: "ts"}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_2", Name: "sql", Arguments: "select 1", Custom: true}},
		}}},
		{Index: 1, Finish: chat.FinishContentFilter, Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Refusal, Text: "No."}}}},
	}, Usage: &chat.Usage{Input: 20, Cached: 8, CacheWrite: 4, CacheWrite1h: 1, InputAudio: 2, Output: 9, Reasoning: 5, OutputAudio: 1, CostNanos: 5, HasCost: true}}
}

// The answer has the bytes of the original gateway's.
func TestEncodeContract(t *testing.T) {
	got := server().EncodeResponse(&chat.Response{ID: "chatcmpl-1", Model: "gpt-5-2026", Choices: []chat.Choice{{Finish: chat.FinishStop,
		Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Text, Text: "Hello"}}}}}, Usage: &chat.Usage{Input: 3, Output: 4}}, served)
	want := `{"id":"my \"42\"","provider":"openai","model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finishReason":"stop"}],"usage":{"promptTokens":3,"completionTokens":4,"totalTokens":7},"created":1795478400}`
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	// An answer that only calls still has a string as its content, and a usage.
	got = server().EncodeResponse(&chat.Response{Choices: []chat.Choice{{Message: chat.Message{Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{}}}}}}}, served)
	if !strings.Contains(string(got), `"content":"",`) || !strings.Contains(string(got), `"usage":{"promptTokens":0,"completionTokens":0,"totalTokens":0,"estimated":true}`) {
		t.Errorf("%s", got)
	}
}

func TestEncodeRich(t *testing.T) {
	got := server().EncodeResponse(rich(), served)
	if !json.Valid(got) {
		t.Fatalf("%s", got)
	}
	dialecttest.Golden(t, "testdata/rich.golden", got)
}

func streamOf(events []chat.Event) []byte {
	e := server().NewStreamEncoder(served)
	var out []byte
	for i := range events {
		out = e.Encode(out, &events[i])
	}
	return out
}

func TestStreamRich(t *testing.T) {
	dialecttest.Golden(t, "testdata/rich-stream.golden", streamOf(chat.Events(rich())))
}

func TestStreamContract(t *testing.T) {
	got := streamOf([]chat.Event{
		{Kind: chat.EventStart, ID: "chatcmpl-1"},
		{Kind: chat.EventText, Text: "Hel"}, {Kind: chat.EventText, Text: "lo\n"},
		{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 1}},
		{Kind: chat.EventFinish, Finish: chat.FinishStop},
		{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 3, Output: 4}},
		{Kind: chat.EventEnd},
	})
	want := `data: {"id":"my \"42\"","provider":"openai","model":"gpt-5","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finishReason":null}],"created":1795478400}

data: {"id":"my \"42\"","provider":"openai","model":"gpt-5","choices":[{"index":0,"delta":{"content":"lo\n"},"finishReason":null}],"created":1795478400}

data: {"id":"my \"42\"","provider":"openai","model":"gpt-5","choices":[{"index":0,"delta":{},"finishReason":"stop"}],"usage":{"promptTokens":3,"completionTokens":4,"totalTokens":7},"created":1795478400}

data: [DONE]

`
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestStreamEmptyAnswer(t *testing.T) {
	got := string(streamOf([]chat.Event{{Kind: chat.EventStart}, {Kind: chat.EventFinish, Finish: chat.FinishLength}, {Kind: chat.EventEnd}}))
	if !strings.Contains(got, `"delta":{"role":"assistant"},"finishReason":"length"}],"usage":{`) || strings.Count(got, "data: ") != 2 {
		t.Errorf("%s", got)
	}
	got = string(streamOf([]chat.Event{{Kind: chat.EventEnd}}))
	if !strings.Contains(got, `"choices":[],"usage":{`) {
		t.Errorf("%s", got)
	}
}

func TestErrors(t *testing.T) {
	e := &fault.Error{Code: fault.RateLimit, Message: "all keys are \"spent\"\n", Details: map[string]any{"class": "daily_quota"}, RetryAfter: time.Minute, Err: fmt.Errorf("secret")}
	body := `{"error":{"code":"RATE_LIMIT_EXCEEDED","message":"all keys are \"spent\"\n","details":{"class":"daily_quota"}},"requestId":"r-1"}`
	if got := server().EncodeError(e, "r-1"); string(got) != body {
		t.Errorf("%s", got)
	}
	enc := server().NewStreamEncoder(dialect.Served{RequestID: "r-1"})
	out := enc.Encode(nil, &chat.Event{Kind: chat.EventText, Text: "half"})
	out = enc.Encode(out, &chat.Event{Kind: chat.EventError, Err: &chat.Error{Message: "not for the client"}})
	at := len(out)
	out = enc.Error(out, e)
	if string(out[at:]) != "data: "+body+"\n\n" {
		t.Errorf("%s", out[at:])
	}
	if bytes.Contains(out, []byte("not for the client")) || bytes.Contains(out, []byte("secret")) || bytes.Contains(out, []byte("DONE")) {
		t.Errorf("%s", out)
	}
	if got := server().EncodeError(&fault.Error{Code: fault.Internal, Message: "m", Details: func() {}}, ""); string(got) != `{"error":{"code":"INTERNAL","message":"m"},"requestId":""}` {
		t.Errorf("%s", got)
	}
	// What a heartbeat says is nothing, wherever it comes.
	beat := enc.Heartbeat(nil)
	r := sse.NewReader(bytes.NewReader(append(append(bytes.Clone(beat), "data: x\n\n"...), beat...)), 0)
	if _, data, err := r.Next(); err != nil || string(data) != "x" {
		t.Errorf("%q %v", data, err)
	}
	if _, _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}

// assembled returns the whole answer of a stream's deltas, as the package's documentation tells clients
// to assemble it.
func assembled(t *testing.T, stream []byte) map[string]any {
	t.Helper()
	r := sse.NewReader(bytes.NewReader(stream), 0)
	var whole map[string]any
	messages := map[float64]map[string]any{}
	var order []float64
	for {
		_, data, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if string(data) == "[DONE]" {
			break
		}
		var event map[string]any
		if err := json.Unmarshal(data, &event); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		for _, c := range event["choices"].([]any) {
			c := c.(map[string]any)
			index := c["index"].(float64)
			if messages[index] == nil {
				messages[index] = map[string]any{"index": index, "message": map[string]any{"content": ""}}
				order = append(order, index)
			}
			ch := messages[index]
			message := ch["message"].(map[string]any)
			for key, v := range c["delta"].(map[string]any) {
				switch key {
				case "role":
					message[key] = v
				case "content", "refusal":
					before, _ := message[key].(string)
					message[key] = before + v.(string)
				case "citations", "images":
					before, _ := message[key].([]any)
					message[key] = append(before, v.([]any)...)
				default:
					message[key] = items(t, message[key], v.([]any))
				}
			}
			if c["finishReason"] != nil {
				ch["finishReason"] = c["finishReason"]
			}
			if c["logprobs"] != nil {
				ch["logprobs"] = c["logprobs"] // the tests have one
			}
		}
		whole = event
	}
	var choices []any
	for i := range len(order) {
		if ch := messages[float64(i)]; ch != nil {
			choices = append(choices, ch)
		}
	}
	whole["choices"] = choices
	return whole
}

// items adds pieces to items by index.
func items(t *testing.T, before any, pieces []any) []any {
	t.Helper()
	list, _ := before.([]any)
	for _, p := range pieces {
		p := p.(map[string]any)
		at := int(p["index"].(float64))
		delete(p, "index")
		if at == len(list) {
			list = append(list, map[string]any{})
		}
		add(t, list[at].(map[string]any), p)
	}
	return list
}

func add(t *testing.T, item, piece map[string]any) {
	t.Helper()
	for key, v := range piece {
		old, known := item[key]
		switch {
		case !known:
			item[key] = v
		case key == "text" || key == "arguments":
			item[key] = old.(string) + v.(string)
		case key == "function":
			add(t, old.(map[string]any), v.(map[string]any))
		default:
			t.Errorf("%q came twice: %v, %v", key, old, v)
		}
	}
}

func tree(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

func TestStreamIsWhole(t *testing.T) {
	check := func(name string, resp *chat.Response, events []chat.Event) {
		t.Helper()
		whole, streamed := tree(t, server().EncodeResponse(resp, served)), assembled(t, streamOf(events))
		if !reflect.DeepEqual(whole, streamed) {
			t.Fatalf("%s:\nwhole  %s\nstream %s", name, dialecttest.Indented(t, whole), dialecttest.Indented(t, streamed))
		}
	}
	check("rich", rich(), chat.Events(rich()))
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		events := randomEvents(r)
		var all chat.Assembler
		for i := range events {
			all.Add(&events[i])
		}
		check(fmt.Sprint("seed ", seed), all.Response(), events)
		events = dialecttest.Interleaved(rand.New(rand.NewPCG(seed, 5)))
		check(fmt.Sprint("interleaved, seed ", seed), dialecttest.Fold(events), events)
	}
}

// randomEvents returns a stream in which all that may be interleaved is.
func randomEvents(r *rand.Rand) []chat.Event {
	word := func() string { return []string{"a", "é", "漢\n", "\"", "some words "}[r.IntN(5)] }
	events := []chat.Event{{Kind: chat.EventStart}}
	n := 1 + r.IntN(2)
	calls := make([]int, n)
	for range r.IntN(30) {
		c := r.IntN(n)
		ev := chat.Event{Choice: c, Text: word()}
		switch r.IntN(7) {
		case 0, 1:
			ev.Kind = chat.EventText
		case 2:
			ev.Kind = chat.EventReason
		case 3:
			ev.Kind, ev.State = chat.EventReason, &chat.ReasoningState{Format: []string{"", "f", "g"}[r.IntN(3)], Index: r.IntN(2), Summary: r.IntN(3) == 0}
			switch r.IntN(6) {
			case 0:
				ev.State.Signature = word()
			case 1:
				ev.State.ID = []string{"i", "j"}[r.IntN(2)]
			case 2:
				ev.State.Encrypted, ev.State.ID = word(), "i"
			case 3:
				ev.State.Redacted, ev.Text = word(), ""
			case 4:
				ev.Text = ""
			}
		case 4:
			ev = chat.Event{Kind: chat.EventCall, Choice: c, Call: calls[c], ToolCall: &chat.ToolCall{ID: word(), Name: word(), Arguments: []string{"", "{}"}[r.IntN(2)]}}
			calls[c]++
		case 5:
			if calls[c] == 0 {
				continue
			}
			ev.Kind, ev.Call = chat.EventCallArgs, r.IntN(calls[c])
		case 6:
			ev.Kind = chat.EventRefusal
		}
		events = append(events, ev)
	}
	for c := range n {
		events = append(events, chat.Event{Kind: chat.EventFinish, Choice: c, Finish: chat.FinishStop})
	}
	return append(events, chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: r.Int64N(100), Output: 1}}, chat.Event{Kind: chat.EventEnd})
}

// A client may send the message of an answer back, whole or assembled, and it means the same.
func TestAnswerComesBack(t *testing.T) {
	resp := rich()
	want := resp.Choices[0].Message
	for i := range want.Parts {
		want.Parts[i].Citations = nil // no provider takes them
	}
	for name, answer := range map[string]map[string]any{"whole": tree(t, server().EncodeResponse(rich(), served)), "stream": assembled(t, streamOf(chat.Events(rich())))} {
		message := answer["choices"].([]any)[0].(map[string]any)["message"]
		body, err := json.Marshal(map[string]any{"messages": []any{message}})
		if err != nil {
			t.Fatal(err)
		}
		req, _, err := server().DecodeRequest(body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(req.Messages[0], want) {
			t.Errorf("%s:\n got %s\nwant %s", name, dialecttest.Indented(t, req.Messages[0]), dialecttest.Indented(t, want))
		}
	}
}

func FuzzStreamEncoder(f *testing.F) {
	f.Add("text", "reason", "{}", "id")
	f.Add("\r\n\n", "data: x\n\n", "\xff", "\"")
	f.Fuzz(func(t *testing.T, text, reason, args, id string) {
		events := []chat.Event{
			{Kind: chat.EventReason, Text: reason, State: &chat.ReasoningState{Signature: id}},
			{Kind: chat.EventText, Text: text},
			{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: id, Name: id}},
			{Kind: chat.EventCallArgs, Text: args},
			{Kind: chat.EventFinish, Finish: chat.FinishStop},
			{Kind: chat.EventEnd},
		}
		var all chat.Assembler
		for i := range events {
			all.Add(&events[i])
		}
		whole, streamed := tree(t, server().EncodeResponse(all.Response(), served)), assembled(t, streamOf(events))
		// A character cut in two by an event is lost in the stream and not in the whole: only valid text compares.
		if strings.ToValidUTF8(text+reason+args+id, "") == text+reason+args+id && !reflect.DeepEqual(whole, streamed) {
			t.Fatalf("whole  %s\nstream %s", dialecttest.Indented(t, whole), dialecttest.Indented(t, streamed))
		}
	})
}
