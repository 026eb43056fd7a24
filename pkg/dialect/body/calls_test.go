package body_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

func TestPartialJSON(t *testing.T) {
	for _, c := range []struct {
		text            string
		begun, complete bool
	}{
		{"", false, false},
		{" \t\r\n", false, false},
		{"{}", true, true},
		{" {} \n", true, true},
		{"[]", true, true},
		{`{"a":[1,{"b":2}]}`, true, true},
		{`{"a":"}"}`, true, true},
		{`{"a":"\"}"}`, true, true},
		{`{"a":"\\"}`, true, true},
		{`{"a":"\\\"}"`, true, false},
		{`{"a":"}`, true, false},
		{`{"a":[}`, true, false},
		{`"{}"`, true, false},
		{"1", true, false},
		{"{}{", true, true},
		{"}", true, false},
	} {
		// However it is cut into pieces, it means the same.
		for cut := range len(c.text) + 1 {
			var p body.PartialJSON
			p.Add(c.text[:cut])
			p.Add(c.text[cut:])
			if p.Begun() != c.begun || p.Complete() != c.complete {
				t.Errorf("%q cut at %d: begun %v, complete %v", c.text, cut, p.Begun(), p.Complete())
			}
		}
	}
}

// What is valid JSON is complete at its last byte, and not before.
func FuzzPartialJSON(f *testing.F) {
	f.Add(`{"a":"}\"\\",` + "\n" + `"b":[[],{"c":1e5}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var p body.PartialJSON
		text = strings.TrimRight(text, " \t\r\n")
		if !json.Valid([]byte(text)) || text[len(text)-1] != '}' && text[len(text)-1] != ']' {
			p.Add(text) // must not panic
			return
		}
		p.Add(text[:len(text)-1])
		early := p.Complete()
		p.Add(text[len(text)-1:])
		if early || !p.Complete() {
			t.Fatalf("%q: early %v, complete %v", text, early, p.Complete())
		}
	})
}

// Conversations hold the ids: they may not change.
func TestMakeID(t *testing.T) {
	for want, facts := range map[string][]string{
		"call_6205ed0e12b45d459a54912b":  {"call_", "chatcmpl-1", "0", "0", "f"},
		"toolu_f75b7431252d9f702cc67b8f": {"toolu_", "msg_1", "0", "f"},
		"call_2ade551d74db0f196279806e":  {"call_", "r-1", "0", "0", "f", "{}"},
	} {
		if got := body.MakeID(facts[0], facts[1:]...); got != want {
			t.Errorf("%v: %s, want %s", facts, got, want)
		}
	}
}

func TestCalls(t *testing.T) {
	calls := body.Calls{Choice: 3}
	var f, g, text body.Call
	if calls.Any() || f.Begun() {
		t.Error("a call has begun before any did")
	}
	var out []chat.Event
	out = calls.Begin(out, &f, &chat.ToolCall{ID: "1"})
	out = calls.Begin(out, &g, &chat.ToolCall{ID: "2", Arguments: " "})
	out = calls.Begin(out, &text, &chat.ToolCall{ID: "3", Custom: true})
	out = f.Add(out, "")
	out = f.Add(out, `{"a":1}`)
	out = f.End(out)
	out = g.End(out)
	out = g.End(out)
	out = text.End(out)
	got := dialecttest.Fold(out).Choices[0]
	want := []string{`{"a":1}`, " {}", ""}
	if got.Index != 3 || len(got.Message.Parts) != 3 || !calls.Any() || calls.Next() != 3 {
		t.Fatalf("got %+v", got)
	}
	for i, p := range got.Message.Parts {
		if p.ToolCall.Arguments != want[i] {
			t.Errorf("call %d has %q", i, p.ToolCall.Arguments)
		}
	}
}

// Whatever overlaps in a stream, behind a Sequence it makes up the same answer, and nothing comes between the pieces of a call.
func TestSequence(t *testing.T) {
	for seed := range uint64(2000) {
		var events, got []chat.Event
		for _, ev := range dialecttest.Interleaved(rand.New(rand.NewPCG(seed, 1))) {
			if ev.Choice == 0 && ev.Kind >= chat.EventText && ev.Kind <= chat.EventFinish {
				events = append(events, ev)
			}
		}
		if len(events) == 0 || events[len(events)-1].Kind != chat.EventFinish {
			continue
		}
		var s body.Sequence
		for i := range events {
			s.Put(&events[i])
			for ev := (chat.Event{}); s.Next(&ev); {
				got = append(got, ev)
			}
		}
		open := -1
		for _, ev := range got {
			switch ev.Kind {
			case chat.EventCall:
				open = ev.Call
			case chat.EventCallArgs:
				if ev.Call != open {
					t.Fatalf("seed %d: a piece of call %d while %d is open", seed, ev.Call, open)
				}
			default:
				open = -1
			}
		}
		if a, b := contents(got), contents(events); !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d:\n got %v\nwant %v", seed, a, b)
		}
	}
}

// contents are the texts of each kind and the calls, by what they say.
func contents(events []chat.Event) map[string]string {
	out := map[string]string{}
	for _, p := range dialecttest.Fold(events).Choices[0].Message.Parts {
		switch {
		case p.ToolCall != nil:
			out["call "+p.ToolCall.ID] = p.ToolCall.Arguments
		case p.Media != nil:
			out["media"] += p.Media.Data
		default:
			out[string(p.Kind)] += p.Text
		}
	}
	return out
}

func TestSequenceKeepsNothingThatCanGo(t *testing.T) {
	var s body.Sequence
	var ev chat.Event
	put := func(e chat.Event) (n int) {
		for s.Put(&e); s.Next(&ev); n++ {
		}
		return n
	}
	for i, step := range []struct {
		event chat.Event
		given int
	}{
		{chat.Event{Kind: chat.EventText, Text: "a"}, 1},
		{chat.Event{Kind: chat.EventCallArgs, Call: 7, Text: "nobody's"}, 0},
		{chat.Event{Kind: chat.EventCall, Call: 0, ToolCall: &chat.ToolCall{Arguments: "{"}}, 1},
		{chat.Event{Kind: chat.EventText, Text: "waits"}, 0},
		{chat.Event{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{}}, 0},
		{chat.Event{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: "twice"}}, 0},
		{chat.Event{Kind: chat.EventCallArgs, Call: 1, Text: "{}"}, 0},
		{chat.Event{Kind: chat.EventCallArgs, Call: 0, Text: `"a":1`}, 1},
		{chat.Event{Kind: chat.EventCallArgs, Call: 0, Text: "}"}, 3}, // the piece, the text, and the other call
		{chat.Event{Kind: chat.EventCallArgs, Call: 0, Text: " "}, 0},
		{chat.Event{Kind: chat.EventCall, Call: 2, ToolCall: &chat.ToolCall{Custom: true, Arguments: "{}"}}, 1},
		{chat.Event{Kind: chat.EventText, Text: "waits for the end of a free text"}, 0},
		{chat.Event{Kind: chat.EventFinish}, 2},
		{chat.Event{Kind: chat.EventText, Text: "late"}, 1},
	} {
		if n := put(step.event); n != step.given {
			t.Errorf("step %d: %d events came, want %d", i, n, step.given)
		}
	}
}
