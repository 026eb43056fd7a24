package responses_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/sse"
)

// sent is an event of a stream.
type sent struct {
	Type     string
	Number   int             `json:"sequence_number"`
	Response json.RawMessage `json:"response"`
	Item     json.RawMessage `json:"item"`
	ItemID   string          `json:"item_id"`
	Output   int             `json:"output_index"`
	Content  int             `json:"content_index"`
	Summary  int             `json:"summary_index"`
	Delta    string
	Text     string
	Refusal  string
	Args     string `json:"arguments"`
	Input    string
	Part     struct{ Type, Text, Refusal string }
}

func events(t *testing.T, stream []byte) []sent {
	t.Helper()
	var out []sent
	reader := sse.NewReader(bytes.NewReader(stream), 0)
	for {
		name, data, err := reader.Next()
		if err != nil {
			return out
		}
		var ev sent
		if err := json.Unmarshal(data, &ev); err != nil || ev.Type != name {
			t.Fatalf("%v: event %q: %s", err, name, data)
		}
		out = append(out, ev)
	}
}

// doneItems are the items of output_item.done, in the order in which they came.
func doneItems(t *testing.T, stream []byte) json.RawMessage {
	t.Helper()
	var items []json.RawMessage
	for _, ev := range events(t, stream) {
		if ev.Type == "response.output_item.done" {
			for len(items) <= ev.Output {
				items = append(items, nil)
			}
			items[ev.Output] = ev.Item
		}
	}
	out, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkSequence checks a stream that ended well, and returns the response of its last event.
func checkSequence(t *testing.T, stream []byte) json.RawMessage {
	t.Helper()
	all := events(t, stream)
	type place struct{ output, part int }
	items := map[int]string{}     // the ids of those that are open
	done := map[int]any{}         // those that are not
	parts := map[place]string{}   // the texts of those that are open
	arguments := map[int]string{} // of open calls
	bad := func(i int, format string, args ...any) {
		t.Helper()
		t.Fatalf("event %d, %s: %s\n%s", i, all[i].Type, fmt.Sprintf(format, args...), stream)
	}
	for i, ev := range all {
		at := place{ev.Output, ev.Content*2 + ev.Summary*2}
		if ev.Summary > 0 || bytes.Contains([]byte(ev.Type), []byte("summary")) {
			at.part++
		}
		if ev.Number != i {
			bad(i, "number %d", ev.Number)
		}
		if ev.ItemID != "" && items[ev.Output] != ev.ItemID && ev.Type != "response.output_text.annotation.added" {
			bad(i, "%q is not open there: %v", ev.ItemID, items)
		}
		switch ev.Type {
		case "response.created", "response.in_progress":
			if (i == 0) != (ev.Type == "response.created") || i > 1 {
				bad(i, "not at its place")
			}
		case "response.output_item.added":
			if items[ev.Output] != "" || done[ev.Output] != nil || ev.Output != len(items)+len(done) {
				bad(i, "added twice, or out of order")
			}
			items[ev.Output] = idOf(t, ev.Item)
		case "response.output_item.done":
			if items[ev.Output] != idOf(t, ev.Item) {
				bad(i, "not open")
			}
			for p := range parts {
				if p.output == ev.Output {
					bad(i, "a part is still open")
				}
			}
			delete(items, ev.Output)
			done[ev.Output] = tree(t, ev.Item)
		case "response.content_part.added", "response.reasoning_summary_part.added":
			if _, twice := parts[at]; twice || ev.Part.Text+ev.Part.Refusal != "" {
				bad(i, "added twice, or with a text")
			}
			parts[at] = ""
		case "response.output_text.delta", "response.refusal.delta", "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
			if _, ok := parts[at]; !ok {
				bad(i, "no such part")
			}
			parts[at] += ev.Delta
		case "response.output_text.done", "response.refusal.done", "response.reasoning_summary_text.done", "response.reasoning_text.done":
			if got, ok := parts[at]; !ok || got != ev.Text+ev.Refusal {
				bad(i, "the pieces were %q", got)
			}
		case "response.content_part.done", "response.reasoning_summary_part.done":
			if got, ok := parts[at]; !ok || got != ev.Part.Text+ev.Part.Refusal {
				bad(i, "the pieces were %q", got)
			}
			delete(parts, at)
		case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
			arguments[ev.Output] += ev.Delta
		case "response.function_call_arguments.done", "response.custom_tool_call_input.done":
			if arguments[ev.Output] != ev.Args+ev.Input {
				bad(i, "the pieces were %q", arguments[ev.Output])
			}
		case "response.output_text.annotation.added", "response.image_generation_call.completed":
		case "response.completed", "response.incomplete":
			if i != len(all)-1 || len(items) > 0 {
				bad(i, "not at its place, or items are open")
			}
		default:
			bad(i, "unknown")
		}
	}
	last := all[len(all)-1].Response
	var response struct{ Output []any }
	if err := json.Unmarshal(last, &response); err != nil {
		t.Fatal(err)
	}
	if len(response.Output) != len(done) {
		t.Fatalf("%d items at the end, %d before\n%s", len(response.Output), len(done), stream)
	}
	for i, it := range response.Output {
		if !reflect.DeepEqual(withoutCitations(it), withoutCitations(done[i])) {
			t.Fatalf("at the end the item is\n%v\nbefore it was\n%v", it, done[i])
		}
	}
	return last
}

// withoutCitations removes citations, which may come after an item.
func withoutCitations(item any) any {
	content, _ := item.(map[string]any)["content"].([]any)
	for _, part := range content {
		delete(part.(map[string]any), "annotations")
		delete(part.(map[string]any), "logprobs")
	}
	return item
}

func tree(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func idOf(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	id, _ := tree(t, raw).(map[string]any)["id"].(string)
	return id
}
