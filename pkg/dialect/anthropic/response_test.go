package anthropic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

var served = dialect.Served{RequestID: `my "42"`, Provider: "openai", Model: "gpt-5", Created: 1795478400}

// rich is an answer that has everything.
func rich() *chat.Response {
	return &chat.Response{ID: "chatcmpl-1", Model: "gpt-5-2026", Created: 7, ServiceTier: "priority", Choices: []chat.Choice{
		{Index: 0, Finish: chat.FinishToolCalls, Logprobs: json.RawMessage(`{}`), Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Reason, Text: "Let me\nthink.", State: &chat.ReasoningState{Signature: "c2ln"}},
			{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: "red"}},
			{Kind: chat.Reason, Text: "Sum.", State: &chat.ReasoningState{ID: "rs_1", Encrypted: "enc", Summary: true, Index: 2}},
			{Kind: chat.Reason, Text: "Nobody signed."},
			{Kind: chat.Text, Text: "Hé 漢 🙂 \"q\"\n", Citations: []chat.Citation{{URL: "https://e.com", Title: "E", Text: "c", Start: 0, End: 4},
				{Raw: json.RawMessage("{\"type\": \"char_location\",\n \"cited_text\": \"x\"}")}}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_1", Name: "look", Arguments: `{"at": 1}`, Signature: "ts"}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_2", Name: "clock", Arguments: "{}"}},
			{Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/x.png"}},
		}}},
		{Index: 1, Finish: chat.FinishStop, Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{text("another")}}},
	}, Usage: &chat.Usage{Input: 20, Cached: 8, CacheWrite: 4, CacheWrite1h: 1, Output: 9, Reasoning: 5, CostNanos: 5, HasCost: true}}
}

func TestEncodeResponse(t *testing.T) {
	for name, resp := range map[string]*chat.Response{
		"rich":    rich(),
		"plain":   {ID: "msg_1", Choices: []chat.Choice{{Finish: chat.FinishStop, Message: said(text("Hello"))}}, Usage: &chat.Usage{Input: 3, Output: 4}},
		"stop":    {Choices: []chat.Choice{{Finish: chat.FinishStop, StopSequence: "END", Message: said(text("x"), text(""))}}, Usage: &chat.Usage{Input: 3}},
		"refusal": {Choices: []chat.Choice{{Finish: chat.FinishStop, Message: said(chat.Part{Kind: chat.Refusal, Text: "No."})}}},
		"empty":   {},
		"broken":  {Choices: []chat.Choice{{Finish: chat.FinishLength, Message: said(call("c", `{"cut": "of`))}}},
	} {
		got := server().EncodeResponse(resp, served)
		if !json.Valid(got) {
			t.Fatalf("%s: %s", name, got)
		}
		dialecttest.Golden(t, "testdata/answer/"+name+".golden", got)
		if name != "broken" { // of which only the whole can be mended
			dialecttest.Golden(t, "testdata/answer/"+name+"-stream.golden", streamOf(chat.Events(resp)))
		}
	}
}

func streamOf(events []chat.Event) []byte {
	e := server().NewStreamEncoder(served)
	var out []byte
	for i := range events {
		out = e.Encode(out, &events[i])
	}
	return out
}

// What the usage at the start is good for, and what is not known then.
func TestStreamUsage(t *testing.T) {
	start := func(events ...chat.Event) (string, string) {
		out := string(streamOf(append([]chat.Event{{Kind: chat.EventStart, ID: "msg_1"}}, append(events, chat.Event{Kind: chat.EventEnd})...)))
		head, rest, _ := strings.Cut(out, "\n\n")
		_, delta, _ := strings.Cut(rest, "event: message_delta\n")
		cut := func(s string) string { _, s, _ = strings.Cut(s, `"usage":{`); s, _, _ = strings.Cut(s, ","); return s }
		return cut(head), cut(delta)
	}
	usage := func(n int64) chat.Event {
		return chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: n}}
	}
	word := chat.Event{Kind: chat.EventText, Text: "x"}
	for name, c := range map[string]struct {
		events      []chat.Event
		first, last string
	}{
		"at the end":   {[]chat.Event{word, usage(5)}, `"input_tokens":0`, `"input_tokens":5`},
		"at the start": {[]chat.Event{usage(4), word}, `"input_tokens":4`, `"input_tokens":4`},
		"corrected":    {[]chat.Event{usage(4), word, usage(5)}, `"input_tokens":4`, `"input_tokens":5`},
		"never":        {[]chat.Event{word}, `"input_tokens":0`, `"input_tokens":0`},
	} {
		if first, last := start(c.events...); first != c.first || last != c.last {
			t.Errorf("%s: %s, %s", name, first, last)
		}
	}
}

