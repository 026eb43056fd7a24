package gemini_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

var served = dialect.Served{RequestID: `my "42"`, Provider: "openai", Model: "gpt-5", Created: 1795478400}

// rich is an answer with every kind of event.
func rich() *chat.Response {
	return &chat.Response{ID: "r-1", Model: "gemini-3-pro", ServiceTier: "flex", Choices: []chat.Choice{
		{Index: 0, Finish: chat.FinishToolCalls,
			Logprobs: json.RawMessage(`{"content":[{"token":"H","logprob":-0.5,"bytes":null,"top_logprobs":[{"token":"H","logprob":-0.5,"bytes":null},{"token":"h","logprob":-1e-7,"bytes":null}]}],"refusal":null}`),
			Message: model(
				chat.Part{Kind: chat.Reason, Text: "Let me\nthink.", State: &chat.ReasoningState{Format: gemini.Format, Summary: true}},
				chat.Part{Kind: chat.Reason, Text: "Claude's.", State: &chat.ReasoningState{Signature: "sig+/==", Format: "anthropic-claude-v1"}},
				chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: "red", Index: 1}},
				chat.Part{Kind: chat.Reason, Text: "Unsigned."},
				chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{ID: "rs_1", Encrypted: "enc", Index: 2}},
				chat.Part{Kind: chat.Text, Text: "Hé 漢 🙂 \"q\"\n", Citations: []chat.Citation{{URL: "https://e.com", Title: "E", Text: "漢 🙂", Start: 3, End: 6}, {URL: "https://f.com", Title: "F"}}},
				chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Format: gemini.Format, Signature: "c2ln"}},
				media(chat.Image, chat.Media{MIMEType: "image/png", Data: "+/8="}),
				called("call_1", "look", `{"at":1,"s":"}\"{"}`, "dHM="),
				called("call_2", "now", `{}`, ""),
			)},
		{Index: 1, Finish: chat.FinishLength, Message: model(text("No."))},
		{Index: 2, Finish: chat.FinishContentFilter, Message: model(text("x"))},
	}, Usage: &chat.Usage{Input: 20, Cached: 8, InputAudio: 2, Output: 9, Reasoning: 5, OutputAudio: 1}}
}

func streamOf(form gemini.Form, events []chat.Event) []byte {
	e := gemini.NewServer("m", form).NewStreamEncoder(served)
	var out []byte
	for i := range events {
		out = e.Encode(out, &events[i])
	}
	return out
}

// back reads an answer of the server half with the client half.
func back(t testing.TB, form gemini.Form, body []byte) *chat.Response {
	t.Helper()
	if form == gemini.SSE {
		resp, complete, failed := collect(t, bytes.NewReader(body))
		if !complete || failed != nil {
			t.Fatalf("%v in %s", failed, body)
		}
		return resp
	}
	if !json.Valid(body) {
		t.Fatalf("no JSON: %s", body)
	}
	resp, err := gemini.Client{}.DecodeResponse(body)
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return resp
}

func TestEncodeRich(t *testing.T) {
	whole := gemini.NewServer("m", gemini.Whole).EncodeResponse(rich(), served)
	dialecttest.Golden(t, "testdata/respond/rich.golden", whole)
	dialecttest.Golden(t, "testdata/respond/rich-sse.golden", streamOf(gemini.SSE, chat.Events(rich())))
	dialecttest.Golden(t, "testdata/respond/rich-array.golden", streamOf(gemini.Array, chat.Events(rich())))
}

func TestEncodeContract(t *testing.T) {
	got := gemini.NewServer("m", gemini.Whole).EncodeResponse(&chat.Response{Choices: []chat.Choice{{Finish: chat.FinishStop, Message: model(text("Hello"))}}, Usage: &chat.Usage{Input: 3, Output: 4}}, served)
	want := `{"candidates":[{"content":{"parts":[{"text":"Hello"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7},"modelVersion":"gpt-5","responseId":"my \"42\""}`
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	events := []chat.Event{{Kind: chat.EventStart, ID: "a", Model: "b"}, {Kind: chat.EventText, Text: "Hel"}, {Kind: chat.EventText, Text: ""}, {Kind: chat.EventText, Text: "lo\n"},
		{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 1}}, {Kind: chat.EventFinish, Finish: chat.FinishStop}, {Kind: chat.EventUsage, Usage: &chat.Usage{Input: 3, Output: 4, Reasoning: 1}}, {Kind: chat.EventEnd}}
	chunks := []string{
		`{"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}],"modelVersion":"b","responseId":"a"}`,
		`{"candidates":[{"content":{"parts":[{"text":"lo\n"}],"role":"model"},"index":0}],"modelVersion":"b","responseId":"a"}`,
		`{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":3,"thoughtsTokenCount":1,"totalTokenCount":7},"modelVersion":"b","responseId":"a"}`,
	}
	if got, want := string(streamOf(gemini.SSE, events)), "data: "+strings.Join(chunks, "\n\ndata: ")+"\n\n"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got, want := string(streamOf(gemini.Array, events)), "["+strings.Join(chunks, ",\r\n")+"]"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// The dialect's calls are whole: they wait for their arguments, and later parts wait for them.
