package chat

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Assembler folds the events of a streamed answer into a Response. The zero value
// is ready. It is how collecting a stream, decoding a whole answer and comparing the
// two stay the same thing.
//
// Text that follows text of the same phase is one part, and so is refusal. A tool call's arguments are
// its pieces put together; decoders see to it that a call without arguments gets "{}", so that
// the pieces of a stream make up what a whole answer has. ReasoningState.Takes says which
// reasoning belongs together. Citations go to the last text part before them, or to the first after.
type Assembler struct {
	response Response
	choices  []*choiceBuilder
	err      *Error
	ended    bool
}

type choiceBuilder struct {
	index     int
	parts     []partBuilder
	calls     []int // the parts of the tool calls
	text      int   // the part after the last text; 0 if there is none
	reasoning int   // the part after the last reasoning; 0 if there is none
	citations []Citation
	finish    FinishReason
	stop      string
	logprobs  []json.RawMessage
}

// A partBuilder keeps the first piece of text as it is, and copies only when more follow.
type partBuilder struct {
	Part
	text []byte
}

func (p *partBuilder) append(to *string, s string) {
	switch {
	case s == "":
	case *to == "":
		*to = s
	default:
		if p.text == nil {
			p.text = append(make([]byte, 0, 4*(len(*to)+len(s))), *to...)
		}
		p.text = append(p.text, s...)
	}
}

func (p *partBuilder) part() Part {
	if p.text != nil {
		if p.Kind == Call {
			p.ToolCall.Arguments = string(p.text)
		} else {
			p.Text = string(p.text)
		}
		p.text = nil
	}
	if p.State != nil && *p.State == (ReasoningState{}) {
		p.State = nil // it says nothing
	}
	return p.Part
}

// Add takes the next event. It keeps nothing of it but strings and what it points at.
func (a *Assembler) Add(ev *Event) {
	switch ev.Kind {
	case EventStart:
		a.response.ID, a.response.Model, a.response.Created = ev.ID, ev.Model, ev.Created
		a.response.ServiceTier, a.response.SystemFingerprint = ev.ServiceTier, ev.SystemFingerprint
	case EventUsage:
		a.response.Usage = ev.Usage
		a.response.ServiceTier = cmp.Or(ev.ServiceTier, a.response.ServiceTier)
		a.response.Model = cmp.Or(ev.Model, a.response.Model)
	case EventEnd:
		a.ended = true
	case EventError:
		a.err = ev.Err
	default:
		a.choice(ev.Choice).add(ev)
	}
}

// Assemble folds the events of a whole answer. The error is that of EventError.
func Assemble(events []Event) (*Response, *Error) {
	var a Assembler
	for i := range events {
		a.Add(&events[i])
	}
	if a.err != nil {
		return nil, a.err
	}
	return a.Response(), nil
}

// Ended reports whether EventEnd came.
func (a *Assembler) Ended() bool { return a.ended }

// Err returns the error of EventError; nil if none came.
func (a *Assembler) Err() *Error { return a.err }

// Response returns the answer so far. Nothing may be added afterwards.
func (a *Assembler) Response() *Response {
	slices.SortStableFunc(a.choices, func(x, y *choiceBuilder) int { return cmp.Compare(x.index, y.index) })
	a.response.Choices = make([]Choice, 0, len(a.choices))
	for _, c := range a.choices {
		a.response.Choices = append(a.response.Choices, c.choice())
	}
	return &a.response
}

func (a *Assembler) choice(index int) *choiceBuilder {
	for _, c := range a.choices {
		if c.index == index {
			return c
		}
	}
	a.choices = append(a.choices, &choiceBuilder{index: index})
	return a.choices[len(a.choices)-1]
}

func (c *choiceBuilder) add(ev *Event) {
	switch ev.Kind {
	case EventText:
		c.appendText(Text, ev)
	case EventRefusal:
		c.appendText(Refusal, ev)
	case EventReason:
		c.appendReason(ev)
	case EventCall:
		for len(c.calls) <= ev.Call {
			c.calls = append(c.calls, -1)
		}
		if c.calls[ev.Call] < 0 { // if it begins twice, the first counts
			call := *ev.ToolCall
			c.calls[ev.Call] = len(c.parts)
			c.parts = append(c.parts, partBuilder{Part: Part{Kind: Call, ToolCall: &call}})
		}
	case EventCallArgs:
		if ev.Call < len(c.calls) && c.calls[ev.Call] >= 0 {
			p := &c.parts[c.calls[ev.Call]]
			p.append(&p.ToolCall.Arguments, ev.Text)
		}
	case EventMedia:
		c.parts = append(c.parts, partBuilder{Part: Part{Kind: ev.Part, Media: ev.Media}})
	case EventCitation:
		c.cite(*ev.Citation)
	case EventLogprobs:
		c.logprobs = append(c.logprobs, ev.Raw)
	case EventFinish:
		c.finish, c.stop = ev.Finish, ev.Text
	}
}