// check reads a stream as strictly as the SDKs do, and returns its events.
func check(t *testing.T, stream []byte) []object {
	t.Helper()
	r := sse.NewReader(bytes.NewReader(stream), 0)
	var events []object
	open, next, state := -1, 0, "new"
	for {
		name, data, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ev := object1(t, "stream", data)
		if name != str(ev["type"]) {
			t.Fatalf("the event %q has the type %q", name, ev["type"])
		}
		at := int(num(ev["index"]))
		ok := false
		switch name {
		case "message_start":
			u := obj(obj(ev["message"])["usage"])
			_, in := u["input_tokens"].(float64)
			_, out := u["output_tokens"].(float64)
			ok, state = state == "new" && in && out && len(list(obj(ev["message"])["content"])) == 0, "started"
		case "content_block_start":
			ok = state == "started" && open < 0 && at == next
			open, next = at, next+1
		case "content_block_delta":
			ok = open == at
		case "content_block_stop":
			ok = open == at
			open = -1
		case "message_delta":
			ok, state = state == "started" && open < 0 && str(obj(ev["delta"])["stop_reason"]) != "", "ended"
		case "message_stop":
			ok, state = state == "ended", "over"
		case "ping":
			ok = state == "started"
		}
		if !ok {
			t.Fatalf("%s out of place: %s\nin %s", name, data, stream)
		}
		events = append(events, ev)
	}
	if state != "over" {
		t.Fatalf("no end: %s", stream)
	}
	return events
}

// put is the message that a stream makes, in the form of a whole answer.
func put(t *testing.T, stream []byte) object {
	t.Helper()
	m := message(check(t, stream))
	m["usage"] = obj(m["usage"])
	return m
}

func whole(t *testing.T, resp *chat.Response) object {
	t.Helper()
	return object1(t, "answer", server().EncodeResponse(resp, served))
}

// join puts neighbouring texts together: a citation that comes late begins another block of text.
func join(m object) object {
	var out []any
	for _, b := range list(m["content"]) {
		b := obj(b)
		if n := len(out); n > 0 && b["type"] == "text" && obj(out[n-1])["type"] == "text" {
			last := obj(out[n-1])
			last["text"] = str(last["text"]) + str(b["text"])
			if b["citations"] != nil {
				last["citations"] = append(list(last["citations"]), list(b["citations"])...)
			}
			continue
		}
		out = append(out, b)
	}
	m["content"] = out
	return m
}

func TestStreamIsWhole(t *testing.T) {
	compare := func(name string, resp *chat.Response, events []chat.Event) {
		t.Helper()
		w, s := join(whole(t, resp)), join(put(t, streamOf(events)))
		if !reflect.DeepEqual(w, s) {
			t.Fatalf("%s:\nwhole  %s\nstream %s", name, dialecttest.Indented(t, w), dialecttest.Indented(t, s))
		}
	}
	compare("rich", rich(), chat.Events(rich()))
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		events := randomEvents(r)
		var all chat.Assembler
		for i := range events {
			all.Add(&events[i])
		}
		compare(fmt.Sprint("seed ", seed), all.Response(), events)
	}
}

// The pieces of parts may come in any order, inputs that are no JSON among them: the stream is what the whole is.
func TestInterleavedStreamIsWhole(t *testing.T) {
	for seed := range uint64(2000) {
		events := dialecttest.Interleaved(rand.New(rand.NewPCG(seed, 5)))
		w, s := join(whole(t, dialecttest.Fold(events))), join(put(t, streamOf(events)))
		if !reflect.DeepEqual(w, s) {
			t.Fatalf("seed %d:\nwhole  %s\nstream %s", seed, dialecttest.Indented(t, w), dialecttest.Indented(t, s))
		}
	}
}