func TestStreamCalls(t *testing.T) {
	e := gemini.NewServer("m", gemini.SSE).NewStreamEncoder(served)
	step := func(ev chat.Event) int { return bytes.Count(e.Encode(nil, &ev), []byte("data: ")) }
	args := func(call int, s string) chat.Event {
		return chat.Event{Kind: chat.EventCallArgs, Call: call, Text: s}
	}
	for i, c := range []struct {
		ev   chat.Event
		want int
	}{
		{chat.Event{Kind: chat.EventCall, Call: 0, ToolCall: &chat.ToolCall{ID: "a", Name: "f"}}, 0},
		{args(0, `{"a":"}`), 0},
		{chat.Event{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: "b", Name: "g", Arguments: "{}"}}, 0},
		{chat.Event{Kind: chat.EventText, Text: "meanwhile"}, 0},
		{args(0, `\"{`), 0},
		{args(0, `"}`), 3},
		{chat.Event{Kind: chat.EventText, Text: "then"}, 1},
		{chat.Event{Kind: chat.EventCall, Call: 2, ToolCall: &chat.ToolCall{ID: "c", Name: "h", Arguments: "{"}}, 0},
		{chat.Event{Kind: chat.EventFinish, Finish: chat.FinishToolCalls}, 1},
		{chat.Event{Kind: chat.EventEnd}, 1},
	} {
		if got := step(c.ev); got != c.want {
			t.Errorf("step %d: %d chunks, want %d", i, got, c.want)
		}
	}
}

// TestStreamIsWhole: the assembled stream equals the whole answer, in both framings.
func TestStreamIsWhole(t *testing.T) {
	check := func(name string, events []chat.Event) {
		t.Helper()
		var all chat.Assembler
		for i := range events {
			all.Add(&events[i])
		}
		whole := back(t, gemini.Whole, gemini.NewServer("m", gemini.Whole).EncodeResponse(all.Response(), served))
		for _, form := range []gemini.Form{gemini.SSE, gemini.Array} {
			if streamed := back(t, form, streamOf(form, events)); !reflect.DeepEqual(whole, streamed) {
				t.Fatalf("%s, form %d:\nwhole  %s\nstream %s", name, form, dialecttest.Indented(t, whole), dialecttest.Indented(t, streamed))
			}
		}
	}
	check("rich", chat.Events(rich()))
	for seed := range uint64(400) {
		check(fmt.Sprint("seed ", seed), randomEvents(rand.New(rand.NewPCG(seed, 2))))
		check(fmt.Sprint("interleaved, seed ", seed), dialecttest.Interleaved(rand.New(rand.NewPCG(seed, 5))))
	}
}

// randomEvents returns a stream that interleaves all parts that may be interleaved.
func randomEvents(r *rand.Rand) []chat.Event {
	word := func() string { return []string{"a", "é", "漢\n", "\"", "some words "}[r.IntN(5)] }
	events := []chat.Event{{Kind: chat.EventStart, ID: "id", Model: "m"}}
	n := 1 + r.IntN(2)
	calls := make([][]int, n) // how often each call was added to
	for range r.IntN(30) {
		c := r.IntN(n)
		ev := chat.Event{Choice: c, Text: word()}
		switch r.IntN(7) {
		case 0, 1:
			ev.Kind = chat.EventText
		case 2:
			ev.Kind = chat.EventReason
		case 3:
			ev.Kind, ev.State = chat.EventReason, randomState(r, word)
			if ev.State.Redacted != "" || r.IntN(6) == 0 {
				ev.Text = ""
			}
		case 4:
			ev = chat.Event{Kind: chat.EventCall, Choice: c, Call: len(calls[c]), ToolCall: &chat.ToolCall{ID: fmt.Sprint(len(calls[c])), Name: word(), Signature: []string{"", "c2ln"}[r.IntN(2)]}}
			calls[c] = append(calls[c], 0)
		case 5:
			if len(calls[c]) == 0 {
				continue
			}
			ev.Kind, ev.Call = chat.EventCallArgs, r.IntN(len(calls[c]))
			pieces := []string{`{"a`, `":`, ` [1, "}"`, `] }`}
			if calls[c][ev.Call] == len(pieces) {
				continue
			}
			ev.Text = pieces[calls[c][ev.Call]]
			calls[c][ev.Call]++
		case 6:
			ev = chat.Event{Kind: chat.EventCitation, Choice: c, Citation: &chat.Citation{URL: fmt.Sprint("https://e.com/", r.IntN(50)), Title: "t"}}
		}
		events = append(events, ev)
	}
	for c := range n {
		events = append(events, chat.Event{Kind: chat.EventFinish, Choice: c, Finish: []chat.FinishReason{chat.FinishStop, chat.FinishLength}[r.IntN(2)]})
	}
	return append(events, chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 1 + r.Int64N(100), Output: 1}}, chat.Event{Kind: chat.EventEnd})
}

