package chat

// Events returns the events of a stream that carries the response.
func Events(r *Response) []Event {
	out := []Event{{Kind: EventStart, ID: r.ID, Model: r.Model, Created: r.Created,
		ServiceTier: r.ServiceTier, SystemFingerprint: r.SystemFingerprint}}
	for i := range r.Choices {
		c := &r.Choices[i]
		out = appendParts(out, c.Index, c.Message.Parts)
		if c.Logprobs != nil {
			out = append(out, Event{Kind: EventLogprobs, Choice: c.Index, Raw: c.Logprobs})
		}
		out = append(out, Event{Kind: EventFinish, Choice: c.Index, Finish: c.Finish, Text: c.StopSequence})
	}
	if r.Usage != nil {
		out = append(out, Event{Kind: EventUsage, Usage: r.Usage})
	}
	return append(out, Event{Kind: EventEnd})
}

func appendParts(out []Event, choice int, parts []Part) []Event {
	calls := 0
	for i := range parts {
		p := &parts[i]
		ev := Event{Choice: choice, Text: p.Text, State: p.State, Phase: p.Phase}
		switch p.Kind {
		case Text:
			ev.Kind = EventText
		case Reason:
			ev.Kind = EventReason
		case Refusal:
			ev.Kind = EventRefusal
		case Call:
			ev.Kind, ev.Call, ev.ToolCall = EventCall, calls, p.ToolCall
			calls++
		case Image, Audio, File:
			ev.Kind, ev.Media, ev.Part = EventMedia, p.Media, p.Kind
		default: // streams have no event for it
			continue
		}
		out = append(out, ev)
		for j := range p.Citations {
			out = append(out, Event{Kind: EventCitation, Choice: choice, Citation: &p.Citations[j]})
		}
	}
	return out
}
