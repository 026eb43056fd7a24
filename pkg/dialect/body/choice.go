package body

import "github.com/alicetears/llm-gateway/pkg/chat"

// FirstChoice picks the events of a stream that belong to the first of several choices, for dialects that
// have room for one. That is the one with the lowest index, as in a whole answer, whichever begins. The zero value is ready.
type FirstChoice struct {
	begun bool
	kept  []chat.Event // of others, as long as choice 0 has not begun
}

// Has says whether the event is of choice 0. One that is not is kept in case that there is no choice 0.
func (f *FirstChoice) Has(ev *chat.Event) bool {
	switch {
	case ev.Choice == 0:
		f.begun, f.kept = true, nil
	case !f.begun:
		f.kept = append(f.kept, *ev)
	}
	return ev.Choice == 0
}

// Kept are, when the stream has ended, the events of the first choice if that is not choice 0.
func (f *FirstChoice) Kept() []chat.Event {
	lowest := -1
	for i := range f.kept {
		if lowest < 0 || f.kept[i].Choice < lowest {
			lowest = f.kept[i].Choice
		}
	}
	var out []chat.Event
	for i := range f.kept {
		if f.kept[i].Choice == lowest {
			out = append(out, f.kept[i])
		}
	}
	f.kept = nil
	return out
}