func randomState(r *rand.Rand, word func() string) *chat.ReasoningState {
	s := &chat.ReasoningState{Format: []string{"", "f", gemini.Format}[r.IntN(3)], Index: r.IntN(2), Summary: r.IntN(2) == 0}
	switch r.IntN(6) {
	case 0, 1:
		s.Signature = "c2ln"
	case 2:
		s.ID = []string{"i", "j"}[r.IntN(2)]
	case 3:
		s.Encrypted, s.ID = word(), "i"
	case 4:
		s.Redacted = word()
	}
	if *s == (chat.ReasoningState{}) {
		s.Format = "f" // a state that says nothing is none
	}
	return s
}

// The client half reads the answer that the server half writes as the same answer.
func TestAnswerComesBack(t *testing.T) {
	want := rich()
	want.Choices[1].Message.Parts, want.Choices[2].Message.Parts = []chat.Part{text("No.")}, []chat.Part{text("x")}
	for form, body := range map[gemini.Form][]byte{
		gemini.Whole: gemini.NewServer("m", gemini.Whole).EncodeResponse(rich(), served),
		gemini.SSE:   streamOf(gemini.SSE, chat.Events(rich())),
		gemini.Array: streamOf(gemini.Array, chat.Events(rich())),
	} {
		if got := back(t, form, body); !bytes.Equal(dialecttest.Indented(t, got), dialecttest.Indented(t, want)) {
			t.Errorf("form %d:\n got %s\nwant %s", form, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
		}
	}
	for seed := range uint64(400) {
		events := randomEvents(rand.New(rand.NewPCG(seed, 3)))
		var all chat.Assembler
		for i := range events {
			all.Add(&events[i])
		}
		want := all.Response()
		normalize(want)
		got := back(t, gemini.Whole, gemini.NewServer("m", gemini.Whole).EncodeResponse(want, served))
		if !bytes.Equal(dialecttest.Indented(t, got), dialecttest.Indented(t, want)) {
			t.Fatalf("seed %d:\n got %s\nwant %s", seed, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
		}
	}
}

// normalize makes the dialect able to express a random answer: calls have whole arguments, states are not empty, the finish
// reason fits the calls, citations have one place.
func normalize(r *chat.Response) {
	for i := range r.Choices {
		c := &r.Choices[i]
		calls := 0
		var parts []chat.Part
		var cited []chat.Citation
		seen := map[string]bool{}
		for _, p := range c.Message.Parts {
			for _, one := range p.Citations {
				if !seen[one.URL] {
					seen[one.URL] = true
					cited = append(cited, one)
				}
			}
			p.Citations = nil
			if p.Kind == chat.Call {
				calls++
				p.ToolCall.Arguments = `{"a":[1]}`
			}
			if p.Kind == chat.Text && p.Text == "" {
				continue
			}
			if p.State != nil && *p.State == (chat.ReasoningState{}) {
				p.State = nil
			}
			if p.Kind == chat.Reason && p.Text == "" && p.State == nil {
				continue
			}
			parts = append(parts, p)
		}
		// Reasoning stays in several parts only if chat.Assembler keeps it so.
		var all chat.Assembler
		for _, ev := range chat.Events(&chat.Response{Choices: []chat.Choice{{Message: chat.Message{Parts: parts}}}}) {
			all.Add(&ev)
		}
		if folded := all.Response().Choices; len(folded) > 0 {
			parts = folded[0].Message.Parts
		}
		at := -1
		for n := range parts {
			if parts[n].Kind == chat.Text {
				at = n
			}
		}
		switch {
		case len(cited) == 0:
		case at >= 0:
			parts[at].Citations = cited
		default:
			parts = append(parts, chat.Part{Kind: chat.Text, Citations: cited})
		}
		c.Message.Parts = parts
		if calls > 0 && c.Finish == chat.FinishStop {
			c.Finish = chat.FinishToolCalls
		}
	}
}

// An answer's message can be returned unchanged, and means the same to its provider.
func TestMessageComesBack(t *testing.T) {
	want := rich().Choices[0].Message
	for i := range want.Parts {
		want.Parts[i].Citations = nil // no provider takes them
	}
	for name, body := range map[string][]byte{
		"whole": gemini.NewServer("m", gemini.Whole).EncodeResponse(rich(), served),
		"array": streamOf(gemini.Array, chat.Events(rich())),
	} {
		var chunks []struct {
			Candidates []struct {
				Index   int
				Content struct{ Parts []json.RawMessage }
			}
		}
		if name == "whole" {
			body = append(append([]byte{'['}, body...), ']')
		}
		if err := json.Unmarshal(body, &chunks); err != nil {
			t.Fatal(err)
		}
		var parts []json.RawMessage
		for _, chunk := range chunks {
			for _, c := range chunk.Candidates {
				if c.Index == 0 {
					parts = append(parts, c.Content.Parts...)
				}
			}
		}
		joined, _ := json.Marshal(parts)
		// Python's SDK keeps signatures as bytes, and writes them in the other alphabet of base64.
		for form, sent := range map[string]string{"as it came": string(joined), "in Python": strings.NewReplacer("image/png", "image/png", "+", "-", "/", "_").Replace(string(joined))} {
			req := decode(t, `{"contents":[{"role":"model","parts":`+sent+`}]}`)
			if !reflect.DeepEqual(dialecttest.PlacelessMessage(req.Messages[0]), want) {
				t.Errorf("%s, %s:\n got %s\nwant %s", name, form, dialecttest.Indented(t, req.Messages[0]), dialecttest.Indented(t, want))
			}
		}
	}
}

func TestErrors(t *testing.T) {
	e := &fault.Error{Code: fault.RateLimit, Message: "all keys are \"spent\"\n", Details: map[string]any{"class": chat.DailyQuota, "keys": []int{1}, "a": "b"}, RetryAfter: 1500 * time.Millisecond, Err: fmt.Errorf("secret")}
	body := `{"error":{"code":429,"message":"all keys are \"spent\"\n","status":"RESOURCE_EXHAUSTED","details":[` +
		`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"llm-gateway","metadata":{"a":"b","class":"daily_quota","keys":"[1]"}},` +
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"},{"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"my \"42\""}]}}`
	for form, want := range map[gemini.Form]string{gemini.Whole: body, gemini.SSE: body, gemini.Array: "[" + body + "]"} {
		if got := string(gemini.NewServer("m", form).EncodeError(e, served.RequestID)); got != want {
			t.Errorf("form %d: %s", form, got)
		}
	}
	chunk := `{"candidates":[{"content":{"parts":[{"text":"half"}],"role":"model"},"index":0}],"modelVersion":"gpt-5","responseId":"my \"42\""}`
	for form, want := range map[gemini.Form]string{gemini.SSE: "data: " + chunk + "\n\ndata: " + body + "\n\n", gemini.Array: "[" + chunk + ",\r\n" + body + "]"} {
		enc := gemini.NewServer("m", form).NewStreamEncoder(served)
		out := enc.Encode(nil, &chat.Event{Kind: chat.EventText, Text: "half"})
		out = enc.Encode(out, &chat.Event{Kind: chat.EventError, Err: &chat.Error{Message: "not for the caller"}})
		if got := string(enc.Error(enc.Heartbeat(out), e)); got != want {
			t.Errorf("form %d: %s", form, got)
		}
		first := gemini.NewServer("m", form).NewStreamEncoder(served).Error(nil, e)
		if got := string(first); form == gemini.Array && got != "["+body+"]" || form == gemini.SSE && got != "data: "+body+"\n\n" {
			t.Errorf("form %d: %s", form, got)
		}
	}
	_, _, err := gemini.NewServer("m", gemini.Whole).DecodeRequest([]byte(`{"contents":7}`))
	got := string(gemini.NewServer("m", gemini.Whole).EncodeError(fault.From(err), ""))
	if want := `{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents","description":"expected an array, got a number"}`; !strings.Contains(got, want) || !strings.Contains(got, `"code":400`) || !json.Valid([]byte(got)) {
		t.Error(got)
	}
	// Google's names, as the SDKs know them.
	for code, want := range map[fault.Code]string{fault.Validation: "400 INVALID_ARGUMENT", fault.NoEligibleKey: "400 FAILED_PRECONDITION", fault.Unauthorized: "401 UNAUTHENTICATED", fault.Forbidden: "403 PERMISSION_DENIED",
		fault.NotFound: "404 NOT_FOUND", fault.MethodNotAllowed: "405 UNIMPLEMENTED", fault.RequestTimeout: "408 DEADLINE_EXCEEDED", fault.Conflict: "409 ABORTED", fault.TooLarge: "413 INVALID_ARGUMENT",
		fault.Provider: "502 UNAVAILABLE", fault.Unavailable: "503 UNAVAILABLE", fault.ProviderTimeout: "504 DEADLINE_EXCEEDED", fault.Internal: "500 INTERNAL", fault.Cancelled: "499 CANCELLED"} {
		read := gemini.Client{}.DecodeError(gemini.NewServer("m", gemini.Array).EncodeError(&fault.Error{Code: code, Message: "m"}, ""))
		if got := fmt.Sprint(read.Status, " ", read.Type); got != want || read.Code != string(code) || read.Message != "m" {
			t.Errorf("%s: %+v, want %s", code, read, want)
		}
	}
	if got := gemini.NewServer("m", gemini.Whole).EncodeError(&fault.Error{Code: fault.Internal, Details: map[string]any{"x": func() {}}}, ""); !json.Valid(got) || bytes.Contains(got, []byte("metadata")) {
		t.Errorf("%s", got)
	}
}

