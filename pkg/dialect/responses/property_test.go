package responses_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// states is the origin of the reasoning in random answers.
type states uint8

const (
	own     states = iota // this dialect's: with ids, some encrypted
	foreign               // of all dialects
)

// randomAnswer returns an answer that a provider could stream.
func randomAnswer(r *rand.Rand, s states) []chat.Event {
	out := []chat.Event{{Kind: chat.EventStart, ID: "x", Model: "y", Created: 1, ServiceTier: "auto"}}
	words := func(kind chat.EventKind, phase string) {
		for range 1 + r.IntN(3) {
			out = append(out, chat.Event{Kind: kind, Text: randomText(r), Phase: phase})
		}
	}
	var open []int // calls whose arguments may still come
	calls, texts := 0, 0
	for n := range r.IntN(7) {
		switch r.IntN(6) {
		case 0:
			phase := []string{"", "commentary", "final_answer"}[r.IntN(3)]
			words(chat.EventText, phase)
			texts++
			for range r.IntN(2) {
				out = append(out, chat.Event{Kind: chat.EventCitation, Citation: &chat.Citation{URL: "https://e.com/" + randomText(r), Title: randomText(r), Start: 1, End: 1 + r.IntN(9)}})
			}
		case 1:
			words(chat.EventRefusal, "")
		case 2, 3:
			if s == own {
				out = appendOwn(out, r, n)
			} else {
				out = appendForeign(out, r)
			}
		default:
			call := &chat.ToolCall{ID: fmt.Sprintf("call_%d", calls), Name: "f", Custom: r.IntN(4) == 0}
			if s == foreign && r.IntN(3) == 0 {
				call.Signature = "sig" + randomText(r)
			}
			out = append(out, chat.Event{Kind: chat.EventCall, Call: calls, ToolCall: call})
			if open = append(open, calls); call.Custom || r.IntN(2) == 0 {
				for range 2 {
					out = append(out, chat.Event{Kind: chat.EventCallArgs, Call: calls, Text: `"a"`})
				}
				open = open[:len(open)-1]
				if !call.Custom { // a whole object closes the call
					out[len(out)-2].Text, out[len(out)-1].Text = `{"a":`, `"}"}`
				}
			}
			calls++
		}
	}
	for _, n := range open {
		out = append(out, chat.Event{Kind: chat.EventCallArgs, Call: n, Text: `{"late":`}, chat.Event{Kind: chat.EventCallArgs, Call: n, Text: "1}"})
	}
	finish := []chat.FinishReason{chat.FinishStop, chat.FinishLength, chat.FinishContentFilter}[r.IntN(3)]
	if finish == chat.FinishStop && calls > 0 {
		finish = chat.FinishToolCalls
	}
	out = append(out, chat.Event{Kind: chat.EventFinish, Finish: finish})
	if r.IntN(4) > 0 {
		out = append(out, chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 100, Cached: 10, CacheWrite: 3, Output: 50, Reasoning: 20}, ServiceTier: "default"})
	}
	return append(out, chat.Event{Kind: chat.EventEnd})
}

// appendOwn appends a reasoning item as OpenAI streams it: texts of the summary, texts of the content, and the encrypted
// content.
func appendOwn(out []chat.Event, r *rand.Rand, n int) []chat.Event {
	state := chat.ReasoningState{ID: fmt.Sprintf("rs_%d", n)}
	said := false
	for _, summary := range []bool{true, false} {
		for i := range r.IntN(3) {
			said = true
			state.Summary, state.Index = summary, i
			begun := state
			out = append(out, chat.Event{Kind: chat.EventReason, Text: randomText(r), State: &begun}, chat.Event{Kind: chat.EventReason, Text: randomText(r)})
		}
	}
	if !said || r.IntN(2) == 0 {
		state.Encrypted = "gAAAA" + randomText(r)
		out = append(out, chat.Event{Kind: chat.EventReason, State: &state})
	}
	return out
}

