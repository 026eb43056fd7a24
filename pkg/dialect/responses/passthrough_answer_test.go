package responses_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// Calls that repeat an id get others, the same in a stream and in a whole answer; a result keeps its call's.
func TestPassthroughGivesCallsDistinctIDs(t *testing.T) {
	item := func(kind, id string) string {
		return fmt.Sprintf(`{"type":"%s","id":"fc_1", "call_id":"%s","name":"f"}`, kind, id)
	}
	events := func(ids ...string) string {
		var b strings.Builder
		put := func(format string, args ...any) { fmt.Fprintf(&b, "data: "+format+"\n\n", args...) }
		var items []string
		for i, id := range ids {
			kind := "function_call"
			if i == 2 {
				kind = "shell_call_output"
			}
			items = append(items, item(kind, id))
			put(`{"type":"response.output_item.added","output_index":%d,"item":%s}`, i, items[i])
			put(`{"type":"response.function_call_arguments.delta","output_index":%d,"delta":"\"call_id\""}`, i)
			put(`{"type":"response.output_item.done","output_index":%d,"item":%s}`, i, items[i])
		}
		put(`{"type":"response.completed","response":{"id":"r", "output":[%s]}}`, strings.Join(items, ","))
		return b.String()
	}
	whole := func(ids ...string) string {
		return fmt.Sprintf(`{"id":"r", "output":[{"type":"message","content":[]},%s,%s,%s]}`, item("function_call", ids[0]),
			item("custom_tool_call", ids[1]), item("shell_call_output", ids[2]))
	}
	earlier := &chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{
		{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "a"}}}}}}
	for _, c := range []struct {
		req       *chat.Request
		sent, got []string
	}{
		{new(chat.Request), []string{"a", "b", "b"}, []string{"a", "b", "b"}},
		{new(chat.Request), []string{"a", "a", "a"}, []string{"a", "a_2", "a_2"}},
		{earlier, []string{"a", "a", "a"}, []string{"a_2", "a_3", "a_3"}},
		{earlier, []string{"b", "a_2", "b"}, []string{"b", "a_2", "b"}},
	} {
		if got, want := string(responses.Client{}.DistinctCallIDs([]byte(whole(c.sent...)), c.req)), whole(c.got...); got != want {
			t.Errorf("%q whole:\n got %s\nwant %s", c.sent, got, want)
		}
		p := responses.Client{}.NewStreamPassthrough(c.req)
		var out []byte
		for ev := range strings.SplitSeq(events(c.sent...), "\n\n") {
			if data, ok := strings.CutPrefix(ev, "data: "); ok {
				out = p.Append(out, "", []byte(data))
			}
		}
		if want := events(c.got...); string(out) != want {
			t.Errorf("%q streamed:\n got %s\nwant %s", c.sent, out, want)
		}
	}
	if got := string(responses.Client{}.DistinctCallIDs([]byte("x"), earlier)); got != "x" {
		t.Error(got)
	}
}