func FuzzStreamEncoder(f *testing.F) {
	f.Add("text", "reason", `{"a":1}`, "id")
	f.Add("\r\n\n", "data: x\n\n", "\xff", "\"")
	f.Fuzz(func(t *testing.T, say, reason, args, id string) {
		events := []chat.Event{
			{Kind: chat.EventStart, ID: "x", Model: "y"},
			{Kind: chat.EventReason, Text: reason, State: &chat.ReasoningState{Signature: id}},
			{Kind: chat.EventText, Text: say},
			{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: "c" + id, Name: id}},
			{Kind: chat.EventCallArgs, Text: args},
			{Kind: chat.EventText, Text: say},
			{Kind: chat.EventFinish, Finish: chat.FinishStop},
			{Kind: chat.EventEnd},
		}
		var all chat.Assembler
		for i := range events {
			all.Add(&events[i])
		}
		whole := back(t, gemini.Whole, gemini.NewServer("m", gemini.Whole).EncodeResponse(all.Response(), served))
		for _, form := range []gemini.Form{gemini.SSE, gemini.Array} {
			streamed := back(t, form, streamOf(form, events))
			// A character that two events share is lost in the stream but not in the whole answer: only valid text is compared.
			if strings.ToValidUTF8(say+reason+args+id, "") == say+reason+args+id && json.Valid([]byte(args)) && !reflect.DeepEqual(whole, streamed) {
				t.Fatalf("whole  %s\nstream %s", dialecttest.Indented(t, whole), dialecttest.Indented(t, streamed))
			}
		}
	})
}

