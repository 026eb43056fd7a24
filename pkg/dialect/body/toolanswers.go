package body

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
)

// ToolForms undo in one answer what FitTools changed in its request. Nil: it changed nothing.
type ToolForms struct {
	byName map[string]toolForm
	open   []openText // of the streamed calls of free-text tools
}

// An openText is the call of a free-text tool that was sent as a function.
type openText struct {
	choice, call int
	text         inputReader
}

func (f *ToolForms) of(name string) (toolForm, bool) {
	if f == nil {
		return toolForm{}, false
	}
	form, ok := f.byName[name]
	return form, ok
}

// restore makes a call that of the caller's tool. It reports whether the tool is a free-text tool.
func (f *ToolForms) restore(c *chat.ToolCall) bool {
	form, ok := f.of(c.Name)
	if !ok {
		return false
	}
	c.Name, c.Group, c.Custom, c.Type = form.name, form.group, form.custom, form.callType
	return form.custom
}

// RestoreAnswer restores the calls in a whole answer.
func (f *ToolForms) RestoreAnswer(r *chat.Response) {
	if f == nil || r == nil {
		return
	}
	for i := range r.Choices {
		parts := r.Choices[i].Message.Parts
		for j := range parts {
			if c := parts[j].ToolCall; c != nil && f.restore(c) {
				var text inputReader
				c.Arguments = text.Add(c.Arguments) + text.End()
			}
		}
	}
}

// RestoreEvents restores the calls in the events from the index on, which are the next of a stream, and returns all.
func (f *ToolForms) RestoreEvents(events []chat.Event, from int) []chat.Event {
	if f == nil {
		return events
	}
	for i := from; i < len(events); i++ {
		switch ev := &events[i]; ev.Kind {
		case chat.EventCall:
			f.begin(ev)
		case chat.EventCallArgs:
			if t := f.find(ev.Choice, ev.Call); t != nil {
				ev.Text = t.text.Add(ev.Text)
			}
		case chat.EventFinish:
			rest := f.end(ev.Choice)
			events = append(events[:i], append(rest, events[i:]...)...)
			i += len(rest)
		}
	}
	return events
}

func (f *ToolForms) begin(ev *chat.Event) {
	if ev.ToolCall == nil || !f.restore(ev.ToolCall) {
		return
	}
	f.open = append(f.open, openText{choice: ev.Choice, call: ev.Call})
	ev.ToolCall.Arguments = f.open[len(f.open)-1].text.Add(ev.ToolCall.Arguments)
}

func (f *ToolForms) find(choice, call int) *openText {
	for i := range f.open {
		if f.open[i].choice == choice && f.open[i].call == call {
			return &f.open[i]
		}
	}
	return nil
}

// end returns what is left of the texts of a choice's calls.
func (f *ToolForms) end(choice int) []chat.Event {
	var out []chat.Event
	for i := range f.open {
		if t := &f.open[i]; t.choice == choice {
			if rest := t.text.End(); rest != "" {
				out = append(out, chat.Event{Kind: chat.EventCallArgs, Choice: choice, Call: t.call, Text: rest})
			}
		}
	}
	return out
}
