package gateway

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

type panicking struct{}

func (panicking) Decode([]chat.Event, string, []byte) []chat.Event { panic("decoder") }
func (panicking) Close([]chat.Event) []chat.Event                  { panic("decoder") }

// A panic in a codec of a provider is a failure of the attempt, also in the goroutine that waits for a stream.
func TestPanicOfAnAttempt(t *testing.T) {
	var log bytes.Buffer
	g := &Gateway{Deps: Deps{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	of := func() *attempt { return &attempt{key: candidate{key: &key{}}} } // without a provider, encoding panics
	whole, streamed := of(), of()
	g.callWhole(t.Context(), whole, Request{Chat: &chat.Request{}})
	g.callStream(t.Context(), streamed, Request{Chat: &chat.Request{}})
	for _, a := range []*attempt{whole, streamed} {
		if a.failure == nil || a.failure.Class != chat.Transport {
			t.Errorf("the failure: %v", a.failure)
		}
	}
	started := of()
	started.source = &source{body: io.NopCloser(nil), events: sse.NewReader(strings.NewReader("data: x\n\n"), 0), decoder: panicking{}}
	c := &Call{g: g, current: started}
	if events := c.read(); len(events) != 1 || events[0].Kind != chat.EventError {
		t.Errorf("the stream goes on with %v", events)
	}
	if n := strings.Count(log.String(), "stack="); n != 3 {
		t.Errorf("%d stacks in the log", n)
	}
}
