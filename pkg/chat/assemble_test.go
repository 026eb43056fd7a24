package chat_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func fold(events []chat.Event) *chat.Assembler {
	a := new(chat.Assembler)
	for i := range events {
		a.Add(&events[i])
	}
	return a
}

func TestAssemble(t *testing.T) {
	usage := &chat.Usage{Input: 1, Output: 2}
	a := fold([]chat.Event{
		{Kind: chat.EventStart, ID: "i", Model: "m", Created: 3, ServiceTier: "t", SystemFingerprint: "f"},
		{Kind: chat.EventText, Choice: 1, Text: "other"},
		{Kind: chat.EventReason, Text: "let "},
		{Kind: chat.EventReason, Text: "me"},
		{Kind: chat.EventReason, State: &chat.ReasoningState{Signature: "s"}},
		{Kind: chat.EventReason, State: &chat.ReasoningState{Redacted: "r"}},
		{Kind: chat.EventReason, Text: "again"},
		{Kind: chat.EventCitation, Citation: &chat.Citation{URL: "early"}},
		{Kind: chat.EventText, Text: "a"},
		{Kind: chat.EventText, Text: "b"},
		{Kind: chat.EventText, Text: ""},
		{Kind: chat.EventText, Text: "c"},
		{Kind: chat.EventText, Text: "d", Phase: "p"},
		{Kind: chat.EventText, Text: "e", Phase: "p"},
		{Kind: chat.EventCitation, Citation: &chat.Citation{URL: "late"}},
		{Kind: chat.EventCall, Call: 0, ToolCall: &chat.ToolCall{ID: "1", Name: "f", Arguments: "{"}},
		{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: "2", Name: "g"}},
		{Kind: chat.EventCallArgs, Call: 1, Text: "{}"},
		{Kind: chat.EventCallArgs, Call: 0, Text: `"x":`},
		{Kind: chat.EventCallArgs, Call: 0, Text: "1}"},
		{Kind: chat.EventCallArgs, Call: 9, Text: "nobody's"},
		{Kind: chat.EventReason, State: &chat.ReasoningState{ID: "late"}}, // belongs to "again"
		{Kind: chat.EventRefusal, Text: "no"},
		{Kind: chat.EventRefusal, Text: "pe"},
		{Kind: chat.EventLogprobs, Raw: json.RawMessage(`{"content":[1]}`)},
		{Kind: chat.EventLogprobs, Raw: json.RawMessage(`{"content":[2,3],"refusal":[4]}`)},
		{Kind: chat.EventFinish, Choice: 1, Finish: chat.FinishLength},
		{Kind: chat.EventUsage, Usage: &chat.Usage{}},
		{Kind: chat.EventFinish, Finish: chat.FinishStop},
		{Kind: chat.EventUsage, Usage: usage, ServiceTier: "u"},
		{Kind: chat.EventEnd},
	})
	want := &chat.Response{ID: "i", Model: "m", Created: 3, ServiceTier: "u", SystemFingerprint: "f", Usage: usage, Choices: []chat.Choice{
		{Finish: chat.FinishStop, Logprobs: json.RawMessage(`{"content":[1,2,3],"refusal":[4]}`), Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Reason, Text: "let me", State: &chat.ReasoningState{Signature: "s"}},
			{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: "r"}},
			{Kind: chat.Reason, Text: "again", State: &chat.ReasoningState{ID: "late"}},
			{Kind: chat.Text, Text: "abc", Citations: []chat.Citation{{URL: "early"}}},
			{Kind: chat.Text, Text: "de", Phase: "p", Citations: []chat.Citation{{URL: "late"}}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "1", Name: "f", Arguments: `{"x":1}`}},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "2", Name: "g", Arguments: "{}"}},
			{Kind: chat.Refusal, Text: "nope"},
		}}},
		{Index: 1, Finish: chat.FinishLength, Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Text, Text: "other"}}}},
	}}
	if got := a.Response(); !reflect.DeepEqual(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got %s\nwant %s", g, w)
	}
	if !a.Ended() || a.Err() != nil {
		t.Error("not ended, or failed")
	}
}

func TestAssembleIncomplete(t *testing.T) {
	failure := &chat.Error{Class: chat.Overloaded}
	a := fold([]chat.Event{{Kind: chat.EventText, Text: "half"}, {Kind: chat.EventCitation, Choice: 1, Citation: &chat.Citation{URL: "u"}}, {Kind: chat.EventError, Err: failure}})
	r := a.Response()
	if a.Ended() || a.Err() != failure || r.Choices[0].Message.Parts[0].Text != "half" {
		t.Errorf("%+v", r)
	}
	if p := r.Choices[1].Message.Parts; len(p) != 1 || p[0].Citations[0].URL != "u" {
		t.Errorf("a citation without text: %+v", p)
	}
	if r := new(chat.Assembler).Response(); len(r.Choices) != 0 || r.Usage != nil {
		t.Errorf("%+v", r)
	}
}

func TestAssembleDropsEmptyState(t *testing.T) {
	r := fold([]chat.Event{{Kind: chat.EventReason, Text: "x", State: &chat.ReasoningState{}}}).Response()
	if p := r.Choices[0].Message.Parts[0]; p.State != nil {
		t.Errorf("%+v", p)
	}
}