// Every event is one line of data: the SDKs split at blank lines.
func TestStreamFraming(t *testing.T) {
	out := streamOf(gemini.SSE, chat.Events(rich()))
	r := sse.NewReader(bytes.NewReader(out), 0)
	n := 0
	for {
		name, data, err := r.Next()
		if err != nil {
			break
		}
		n++
		if name != "" || !json.Valid(data) || bytes.ContainsAny(data, "\r\n") {
			t.Errorf("%q: %s", name, data)
		}
	}
	if want := bytes.Count(out, []byte("\n\n")); n != want || n < 10 {
		t.Errorf("%d events in %d blocks", n, want)
	}
}

// An image by its address becomes a note with the address, streamed or not.
func TestPicturesElsewhere(t *testing.T) {
	resp := &chat.Response{Choices: []chat.Choice{{Finish: chat.FinishStop, Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{
		{Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/a.png"}}}}}}}
	server := gemini.NewServer("m", gemini.SSE)
	stream := server.NewStreamEncoder(dialect.Served{})
	var streamed []byte
	for _, ev := range chat.Events(resp) {
		streamed = stream.Encode(streamed, &ev)
	}
	for form, out := range map[string][]byte{"whole": server.EncodeResponse(resp, dialect.Served{}), "streamed": streamed} {
		if !strings.Contains(string(out), `{"text":"[image: https://e.com/a.png]"}`) {
			t.Errorf("%s: %s", form, out)
		}
	}
}