// appendForeign appends reasoning as other dialects have it.
func appendForeign(out []chat.Event, r *rand.Rand) []chat.Event {
	think := func(text string, s *chat.ReasoningState) {
		out = append(out, chat.Event{Kind: chat.EventReason, Text: text, State: s})
	}
	switch r.IntN(5) {
	case 0: // Anthropic
		think(randomText(r), nil)
		think("", &chat.ReasoningState{Signature: "sig" + randomText(r)})
	case 1:
		think("", &chat.ReasoningState{Redacted: "red" + randomText(r)})
	case 2: // OpenRouter
		think(randomText(r), &chat.ReasoningState{Format: "f", Index: 1, Summary: true})
		think("", &chat.ReasoningState{Format: "f", Index: 2, ID: "tool_1", Encrypted: "enc" + randomText(r)})
	case 3: // DeepSeek
		think(randomText(r), nil)
		think(randomText(r), nil)
	case 4: // a signature that comes when the answer has begun
		think(randomText(r), nil)
		out = append(out, chat.Event{Kind: chat.EventText, Text: "a"})
		think("", &chat.ReasoningState{Signature: "late"})
		out = append(out, chat.Event{Kind: chat.EventText, Text: "b"})
	}
	return out
}

func randomText(r *rand.Rand) string {
	all := []string{"a", "bc ", "\"", "\\", "\n", "é", "😀", "<&>", "data: x\n\n", "\u2028", "{"}
	var b strings.Builder
	for range 1 + r.IntN(4) {
		b.WriteString(all[r.IntN(len(all))])
	}
	return b.String()
}

func fold(events []chat.Event) *chat.Response {
	var a chat.Assembler
	for i := range events {
		a.Add(&events[i])
	}
	return a.Response()
}

func served() dialect.Served {
	return dialect.Served{RequestID: "0192f3a4-0001", Provider: "openai", Model: "gpt-5", Created: 1700000000}
}

// streamed returns the stream that the server half writes.
func streamed(events []chat.Event, s dialect.Served) []byte {
	e := new(responses.Server).NewStreamEncoder(s)
	var out []byte
	for i := range events {
		out = e.Encode(out, &events[i])
	}
	return out
}

// readStream reads a stream with the client half.
func readStream(t testing.TB, reader *sse.Reader) *chat.Assembler {
	t.Helper()
	all := new(chat.Assembler)
	d := responses.Client{}.NewStreamDecoder()
	for {
		name, data, err := reader.Next()
		var events []chat.Event
		if err != nil {
			events = d.Close(nil)
		} else {
			events = d.Decode(nil, name, data)
		}
		for i := range events {
			all.Add(&events[i])
			if k := events[i].Kind; k == chat.EventEnd || k == chat.EventError {
				return all
			}
		}
		if err != nil {
			t.Fatal("Close ended nothing")
		}
	}
}

// TestAnswersReadBack: the client half reads the answer that the server half writes, whole or streamed, as the same answer.
func TestAnswersReadBack(t *testing.T) {
	for seed := range uint64(2000) {
		events := randomAnswer(rand.New(rand.NewPCG(seed, 1)), own)
		want := fold(events)
		body := new(responses.Server).EncodeResponse(want, served())
		stream := streamed(events, served())

		want.ID, want.Model, want.Created = "resp_llm_0192f3a4-0001", "gpt-5", 1700000000
		if want.Usage == nil {
			want.ServiceTier = "" // it is read with the usage
		}
		if len(want.Choices[0].Message.Parts) == 0 {
			want.Choices[0].Message.Parts = nil
		}
		got, err := responses.Client{}.DecodeResponse(body)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v\n got %s\nwant %s\nfrom %s", seed, err, dialecttest.Indented(t, got), dialecttest.Indented(t, want), body)
		}
		all := readStream(t, sse.NewReader(bytes.NewReader(stream), 0))
		if got := all.Response(); all.Err() != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v\n got %s\nwant %s\nfrom %s", seed, all.Err(), dialecttest.Indented(t, got), dialecttest.Indented(t, want), stream)
		}
	}
}