// An answer whose only choice has another index than 0 is an answer.
func TestChoiceOfAnotherIndex(t *testing.T) {
	events := []chat.Event{{Kind: chat.EventStart, ID: "msg_1"}, {Kind: chat.EventText, Choice: 2, Text: "b"}, {Kind: chat.EventText, Choice: 1, Text: "a"},
		{Kind: chat.EventFinish, Choice: 1, Finish: chat.FinishLength}, {Kind: chat.EventFinish, Choice: 2, Finish: chat.FinishStop}, {Kind: chat.EventEnd}}
	w, s := whole(t, dialecttest.Fold(events)), put(t, streamOf(events))
	if !reflect.DeepEqual(w, s) || str(obj(list(s["content"])[0])["text"]) != "a" {
		t.Errorf("whole  %s\nstream %s", dialecttest.Indented(t, w), dialecttest.Indented(t, s))
	}
}

// What a call has of its input goes out at once, and what follows the call waits for its end.
func TestStreamIsNotHeldBack(t *testing.T) {
	e := server().NewStreamEncoder(served)
	args := func(call int, s string) chat.Event {
		return chat.Event{Kind: chat.EventCallArgs, Call: call, Text: s}
	}
	for i, c := range []struct {
		ev   chat.Event
		want string // the types of the deltas and blocks
	}{
		{chat.Event{Kind: chat.EventText, Text: "a"}, "text text_delta"},
		{chat.Event{Kind: chat.EventCall, Call: 0, ToolCall: &chat.ToolCall{ID: "a", Name: "f"}}, "tool_use"},
		{args(0, `{"a`), "input_json_delta"},
		{chat.Event{Kind: chat.EventText, Text: "b"}, ""},
		{chat.Event{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: "b", Name: "f", Custom: true}}, ""},
		{args(0, `":1}`), "input_json_delta text text_delta tool_use"},
		{args(1, "x"), ""},
		{chat.Event{Kind: chat.EventFinish, Finish: chat.FinishToolCalls}, ""},
		{chat.Event{Kind: chat.EventEnd}, "input_json_delta"},
	} {
		var got []string
		for _, m := range regexp.MustCompile(`"(?:content_block|delta)":\{"type":"(\w+)"`).FindAllSubmatch(e.Encode(nil, &c.ev), -1) {
			got = append(got, string(m[1]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("step %d: %v, want %s", i, got, c.want)
		}
	}
}

// randomEvents is a stream in which the inputs of calls that follow each other are interleaved.
func randomEvents(r *rand.Rand) []chat.Event {
	word := func() string { return []string{"a", "é", "漢\n", "\"", "some words "}[r.IntN(5)] }
	events := []chat.Event{{Kind: chat.EventStart, ID: "msg_1", ServiceTier: "standard"}}
	calls := 0
	for range r.IntN(12) {
		switch r.IntN(6) {
		case 0, 1:
			events = append(events, chat.Event{Kind: chat.EventText, Text: word()})
		case 2:
			events = append(events, chat.Event{Kind: chat.EventReason, Text: word()})
		case 3:
			state := &chat.ReasoningState{Format: []string{"", "f", "g"}[r.IntN(3)], Index: r.IntN(2), Summary: r.IntN(3) == 0}
			ev := chat.Event{Kind: chat.EventReason, Text: word(), State: state}
			switch r.IntN(5) {
			case 0:
				state.Signature = word()
			case 1:
				state.ID = []string{"i", "j"}[r.IntN(2)]
			case 2:
				state.Encrypted, state.ID = word(), "i"
			case 3:
				ev = chat.Event{Kind: chat.EventReason, State: &chat.ReasoningState{Redacted: word()}}
			}
			events = append(events, ev)
		case 4:
			n := 1 + r.IntN(3)
			events = append(events, interleaved(r, calls, n)...)
			calls += n
		case 5:
			events = append(events, chat.Event{Kind: chat.EventText, Text: word()}, chat.Event{Kind: chat.EventCitation, Citation: &chat.Citation{URL: word(), Text: word()}})
		}
	}
	return append(events, chat.Event{Kind: chat.EventFinish, Finish: chat.FinishStop},
		chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: r.Int64N(100), Output: 1}}, chat.Event{Kind: chat.EventEnd})
}