// An event that was folded must not be changed by what follows it.
func TestAssembleKeepsEvents(t *testing.T) {
	call := &chat.ToolCall{ID: "1", Name: "f"}
	state := &chat.ReasoningState{ID: "r"}
	fold([]chat.Event{
		{Kind: chat.EventReason, Text: "x", State: state}, {Kind: chat.EventReason, State: &chat.ReasoningState{ID: "r", Encrypted: "e"}},
		{Kind: chat.EventCall, ToolCall: call}, {Kind: chat.EventCallArgs, Text: "{}"},
	}).Response()
	if call.Arguments != "" || state.Encrypted != "" {
		t.Errorf("%+v %+v", call, state)
	}
}

func TestTakes(t *testing.T) {
	type S = chat.ReasoningState
	for _, c := range []struct {
		s, next *S
		want    bool
	}{
		{nil, nil, true},
		{nil, &S{Signature: "x"}, true},
		{nil, &S{Summary: true}, true},
		{nil, &S{Redacted: "x"}, false},
		{nil, &S{Encrypted: "x"}, false},
		{&S{Format: "f"}, nil, true},
		{&S{Format: "f"}, &S{Format: "f", Signature: "x"}, true},
		{&S{Signature: "x"}, nil, false},
		{&S{Redacted: "x"}, nil, false},
		{&S{Encrypted: "x"}, nil, false},
		{&S{Signature: "x"}, &S{Signature: "x"}, false},
		{&S{ID: "a", Summary: true}, &S{ID: "a", Summary: true, Encrypted: "x"}, true},
		{&S{Summary: true}, &S{ID: "a", Encrypted: "x"}, false},
		{&S{ID: "a"}, &S{ID: "b"}, false},
		{&S{Format: "f"}, &S{Format: "g"}, false},
		{&S{}, &S{Summary: true}, false},
		{&S{}, &S{Index: 1}, false},
		{&S{}, &S{ID: "a"}, true},
	} {
		if got := c.s.Takes(c.next); got != c.want {
			t.Errorf("%+v takes %+v: %v", c.s, c.next, got)
		}
	}
}

// randomResponse is an answer whose parts are all distinguishable in a stream.
func randomResponse(r *rand.Rand) *chat.Response {
	word := func() string { return strings.Repeat("é漢x"[:1+r.IntN(5)], 1+r.IntN(20)) }
	resp := &chat.Response{ID: word(), Model: word(), Created: r.Int64(), Usage: &chat.Usage{Input: r.Int64()}, Choices: []chat.Choice{}}
	for i := range 1 + r.IntN(3) {
		c := chat.Choice{Index: i, Finish: chat.FinishStop, StopSequence: []string{"", word()}[r.IntN(2)], Message: chat.Message{Role: chat.Assistant}}
		var last chat.PartKind
		for range r.IntN(8) {
			p := chat.Part{Kind: []chat.PartKind{chat.Text, chat.Call, chat.Reason, chat.Refusal}[r.IntN(4)], Text: word()}
			switch p.Kind {
			case chat.Text:
				if r.IntN(2) == 0 {
					p.Citations = []chat.Citation{{URL: word()}}
				}
			case chat.Call:
				p.Text, p.ToolCall = "", &chat.ToolCall{ID: word(), Name: word(), Arguments: `{"` + word() + `":1}`}
			case chat.Reason:
				p.State = &chat.ReasoningState{Signature: word(), Format: word(), Index: r.IntN(3)}
			}
			if p.Kind == last && (p.Kind == chat.Text || p.Kind == chat.Refusal) {
				continue
			}
			last = p.Kind
			c.Message.Parts = append(c.Message.Parts, p)
		}
		resp.Choices = append(resp.Choices, c)
	}
	return resp
}

// shred cuts the texts of the events into pieces.
func shred(r *rand.Rand, events []chat.Event) []chat.Event {
	var out []chat.Event
	for _, ev := range events {
		text, kind := ev.Text, ev.Kind
		if kind == chat.EventFinish {
			out = append(out, ev) // its text is no piece of one
			continue
		}
		if kind == chat.EventCall {
			text, kind = ev.ToolCall.Arguments, chat.EventCallArgs
			call := *ev.ToolCall
			call.Arguments = ""
			out = append(out, chat.Event{Kind: chat.EventCall, Choice: ev.Choice, Call: ev.Call, ToolCall: &call})
		}
		for len(text) > 1 {
			n := 1 + r.IntN(len(text)-1)
			out = append(out, chat.Event{Kind: kind, Choice: ev.Choice, Call: ev.Call, Text: text[:n]})
			text = text[n:]
		}
		if ev.Kind == chat.EventCall {
			ev = chat.Event{Kind: kind, Choice: ev.Choice, Call: ev.Call}
		}
		ev.Text = text
		out = append(out, ev)
	}
	return out
}

func TestEventsAndAssemblerAreInverse(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		resp := randomResponse(r)
		for name, events := range map[string][]chat.Event{"whole": chat.Events(resp), "shredded": shred(r, chat.Events(resp))} {
			if got := fold(events).Response(); !reflect.DeepEqual(got, resp) {
				g, _ := json.Marshal(got)
				w, _ := json.Marshal(resp)
				t.Fatalf("seed %d, %s:\n got %s\nwant %s", seed, name, g, w)
			}
		}
	}
}

func BenchmarkAssemble(b *testing.B) {
	ev := chat.Event{Kind: chat.EventText, Text: " a few words"}
	b.ReportAllocs()
	for b.Loop() {
		var a chat.Assembler
		for range 1000 {
			a.Add(&ev)
		}
		if len(a.Response().Choices[0].Message.Parts[0].Text) != 12_000 {
			b.Fatal("short")
		}
	}
}
