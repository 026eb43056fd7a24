package gateway_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// A panic while a request is translated fails the request, and nothing else: it has a row, and gives back what it held.
func TestPanicsAreContained(t *testing.T) {
	for name, stream := range map[string]bool{"whole": false, "streamed": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.add(key{})
			for range 600 { // more than a user's slots
				request := w.request("gpt-4o-mini")
				request.Chat.Stream = stream
				// No decoder makes a part without its call.
				request.Chat.Messages = append(request.Chat.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call}}})
				if _, err := w.do(request); err == nil || fault.From(err).Code != fault.Provider {
					t.Fatalf("the client gets %v", err)
				}
			}
			if n := w.int("select count(*) from requests where status = 502"); n != 600 {
				t.Errorf("%d rows", n)
			}
			w.mustServe(w.request("gpt-4o-mini"), id)
		})
	}
}