// interleaved are n calls that begin together and whose inputs come in turns.
func interleaved(r *rand.Rand, from, n int) []chat.Event {
	var events []chat.Event
	left := make([]string, n)
	for i := range n {
		left[i] = []string{`{}`, `{"a":"}\"{"}`, `{"b": [1, {"c": null}]}`}[r.IntN(3)]
		tc := &chat.ToolCall{ID: fmt.Sprint("call_", from+i), Name: "f", Signature: []string{"", "", "gemini's"}[r.IntN(3)]}
		if r.IntN(4) == 0 {
			tc.Arguments, left[i] = left[i], ""
		}
		events = append(events, chat.Event{Kind: chat.EventCall, Call: from + i, ToolCall: tc})
	}
	for rest := true; rest; {
		rest = false
		for i := range n {
			if len(left[i]) > 0 && r.IntN(2) == 0 {
				cut := 1 + r.IntN(len(left[i]))
				events = append(events, chat.Event{Kind: chat.EventCallArgs, Call: from + i, Text: left[i][:cut]})
				left[i] = left[i][cut:]
			}
			rest = rest || len(left[i]) > 0
		}
	}
	return events
}

// No answer ends with a state that nobody can read, as Gemini's do: Claude Code takes the last block for the answer.
func TestNoStateAtTheEnd(t *testing.T) {
	state := func(signature string) chat.Part {
		return chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Signature: signature, Format: "google-gemini-v1"}}
	}
	word := chat.Part{Kind: chat.Text, Text: "hi"}
	call := chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "c", Name: "f", Arguments: "{}"}}
	for name, tt := range map[string]struct {
		parts []chat.Part
		want  string
	}{
		"after a text":     {[]chat.Part{word, state("a")}, "text"},
		"two":              {[]chat.Part{word, state("a"), state("b")}, "text"},
		"after a call":     {[]chat.Part{call, state("a")}, "tool_use"},
		"before a text":    {[]chat.Part{state("a"), word}, "thinking text"},
		"between texts":    {[]chat.Part{word, state("a"), word}, "text thinking text"},
		"before a call":    {[]chat.Part{word, state("a"), call}, "text thinking tool_use"},
		"after reasoning":  {[]chat.Part{{Kind: chat.Reason, Text: "hm", State: &chat.ReasoningState{ID: "1", Signature: "b"}}, state("a")}, "thinking thinking"},
		"after both":       {[]chat.Part{word, {Kind: chat.Reason, Text: "hm", State: &chat.ReasoningState{ID: "1", Signature: "b"}}, state("a")}, "text thinking"},
		"alone":            {[]chat.Part{state("a")}, "thinking"},
		"with a text":      {[]chat.Part{word, {Kind: chat.Reason, Text: "hm"}}, "text thinking"},
		"of a thought":     {[]chat.Part{word, {Kind: chat.Reason, Text: "hm", State: state("a").State}}, "text thinking"},
		"before a thought": {[]chat.Part{word, state("a"), {Kind: chat.Reason, Text: "hm"}}, "text thinking thinking"},
	} {
		resp := &chat.Response{Choices: []chat.Choice{{Message: chat.Message{Parts: tt.parts}}}}
		var whole struct{ Content []struct{ Type string } }
		if err := json.Unmarshal(server().EncodeResponse(resp, dialect.Served{}), &whole); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, block := range whole.Content {
			got = append(got, block.Type)
		}
		var streamed []string
		e := server().NewStreamEncoder(dialect.Served{})
		var out []byte
		for _, ev := range chat.Events(resp) {
			out = e.Encode(out, &ev)
		}
		for _, m := range regexp.MustCompile(`"content_block":\{"type":"(\w+)"`).FindAllSubmatch(out, -1) {
			streamed = append(streamed, string(m[1]))
		}
		if strings.Join(got, " ") != tt.want || strings.Join(streamed, " ") != tt.want {
			t.Errorf("%s: whole %v, streamed %v, want %s", name, got, streamed, tt.want)
		}
	}
}

