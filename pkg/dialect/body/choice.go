package body

import "github.com/alicetears/llm-gateway/pkg/chat"

// FirstChoice selects the events of the choice with the lowest index, for dialects whose answers have one choice. The
// zero value is ready.
type FirstChoice struct {
	begun bool
	kept  []chat.Event // of others, as long as choice 0 has not begun
}

// Has reports whether the event is of choice 0. It keeps others in case that choice 0 never begins.
func (f *FirstChoice) Has(ev *chat.Event) bool {
	switch {
	case ev.Choice == 0:
		f.begun, f.kept = true, nil
	case !f.begun:
		f.kept = append(f.kept, *ev)
	}
	return ev.Choice == 0
}

// Kept returns, at the end of the stream, the events of the choice with the lowest index if that is not 0.
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
