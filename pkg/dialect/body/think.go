package body

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// The tags between which some models write their reasoning into the text of an answer.
const (
	thinkBegin = "<think>"
	thinkEnd   = "</think>"
)

// A ThinkSplitter turns a block <think>..</think> at the start of an answer's text into reasoning, however a stream cuts
// it into pieces. A block without an end is reasoning; a later block is text. White space next to the tags is left
// out. The zero value is ready, for one answer.
type ThinkSplitter struct {
	choices []thinkState
}

type thinkState struct {
	index int
	place thinkPlace
	held  string // text that may belong to a tag
}

type thinkPlace uint8

const (
	thinkBefore thinkPlace = iota // nothing but white space and the beginning of a tag has come
	thinkOpened                   // the tag, and nothing behind it but white space
	thinkInside
	thinkClosed // the tag that ends it, and nothing behind it but white space
	thinkOver   // the rest is as it is
)

// Split splits the events from the given index on, which continue those of earlier calls.
func (s *ThinkSplitter) Split(events []chat.Event, from int) []chat.Event {
	if from == len(events) || s.over(events[from:]) {
		return events
	}
	added := append([]chat.Event(nil), events[from:]...)
	events = events[:from]
	for i := range added {
		ev := &added[i]
		switch {
		case ev.Kind == chat.EventText:
			events = s.at(ev.Choice).text(events, ev)
			continue
		case ev.Kind == chat.EventReason || ev.Kind == chat.EventRefusal || ev.Kind == chat.EventCall || ev.Kind == chat.EventFinish:
			events = s.at(ev.Choice).end(events)
		case ev.Kind == chat.EventError || ev.Kind == chat.EventEnd:
			for j := range s.choices {
				events = s.choices[j].end(events)
			}
		}
		events = append(events, *ev)
	}
	return events
}

// SplitAnswer splits a whole answer.
func (s *ThinkSplitter) SplitAnswer(r *chat.Response) *chat.Response {
	split, _ := chat.Assemble(s.Split(chat.Events(r), 0)) // there is no failure among them
	return split
}

// over reports whether the events are text of choices whose block has ended.
func (s *ThinkSplitter) over(events []chat.Event) bool {
	for i := range events {
		if events[i].Kind != chat.EventText || s.at(events[i].Choice).place != thinkOver {
			return false
		}
	}
	return true
}

func (s *ThinkSplitter) at(index int) *thinkState {
	for i := range s.choices {
		if s.choices[i].index == index {
			return &s.choices[i]
		}
	}
	s.choices = append(s.choices, thinkState{index: index})
	return &s.choices[len(s.choices)-1]
}

// text adds a piece of text.
func (t *thinkState) text(out []chat.Event, ev *chat.Event) []chat.Event {
	text := t.held + ev.Text
	t.held = ""
	if t.place == thinkBefore {
		bare := strings.TrimLeft(text, " \t\r\n")
		switch {
		case strings.HasPrefix(bare, thinkBegin):
			t.place, text = thinkOpened, bare[len(thinkBegin):]
		case strings.HasPrefix(thinkBegin, bare) && len(text) <= maxThinkSpace:
			t.held = text
			return out
		default:
			t.place = thinkOver
		}
	}
	if t.place == thinkOpened || t.place == thinkInside {
		out, text = t.inside(out, text)
	}
	if t.place == thinkClosed {
		if text = strings.TrimLeft(text, " \t\r\n"); text != "" {
			t.place = thinkOver
		}
	}
	if text == "" {
		return out
	}
	rest := *ev
	rest.Text = text
	return append(out, rest)
}

// inside adds a piece of the block, and returns what follows it.
func (t *thinkState) inside(out []chat.Event, text string) (_ []chat.Event, rest string) {
	if t.place == thinkOpened {
		text = strings.TrimLeft(text, " \t\r\n")
	}
	said, rest, closed := strings.Cut(text, thinkEnd)
	if !closed {
		said, t.held = text[:sureOf(text)], text[sureOf(text):]
	} else {
		said = strings.TrimRight(said, " \t\r\n")
	}
	if said != "" {
		out = append(out, chat.Event{Kind: chat.EventReason, Choice: t.index, Text: said})
		t.place = thinkInside
	}
	if closed {
		t.place = thinkClosed
	}
	return out, rest
}

// maxThinkSpace bounds how much white space is held back because a tag may follow it.
const maxThinkSpace = 1 << 10

// sureOf is how much of the text cannot belong to the tag that ends the block, nor to the white space before it.
func sureOf(text string) int {
	end := len(text)
	for n := min(len(thinkEnd)-1, len(text)); n > 0; n-- {
		if strings.HasSuffix(text, thinkEnd[:n]) {
			end -= n
			break
		}
	}
	if sure := len(strings.TrimRight(text[:end], " \t\r\n")); end-sure <= maxThinkSpace {
		return sure
	}
	return end
}

// end ends the text or the block, to which the text that is held belongs.
func (t *thinkState) end(out []chat.Event) []chat.Event {
	held, place := t.held, t.place
	t.held, t.place = "", thinkOver
	switch {
	case held == "":
	case place == thinkBefore:
		out = append(out, chat.Event{Kind: chat.EventText, Choice: t.index, Text: held})
	case strings.TrimRight(held, " \t\r\n") != "":
		out = append(out, chat.Event{Kind: chat.EventReason, Choice: t.index, Text: held})
	}
	return out
}