// A call without input is told to be one at the very end, as OpenAI's decoder does it.
func TestStreamLateInput(t *testing.T) {
	got := put(t, streamOf([]chat.Event{
		{Kind: chat.EventCall, Call: 0, ToolCall: &chat.ToolCall{ID: "a", Name: "f"}},
		{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: "b", Name: "g"}},
		{Kind: chat.EventCallArgs, Call: 1, Text: `{"x":1}`},
		{Kind: chat.EventText, Text: "then"},
		{Kind: chat.EventCallArgs, Call: 0, Text: `{}`},
		{Kind: chat.EventCallArgs, Call: 7, Text: `{}`},
		{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: "again", Name: "g"}},
		{Kind: chat.EventFinish, Finish: chat.FinishToolCalls}, {Kind: chat.EventEnd},
	}))
	want := `[{"id":"a","input":{},"name":"f","type":"tool_use"},{"id":"b","input":{"x":1},"name":"g","type":"tool_use"},{"text":"then","type":"text"}]`
	if content, _ := json.Marshal(got["content"]); string(content) != want {
		t.Errorf("\n got %s\nwant %s", content, want)
	}
}

// What the server half writes, the client half reads, whole and streamed.
func TestAnswerRoundTrip(t *testing.T) {
	for seed := range uint64(500) {
		want := randomResponse(rand.New(rand.NewPCG(seed, 4)))
		to := dialect.Served{RequestID: "r", Model: want.Model}
		got, err := anthropic.Client{}.DecodeResponse(server().EncodeResponse(want, to))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v\n got %s\nwant %s", seed, err, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
		}
		e := server().NewStreamEncoder(to)
		var out []byte
		for i, ev := range chat.Events(want) {
			if out = e.Encode(out, &ev); i%3 == 1 {
				out = e.Heartbeat(out)
			}
		}
		check(t, out)
		streamed, complete, failed := collect(t, bytes.NewReader(out))
		if !complete || failed != nil {
			t.Fatalf("seed %d: %v", seed, failed)
		}
		streamed.ServiceTier = want.ServiceTier
		if !reflect.DeepEqual(streamed, want) {
			t.Fatalf("seed %d, streamed:\n got %s\nwant %s", seed, dialecttest.Indented(t, streamed), dialecttest.Indented(t, want))
		}
	}
}

// randomResponse is an answer of Anthropic's.
func randomResponse(r *rand.Rand) *chat.Response {
	word := func() string {
		return []string{"a", "é\n漢", `"q" `, "some words"}[r.IntN(4)] + fmt.Sprint(r.IntN(1000))
	}
	resp := &chat.Response{ID: "msg_" + fmt.Sprint(r.Uint32()), Model: word(), ServiceTier: []string{"", "standard", "batch"}[r.IntN(3)]}
	resp.Usage = &chat.Usage{Cached: r.Int64N(100), CacheWrite: r.Int64N(100), CacheWrite1h: r.Int64N(100), Output: 10 + r.Int64N(100), Reasoning: r.Int64N(10)}
	resp.Usage.Input = r.Int64N(100) + resp.Usage.Cached + resp.Usage.CacheWrite + resp.Usage.CacheWrite1h
	c := chat.Choice{Message: said()}
	calls := 0
	for range r.IntN(7) {
		p := chat.Part{Kind: chat.Text, Text: word()}
		switch r.IntN(4) {
		case 0:
			p = chat.Part{Kind: chat.Reason, Text: word(), State: &chat.ReasoningState{Signature: word()}}
		case 1:
			p = chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: word()}}
		case 2:
			p = call("toolu_"+fmt.Sprint(calls), []string{"{}", `{"a":"b","c":[1,2]}`}[r.IntN(2)])
			calls++
		case 3:
			if n := len(c.Message.Parts); n > 0 && c.Message.Parts[n-1].Kind == chat.Text {
				continue
			}
			if r.IntN(2) == 0 {
				p.Citations = []chat.Citation{{URL: "https://e.com", Title: "t", Text: "c", Raw: json.RawMessage(`{"type":"web_search_result_location","url":"https://e.com","title":"t","cited_text":"c","encrypted_index":"e"}`)}}
			}
		}
		c.Message.Parts = append(c.Message.Parts, p)
	}
	c.Finish = []chat.FinishReason{chat.FinishLength, chat.FinishContentFilter, chat.FinishToolCalls}[r.IntN(3)]
	if calls == 0 && c.Finish == chat.FinishToolCalls {
		if c.Finish = chat.FinishStop; r.IntN(2) == 0 {
			c.StopSequence = word()
		}
	}
	resp.Choices = []chat.Choice{c}
	return resp
}

