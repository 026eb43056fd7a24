package chat_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Each bound is met by the count just within it, and broken by one more.
func TestBounds(t *testing.T) {
	call := func(i int) chat.Event {
		return chat.Event{Kind: chat.EventCall, Call: i, ToolCall: &chat.ToolCall{ID: "c"}}
	}
	const piece = 1 << 20
	long := strings.Repeat("a", piece)
	for name, c := range map[string]struct {
		most int
		next func(i int) []chat.Event
	}{
		"choices":      {chat.MaxChoices, func(i int) []chat.Event { return []chat.Event{{Kind: chat.EventText, Choice: i, Text: "a"}} }},
		"empty ones":   {chat.MaxChoices, func(i int) []chat.Event { return []chat.Event{{Kind: chat.EventFinish, Choice: -i}} }},
		"tool calls":   {chat.MaxCalls, func(i int) []chat.Event { return []chat.Event{call(i)} }},
		"calls of two": {chat.MaxCalls, func(i int) []chat.Event { e := call(i / 2); e.Choice = i % 2; return []chat.Event{e} }},
		"parts": {chat.MaxParts, func(i int) []chat.Event {
			return []chat.Event{{Kind: []chat.EventKind{chat.EventText, chat.EventReason}[i%2], Text: "a"}}
		}},
		"states": {chat.MaxParts, func(int) []chat.Event { return []chat.Event{{Kind: chat.EventReason, State: new(chat.ReasoningState)}} }},
		"phases": {chat.MaxParts, func(i int) []chat.Event {
			return []chat.Event{{Kind: chat.EventText, Phase: strings.Repeat("p", 1+i%2)}}
		}},
		"media":     {chat.MaxParts, func(int) []chat.Event { return []chat.Event{{Kind: chat.EventMedia, Media: new(chat.Media)}} }},
		"citations": {chat.MaxParts, func(int) []chat.Event { return []chat.Event{{Kind: chat.EventCitation, Citation: new(chat.Citation)}} }},
		"arguments": {chat.MaxArguments / piece, func(int) []chat.Event { return []chat.Event{{Kind: chat.EventCallArgs, Text: long}} }},
		"whole arguments": {chat.MaxArguments / piece, func(i int) []chat.Event {
			e := call(i)
			e.ToolCall.Arguments = long
			return []chat.Event{e}
		}},
		"text":          {chat.MaxContent / piece, func(int) []chat.Event { return []chat.Event{{Kind: chat.EventText, Text: long}} }},
		"probabilities": {chat.MaxContent / piece, func(int) []chat.Event { return []chat.Event{{Kind: chat.EventLogprobs, Raw: json.RawMessage(long)}} }},
		"pictures":      {chat.MaxContent / piece, func(int) []chat.Event { return []chat.Event{{Kind: chat.EventMedia, Media: &chat.Media{Data: long}}} }},
		"encrypted reasoning": {chat.MaxContent / piece, func(int) []chat.Event {
			return []chat.Event{{Kind: chat.EventReason, State: &chat.ReasoningState{Encrypted: long}}}
		}},
	} {
		var b chat.Bounds
		for i := range c.most {
			if out := b.Check(c.next(i), 0); out[0].Kind == chat.EventError {
				t.Fatalf("%s: refused after %d of %d: %v", name, i, c.most, out[0].Err)
			}
		}
		before := chat.Event{Kind: chat.EventUsage, Usage: new(chat.Usage)}
		out := b.Check(append([]chat.Event{before}, append(c.next(c.most), before)...), 1)
		if len(out) != 2 || out[0].Kind != chat.EventUsage || out[1].Kind != chat.EventError || out[1].Err.Class != chat.Transport {
			t.Errorf("%s: beyond the bound came %+v", name, out)
		}
	}
}

func TestNothingFollowsAFailure(t *testing.T) {
	failed := &chat.Error{Class: chat.Overloaded}
	out := new(chat.Bounds).Check([]chat.Event{{Kind: chat.EventText}, {Kind: chat.EventError, Err: failed}, {Kind: chat.EventText}}, 0)
	if len(out) != 2 || out[1].Err != failed {
		t.Errorf("got %+v", out)
	}
}

func TestAssembleGivesTheFailure(t *testing.T) {
	failed := &chat.Error{Class: chat.Overloaded}
	if resp, err := chat.Assemble([]chat.Event{{Kind: chat.EventText, Text: "a"}, {Kind: chat.EventError, Err: failed}}); resp != nil || err != failed {
		t.Errorf("got %+v, %v", resp, err)
	}
}
