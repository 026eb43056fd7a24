package body

import "github.com/alicetears/llm-gateway/pkg/chat"

// A Sequence puts the events of one choice in an order in which parts do not overlap, for dialects that have one
// part at a time: all arguments of a call come before anything else. What follows a call waits until the call is
// complete, which keeps nobody waiting, since calls are acted on when the answer has ended. The zero value is
// ready.
//
//	s.Put(ev)
//	for s.Next(&ev) { write(ev) }
type Sequence struct {
	calls   []sequencedCall
	open    int // one more than the number of the last call that Next gave; 0: something has followed it
	waiting []chat.Event
	piece   string // of the open call's arguments
	ended   bool
}

type sequencedCall struct {
	call      *chat.ToolCall // nil as long as the call has not begun
	held      []byte         // arguments that came before the call's turn
	given     bool           // the call had its turn
	arguments PartialJSON    // as they were given
}

// Put takes the next event.
func (s *Sequence) Put(ev *chat.Event) {
	switch ev.Kind {
	case chat.EventCallArgs:
		s.add(ev.Call, ev.Text)
		return
	case chat.EventCall:
		for len(s.calls) <= ev.Call {
			s.calls = append(s.calls, sequencedCall{})
		}
		c := &s.calls[ev.Call]
		if c.call != nil {
			return // if it begins twice, the first counts, as for chat.Assembler
		}
		c.call, c.held = ev.ToolCall, []byte(ev.ToolCall.Arguments)
	case chat.EventFinish:
		s.ended = true
	}
	s.waiting = append(s.waiting, *ev)
}

// add takes a piece of a call's arguments. What comes after something has followed the call is white space.
func (s *Sequence) add(number int, piece string) {
	if number >= len(s.calls) || s.calls[number].call == nil {
		return
	}
	switch c := &s.calls[number]; {
	case !c.given:
		c.held = append(c.held, piece...)
	case s.open == number+1:
		c.arguments.Add(piece)
		s.piece = piece
	}
}

// End lets all that waits come: no more pieces will.
func (s *Sequence) End() { s.ended = true }

// Ended says whether no more pieces will come.
func (s *Sequence) Ended() bool { return s.ended }

// Idle says whether an event that is no call's can be written without being put in, since nothing waits and no
// call is open.
func (s *Sequence) Idle() bool { return s.open == 0 && len(s.waiting) == 0 }

// Complete says whether the call, which Next gave, has all its arguments.
func (s *Sequence) Complete(number int) bool {
	c := &s.calls[number]
	return s.ended || !c.call.Custom && c.arguments.Complete()
}

// Next gives the next event, and is false if none can come yet. An event that begins a call has all arguments that
// are there.
func (s *Sequence) Next(ev *chat.Event) bool {
	if s.piece != "" {
		*ev = chat.Event{Kind: chat.EventCallArgs, Call: s.open - 1, Text: s.piece}
		s.piece = ""
		return true
	}
	if len(s.waiting) == 0 || s.open > 0 && !s.Complete(s.open-1) {
		return false
	}
	*ev, s.waiting = s.waiting[0], s.waiting[1:]
	s.open = 0
	if ev.Kind == chat.EventCall {
		c := &s.calls[ev.Call]
		s.open, c.given = ev.Call+1, true
		call := *c.call
		call.Arguments = string(c.held)
		c.arguments.Add(call.Arguments)
		c.held, ev.ToolCall = nil, &call
	}
	return true
}