// TestStateSurvives: what other providers want back with their reasoning and calls comes back through a
// client of this dialect, whole or streamed, and is not mistaken for Anthropic's.
func TestStateSurvives(t *testing.T) {
	for name, answer := range map[string]object{"whole": whole(t, rich()), "stream": put(t, streamOf(chat.Events(rich())))} {
		in, err := json.Marshal(object{"model": "m", "max_tokens": 1, "messages": []any{object{"role": "assistant", "content": answer["content"]}}})
		if err != nil {
			t.Fatal(err)
		}
		req, _, err := server().DecodeRequest(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := rich().Choices[0].Message
		want.Parts[len(want.Parts)-1] = text("[image: https://e.com/x.png]") // which has no place here
		want.Parts[4].Citations = req.Messages[0].Parts[4].Citations
		want.Parts[5].ToolCall.Arguments = `{"at":1}`
		if !reflect.DeepEqual(req.Messages[0], want) {
			t.Errorf("%s:\n got %s\nwant %s", name, dialecttest.Indented(t, req.Messages[0]), dialecttest.Indented(t, want))
		}
		enc, err := encode(t, req, rules())
		if err != nil {
			t.Fatal(err)
		}
		passed, ok := anthropic.Client{Rules: rules()}.PassthroughRequest(in, req, nil)
		if !ok {
			t.Errorf("%s does not pass", in)
		}
		for _, body := range [][]byte{enc.Body, passed.Body} {
			if bytes.Contains(body, []byte("bGxtZ3cy")) || bytes.Contains(body, []byte("Nobody signed")) || !bytes.Contains(body, []byte(`"signature":"c2ln"`)) {
				t.Errorf("%s", body)
			}
		}
	}
	for _, tampered := range []string{"llm-gateway:", "llm-gateway:!", "llm-gateway:bm8", "llm-gateway:W10"} {
		req, _, err := server().DecodeRequest([]byte(messages(`{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"` + tampered + `"}]}`)))
		if err != nil || !reflect.DeepEqual(req.Messages[0].Parts, []chat.Part{{Kind: chat.Reason, Text: "x"}}) {
			t.Errorf("%s: %+v %v", tampered, req, err)
		}
	}
}

func TestErrors(t *testing.T) {
	e := &fault.Error{Code: fault.RateLimit, Message: "all keys are \"spent\"\n", Details: map[string]any{"class": "daily_quota"}, RetryAfter: time.Minute, Err: fmt.Errorf("secret")}
	want := `{"type":"error","error":{"type":"rate_limit_error","message":"all keys are \"spent\"\n","details":{"class":"daily_quota"}},"request_id":"r-1"}`
	if got := server().EncodeError(e, "r-1"); string(got) != want {
		t.Errorf("%s", got)
	}
	enc := server().NewStreamEncoder(dialect.Served{RequestID: "r-1"})
	if got := string(enc.Heartbeat(nil)); got != "event: ping\ndata: {\"type\":\"ping\"}\n\n" {
		t.Errorf("a heartbeat before the start is %q", got)
	}
	out := enc.Encode(nil, &chat.Event{Kind: chat.EventText, Text: "half"})
	if got := string(enc.Heartbeat(nil)); got != "event: ping\ndata: {\"type\":\"ping\"}\n\n" {
		t.Errorf("a heartbeat is %q", got)
	}
	out = enc.Encode(out, &chat.Event{Kind: chat.EventError, Err: &chat.Error{Message: "not for the caller"}})
	at := len(out)
	out = enc.Error(out, e)
	if string(out[at:]) != "event: error\ndata: "+want+"\n\n" {
		t.Errorf("%s", out[at:])
	}
	if bytes.Contains(out, []byte("not for the caller")) || bytes.Contains(out, []byte("secret")) || bytes.Contains(out, []byte("message_stop")) {
		t.Errorf("%s", out)
	}
	if got := server().EncodeError(&fault.Error{Code: fault.Internal, Message: "m", Details: func() {}}, ""); string(got) != `{"type":"error","error":{"type":"api_error","message":"m"},"request_id":""}` {
		t.Errorf("%s", got)
	}
}

// What was written for a caller, our own client half reads.
func TestErrorTypes(t *testing.T) {
	for code, want := range map[fault.Code]string{
		fault.Validation: "invalid_request_error", fault.NoEligibleKey: "invalid_request_error", fault.MethodNotAllowed: "invalid_request_error",
		fault.Conflict: "invalid_request_error", fault.UnsupportedMedia: "invalid_request_error", fault.HeadersTooLarge: "invalid_request_error", fault.RequestTimeout: "invalid_request_error",
		fault.Unauthorized: "authentication_error", fault.Forbidden: "permission_error", fault.NotFound: "not_found_error", fault.TooLarge: "request_too_large",
		fault.RateLimit: "rate_limit_error", fault.Provider: "api_error", fault.ProviderTimeout: "timeout_error", fault.Unavailable: "overloaded_error",
		fault.Internal: "api_error", fault.Cancelled: "api_error",
	} {
		e := anthropic.Client{}.DecodeError(server().EncodeError(fault.New(code, "m"), "r"))
		if e.Type != want || e.Message != "m" {
			t.Errorf("%s: %+v", code, e)
		}
	}
	for class, want := range map[chat.Class]string{chat.Overloaded: "overloaded_error", chat.RateLimited: "overloaded_error", chat.BadKey: "api_error"} {
		e := anthropic.Client{}.DecodeError(server().EncodeError(fault.Wrap(&chat.Error{Class: class}, fault.Provider, "m"), "r"))
		if e.Type != want {
			t.Errorf("%s: %+v", class, e)
		}
	}
}

func FuzzStreamEncoder(f *testing.F) {
	f.Add("text", "reason", "{}", "id")
	f.Add("\r\n\n", "data: x\n\n", `{"a":"}`, "\"")
	f.Add("", "", "]", "\xff")
	f.Fuzz(func(t *testing.T, words, reason, args, id string) {
		events := []chat.Event{
			{Kind: chat.EventStart, ID: id},
			{Kind: chat.EventReason, Text: reason, State: &chat.ReasoningState{Signature: id}},
			{Kind: chat.EventText, Text: words},
			{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: id, Name: id}},
			{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: id, Name: id, Arguments: args, Signature: reason}},
			{Kind: chat.EventCallArgs, Text: args},
			{Kind: chat.EventFinish, Finish: chat.FinishStop, Text: words},
			{Kind: chat.EventEnd},
		}
		var all chat.Assembler
		for i := range events {
			all.Add(&events[i])
		}
		streamed, w := put(t, streamOf(events)), whole(t, all.Response())
		if strings.ToValidUTF8(words+reason+args+id, "") != words+reason+args+id || strings.TrimSpace(args) != args || strings.HasPrefix(args, "{") && !isObject(args) {
			return // of which a stream cannot mend what a whole answer can
		}
		if !reflect.DeepEqual(w, streamed) {
			t.Fatalf("whole  %s\nstream %s", dialecttest.Indented(t, w), dialecttest.Indented(t, streamed))
		}
	})
}

func isObject(s string) bool {
	var o object
	return json.Unmarshal([]byte(s), &o) == nil && o != nil
}

// Agents size a conversation by the input tokens of message_start, which most providers tell only at the end.
func TestInputIsEstimatedAtTheStart(t *testing.T) {
	for _, known := range []bool{false, true} {
		enc := server().NewStreamEncoder(dialect.Served{EstimateInput: func() int64 { return 123 }})
		var out []byte
		if known {
			out = enc.Encode(out, &chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 45, Output: 1}})
		}
		out = enc.Encode(out, &chat.Event{Kind: chat.EventText, Text: "Hi"})
		if !known {
			out = enc.Encode(out, &chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 45, Output: 2}})
		}
		out = enc.Encode(out, &chat.Event{Kind: chat.EventEnd})
		start, rest, _ := strings.Cut(string(out), "\n\n")
		if strings.Contains(start, `"input_tokens":123`) == known || strings.Contains(start, `"input_tokens":45`) != known ||
			!strings.Contains(rest, `"input_tokens":45`) || strings.Contains(rest, "123") {
			t.Errorf("known %v: %s", known, out)
		}
	}
}
