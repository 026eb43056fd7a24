package body_test

import (
	"reflect"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

var thoughts = []struct{ text, reasoning, rest string }{
	{"<think>\nHmm, \"hello\".\n\nWell.\n</think>\nHello! 👋", "Hmm, \"hello\".\n\nWell.", "Hello! 👋"},
	{"\n <think>a</think>b", "a", "b"},
	{"<think></think>b", "", "b"},
	{"<think>\n\n</think>\n\nb \n", "", "b \n"},
	{"<think>a < b </ c </thin </think> d <think>e</think>", "a < b </ c </thin", "d <think>e</think>"},
	{"<think>cut off </thi", "cut off </thi", ""},
	{"<think>cut off \n", "cut off", ""},
	{"<think>", "", ""},
	{"a<think>b</think>", "", "a<think>b</think>"},
	{"\n\n a", "", "\n\n a"},
	{" \n", "", " \n"},
	{"<thin", "", "<thin"},
	{"<thinking>a", "", "<thinking>a"},
	{"</think>a", "", "</think>a"},
	{"Grüße", "", "Grüße"},
}

func folded(events []chat.Event) *chat.Response {
	var all chat.Assembler
	for i := range events {
		all.Add(&events[i])
	}
	return all.Response()
}

// TestThinkSplitter cuts each text at every two bytes, and wants the same reasoning and text of all.
func TestThinkSplitter(t *testing.T) {
	for _, c := range thoughts {
		var parts []chat.Part
		if c.reasoning != "" {
			parts = append(parts, chat.Part{Kind: chat.Reason, Text: c.reasoning})
		}
		if c.rest != "" {
			parts = append(parts, chat.Part{Kind: chat.Text, Text: c.rest})
		}
		for i := range len(c.text) + 1 {
			for j := i; j <= len(c.text); j++ {
				var s body.ThinkSplitter
				var events []chat.Event
				for _, piece := range []string{c.text[:i], c.text[i:j], c.text[j:]} {
					n := len(events)
					events = s.Split(append(events, chat.Event{Kind: chat.EventText, Text: piece}), n)
				}
				n := len(events)
				events = s.Split(append(events, chat.Event{Kind: chat.EventFinish, Finish: chat.FinishStop}), n)
				if got := folded(events).Choices[0].Message.Parts; !reflect.DeepEqual(got, parts) {
					t.Fatalf("%q cut at %d and %d: %+v", c.text, i, j, got)
				}
			}
		}
		whole := &chat.Response{ID: "i", Usage: &chat.Usage{Output: 1}, Choices: []chat.Choice{{Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Text, Text: c.text}}}, Finish: chat.FinishStop}}}
		var s body.ThinkSplitter
		got := s.SplitAnswer(whole)
		if !reflect.DeepEqual(got.Choices[0].Message.Parts, parts) || got.ID != "i" || got.Usage.Output != 1 || got.Choices[0].Finish != chat.FinishStop {
			t.Errorf("%q, whole: %+v", c.text, got)
		}
	}
}

// Choices have their own blocks; a call, or reasoning in a field of its own, ends what may be a block.
func TestThinkSplitterAmongOthers(t *testing.T) {
	var s body.ThinkSplitter
	events := s.Split([]chat.Event{
		{Kind: chat.EventStart, ID: "i"},
		{Kind: chat.EventText, Text: "<think>a"}, {Kind: chat.EventText, Choice: 1, Text: "<th"}, {Kind: chat.EventText, Text: "b </th"},
		{Kind: chat.EventLogprobs, Raw: []byte("{}")},
		{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: "c", Name: "f"}},
		{Kind: chat.EventReason, Choice: 2, Text: "r"}, {Kind: chat.EventText, Choice: 2, Text: "<think>x</think>"},
		{Kind: chat.EventText, Choice: 1, Text: "ink>c</think> d"},
		{Kind: chat.EventText, Choice: 3, Text: "<"},
		{Kind: chat.EventEnd},
	}, 0)
	var got []string
	for _, c := range folded(events).Choices {
		for _, p := range c.Message.Parts {
			got = append(got, string(rune('0'+c.Index))+string("?tiafcrRX"[p.Kind])+p.Text)
		}
	}
	want := []string{"0Rab </th", "0c", "1Rc", "1td", "2Rr", "2t<think>x</think>", "3t<"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if events[len(events)-1].Kind != chat.EventEnd {
		t.Errorf("the end is not the last: %+v", events)
	}
}

// What follows the block goes through without a copy.
func BenchmarkThinkSplitter(b *testing.B) {
	var s body.ThinkSplitter
	s.Split([]chat.Event{{Kind: chat.EventText, Text: "<think>a</think>b"}}, 0)
	events := []chat.Event{{Kind: chat.EventText, Text: "word"}}
	b.ReportAllocs()
	for b.Loop() {
		events = s.Split(events, 0)
	}
}
