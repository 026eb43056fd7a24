package gateway

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Anthropic reports at the start of a stream what went in, and at its end what came out. What came of a
// stream that broke off in between is not the one token of the start.
func TestUsageOfABrokenStream(t *testing.T) {
	start := chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 100, Cached: 40, Output: 1}}
	words := chat.Event{Kind: chat.EventText, Text: strings.Repeat("word", 50)}
	end := chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 100, Cached: 40, Output: 30}}
	for name, c := range map[string]struct {
		events []chat.Event
		want   chat.Usage
	}{
		"complete":       {[]chat.Event{start, words, end, {Kind: chat.EventEnd}}, chat.Usage{Input: 100, Cached: 40, Output: 30}},
		"broken":         {[]chat.Event{start, words}, chat.Usage{Input: 100, Cached: 40, Output: 50, Estimated: true}},
		"broken at once": {[]chat.Event{start}, chat.Usage{Input: 100, Cached: 40, Output: 1}},
		"broken late":    {[]chat.Event{start, {Kind: chat.EventText, Text: "word"}, end}, chat.Usage{Input: 100, Cached: 40, Output: 30}},
	} {
		var m meter
		for i := range c.events {
			m.count(&c.events[i])
		}
		if got := m.usage(&Request{Chat: new(chat.Request)}); *got != c.want {
			t.Errorf("%s: %+v, want %+v", name, *got, c.want)
		}
	}
	if start.Usage.Output != 1 {
		t.Error("the event was changed")
	}
}