// TestAnswersReturn: an answer's items in the next request are read as the same message, for all providers, whole or
// streamed.
func TestAnswersReturn(t *testing.T) {
	for seed := range uint64(3000) {
		events := randomAnswer(rand.New(rand.NewPCG(seed, 2)), states(seed%2))
		whole := fold(events)
		want := whole.Choices[0].Message.Parts
		for i := range want {
			want[i].Citations = nil // no provider takes them back
		}
		if len(want) == 0 {
			continue
		}
		body := new(responses.Server).EncodeResponse(whole, served())
		for from, output := range map[string]json.RawMessage{"whole": outputOf(t, body), "stream": doneItems(t, streamed(events, served()))} {
			req, _, err := new(responses.Server).DecodeRequest([]byte(`{"input":` + string(output) + `}`))
			if err != nil {
				t.Fatalf("seed %d, %s: %v\n%s", seed, from, err, output)
			}
			if got := joined(req.Messages[0].Parts); len(req.Messages) != 1 || !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, %s:\n got %s\nwant %s\nfrom %s", seed, from, dialecttest.Indented(t, got), dialecttest.Indented(t, want), output)
			}
		}
	}
}

// joined merges texts that a stream splits.
func joined(parts []chat.Part) []chat.Part {
	var out []chat.Part
	for _, p := range parts {
		if n := len(out); n > 0 && p.Kind == chat.Text && out[n-1].Kind == chat.Text && out[n-1].Phase == p.Phase {
			out[n-1].Text += p.Text
		} else {
			out = append(out, p)
		}
	}
	return out
}

func outputOf(t *testing.T, response []byte) json.RawMessage {
	t.Helper()
	var r struct{ Output json.RawMessage }
	if err := json.Unmarshal(response, &r); err != nil {
		t.Fatalf("%v: %s", err, response)
	}
	return r.Output
}

// TestStreamSequence: the events of a stream are numbered, every added item and part is done, the deltas make up the done
// text, and the last response is the whole answer.
func TestStreamSequence(t *testing.T) {
	for seed := range uint64(1000) {
		events := randomAnswer(rand.New(rand.NewPCG(seed, 3)), states(seed%2))
		stream := streamed(events, served())
		last := checkSequence(t, stream)
		if seed%2 == 0 {
			if want := new(responses.Server).EncodeResponse(fold(events), served()); !bytes.Equal(last, want) {
				t.Fatalf("seed %d: the stream ends with\n%s\nthe whole answer is\n%s", seed, last, want)
			}
		}
		if seed%100 == 0 {
			slow := sse.NewReader(iotest.OneByteReader(bytes.NewReader(stream)), 0)
			if all := readStream(t, slow); !all.Ended() {
				t.Fatalf("seed %d: %v", seed, all.Err())
			}
		}
	}
}

// The parts may be interleaved: the stream ends with the whole answer, and its done items are the same.
func TestInterleavedStreamIsWhole(t *testing.T) {
	for seed := range uint64(2000) {
		events := dialecttest.Interleaved(rand.New(rand.NewPCG(seed, 5)))
		stream := streamed(events, served())
		last := checkSequence(t, stream)
		if want := new(responses.Server).EncodeResponse(fold(events), served()); !bytes.Equal(last, want) {
			t.Fatalf("seed %d: the stream ends with\n%s\nthe whole answer is\n%s", seed, last, want)
		}
	}
}

// An answer whose only choice has another index than 0 is an answer.
func TestChoiceOfAnotherIndex(t *testing.T) {
	events := []chat.Event{{Kind: chat.EventStart}, {Kind: chat.EventText, Choice: 2, Text: "b"}, {Kind: chat.EventText, Choice: 1, Text: "a"},
		{Kind: chat.EventFinish, Choice: 1, Finish: chat.FinishLength}, {Kind: chat.EventFinish, Choice: 2, Finish: chat.FinishStop}, {Kind: chat.EventEnd}}
	last := checkSequence(t, streamed(events, served()))
	want := new(responses.Server).EncodeResponse(fold(events), served())
	if !bytes.Equal(last, want) || !bytes.Contains(want, []byte(`"text":"a"`)) {
		t.Fatalf("the stream ends with\n%s\nthe whole answer is\n%s", last, want)
	}
}
