package gemini_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

// Calls that repeat an id get others, the same in a stream and in a whole answer; the pieces of a call stay together.
func TestPassthroughGivesCallsDistinctIDs(t *testing.T) {
	part := func(id string) string {
		name := `,"name":"f"`
		if id, further := strings.CutPrefix(id, "+"); further {
			return fmt.Sprintf(`{"functionCall":{"id":"%s", "partialArgs":[]}}`, id)
		}
		return fmt.Sprintf(`{"functionCall":{"id":"%s"%s, "args":{"id":"a"}},"thoughtSignature":"x"}`, id, name)
	}
	answer := func(ids ...string) string {
		var parts []string
		for _, id := range ids {
			parts = append(parts, part(id))
		}
		return fmt.Sprintf(`{"candidates" : [{"index":0, "content":{"role":"model","parts":[{"text":"x"},%s]}}],"modelVersion":"m"}`,
			strings.Join(parts, ","))
	}
	earlier := &chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{
		{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "a"}}}}}}
	for _, c := range []struct {
		req       *chat.Request
		sent, got []string
	}{
		{new(chat.Request), []string{"a", "b"}, []string{"a", "b"}},
		{new(chat.Request), []string{"a", "+a", "a", "+a"}, []string{"a", "+a", "a_2", "+a_2"}},
		{earlier, []string{"a", "+a", "a"}, []string{"a_2", "+a_2", "a_3"}},
	} {
		whole := string(gemini.Client{}.DistinctCallIDs([]byte(answer(c.sent...)), c.req))
		same := answer(c.got...)
		if strings.ReplaceAll(whole, " ", "") != strings.ReplaceAll(same, " ", "") {
			t.Errorf("%q whole:\n got %s\nwant %s", c.sent, whole, same)
		}
		p := gemini.Client{}.NewStreamPassthrough(c.req)
		for i := range c.sent {
			got := string(p.Append(nil, "", []byte(answer(c.sent[i]))))
			if want := "data: " + answer(c.got[i]) + "\n\n"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
				t.Errorf("%q streamed:\n got %s\nwant %s", c.sent, got, want)
			}
			if c.sent[i] == c.got[i] && !strings.Contains(got, answer(c.sent[i])) {
				t.Errorf("bytes changed: %s", got)
			}
		}
	}
	if got := string(gemini.Client{}.DistinctCallIDs([]byte("x"), earlier)); got != "x" {
		t.Error(got)
	}
}
