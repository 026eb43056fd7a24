package dialecttest

import (
	"fmt"
	"math/rand/v2"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Interleaved returns a random stream of up to two choices, in which the pieces of several parts come in any order
// that package chat allows: the arguments of one call between those of another, between texts and reasoning. Some calls
// are of free-text tools.
func Interleaved(r *rand.Rand) []chat.Event {
	choices := [][][]chat.Event{tracks(r, 0)}
	if r.IntN(3) == 0 {
		choices = append(choices, tracks(r, 1))
	}
	events := []chat.Event{{Kind: chat.EventStart, ID: "msg_1", Model: "m"}}
	var open [][]chat.Event
	for _, c := range choices {
		open = append(open, c...)
	}
	begun := make([]int, len(choices)) // the calls so far
	number := map[int]int{}            // of the call that a track is, by the track
	index := make([]int, len(open))
	for i := range index {
		index[i] = i
	}
	for len(open) > 0 {
		i := r.IntN(len(open))
		ev := open[i][0]
		switch ev.Kind {
		case chat.EventCall:
			number[index[i]] = begun[ev.Choice]
			ev.Call = begun[ev.Choice]
			begun[ev.Choice]++
		case chat.EventCallArgs:
			ev.Call = number[index[i]]
		}
		events = append(events, ev)
		if open[i] = open[i][1:]; len(open[i]) == 0 {
			open = append(open[:i], open[i+1:]...)
			index = append(index[:i], index[i+1:]...)
		}
	}
	for c := range choices {
		finish := chat.FinishStop
		if begun[c] > 0 {
			finish = chat.FinishToolCalls
		}
		events = append(events, chat.Event{Kind: chat.EventFinish, Choice: c, Finish: finish})
	}
	return append(events, chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 1 + r.Int64N(100), Output: 1}},
		chat.Event{Kind: chat.EventEnd})
}

// tracks returns the parts of a choice, each with its pieces in order.
func tracks(r *rand.Rand, choice int) [][]chat.Event {
	var out [][]chat.Event
	for i := range 1 + r.IntN(5) {
		var track []chat.Event
		switch r.IntN(6) {
		case 5:
			track = []chat.Event{{Kind: chat.EventMedia, Part: chat.Image,
				Media: &chat.Media{MIMEType: "image/png", Data: []string{"QQ==", "QUI="}[r.IntN(2)]}}}
		case 0:
			track = said(r, chat.EventText)
		case 1:
			track = said(r, chat.EventReason)
		case 2:
			track = said(r, chat.EventRefusal)
		default:
			track = called(r, i)
		}
		for n := range track {
			track[n].Choice = choice
		}
		out = append(out, track)
	}
	return out
}

func said(r *rand.Rand, kind chat.EventKind) []chat.Event {
	var out []chat.Event
	for range 1 + r.IntN(3) {
		out = append(out, chat.Event{Kind: kind, Text: []string{"a", "\n", "漢\"", "some words "}[r.IntN(4)]})
	}
	return out
}

func called(r *rand.Rand, n int) []chat.Event {
	call := &chat.ToolCall{ID: fmt.Sprint("call_", n), Name: "f", Custom: r.IntN(3) == 0}
	rest := []string{`{}`, `{"a":"}\"{"}`, `{"b":[1,{"c":null}]}`}[r.IntN(3)]
	if call.Custom {
		rest = []string{"SELECT \"a\"\nFROM b", "{not json", "*** Begin"}[r.IntN(3)]
	}
	if r.IntN(4) == 0 {
		call.Arguments, rest = rest[:1], rest[1:]
	}
	out := []chat.Event{{Kind: chat.EventCall, ToolCall: call}}
	for len(rest) > 0 {
		cut := 1 + r.IntN(len(rest))
		out = append(out, chat.Event{Kind: chat.EventCallArgs, Text: rest[:cut]})
		rest = rest[cut:]
	}
	return out
}

// Fold returns the response that the events make.
func Fold(events []chat.Event) *chat.Response {
	var all chat.Assembler
	for i := range events {
		all.Add(&events[i])
	}
	return all.Response()
}