func (c *choiceBuilder) appendText(kind PartKind, ev *Event) {
	if n := len(c.parts); n == 0 || c.parts[n-1].Kind != kind || c.parts[n-1].Phase != ev.Phase {
		c.parts = append(c.parts, partBuilder{Part: Part{Kind: kind, Phase: ev.Phase}})
		if kind == Text {
			c.text = n + 1
			c.parts[n].Citations, c.citations = c.citations, nil
		}
	}
	p := &c.parts[len(c.parts)-1]
	p.append(&p.Text, ev.Text)
}

func (c *choiceBuilder) appendReason(ev *Event) {
	at := len(c.parts) - 1
	if ev.Text == "" {
		at = c.reasoning - 1 // state alone may come late, when other parts have begun
	}
	if at < 0 || c.parts[at].Kind != Reason || !c.parts[at].State.Takes(ev.State) {
		at = len(c.parts)
		c.parts = append(c.parts, partBuilder{Part: Part{Kind: Reason}})
		c.reasoning = at + 1
	}
	p := &c.parts[at]
	p.append(&p.Text, ev.Text)
	p.State = p.State.Merge(ev.State)
}

func (c *choiceBuilder) cite(citation Citation) {
	if c.text == 0 {
		c.citations = append(c.citations, citation)
		return
	}
	text := &c.parts[c.text-1]
	text.Citations = append(text.Citations, citation)
}

func (c *choiceBuilder) choice() Choice {
	out := Choice{Index: c.index, Message: Message{Role: Assistant}, Finish: c.finish, StopSequence: c.stop, Logprobs: mergeLogprobs(c.logprobs)}
	if len(c.citations) > 0 {
		c.parts = append(c.parts, partBuilder{Part: Part{Kind: Text, Citations: c.citations}})
	}
	for i := range c.parts {
		out.Message.Parts = append(out.Message.Parts, c.parts[i].part())
	}
	return out
}

// Takes reports whether what follows in a stream with the state next, which may be
// nil, still belongs to the reasoning whose state so far is s, which may be nil. It does not
// if s is complete, or if the two contradict each other.
func (s *ReasoningState) Takes(next *ReasoningState) bool {
	if next == nil {
		return !s.Complete()
	}
	if s == nil {
		return next.Redacted == "" && next.Encrypted == ""
	}
	if s.Complete() || next.Redacted != "" || next.Encrypted != "" && (s.ID == "" || s.ID != next.ID) {
		return false
	}
	return (s.ID == "" || next.ID == "" || s.ID == next.ID) &&
		(s.Format == "" || next.Format == "" || s.Format == next.Format) &&
		s.Summary == next.Summary && s.Index == next.Index
}

// Complete reports whether s, which may be nil, has what the provider wants back, so that nothing more belongs to its
// reasoning.
func (s *ReasoningState) Complete() bool {
	return s != nil && (s.Signature != "" || s.Redacted != "" || s.Encrypted != "")
}

// Merge adds what next, which may be nil, says to s; it must be one that s takes. It returns s, or a new state if s is nil.
func (s *ReasoningState) Merge(next *ReasoningState) *ReasoningState {
	if next == nil {
		return s
	}
	if s == nil {
		s = new(ReasoningState)
	}
	s.ID = cmp.Or(next.ID, s.ID)
	s.Signature = cmp.Or(next.Signature, s.Signature)
	s.Redacted = cmp.Or(next.Redacted, s.Redacted)
	s.Encrypted = cmp.Or(next.Encrypted, s.Encrypted)
	s.Format = cmp.Or(next.Format, s.Format)
	s.Index, s.Summary = next.Index, next.Summary
	return s
}

// mergeLogprobs puts the lists of OpenAI's logprobs objects together, member by member.
func mergeLogprobs(pieces []json.RawMessage) json.RawMessage {
	switch len(pieces) {
	case 0:
		return nil
	case 1:
		return pieces[0]
	}
	var all struct {
		Content []json.RawMessage `json:"content"`
		Refusal []json.RawMessage `json:"refusal"`
	}
	for _, p := range pieces {
		one := all
		one.Content, one.Refusal = nil, nil
		if json.Unmarshal(p, &one) == nil {
			all.Content = append(all.Content, one.Content...)
			all.Refusal = append(all.Refusal, one.Refusal...)
		}
	}
	out, err := json.Marshal(all)
	if err != nil {
		return nil // the pieces were valid, so that this cannot be
	}
	return out
}
