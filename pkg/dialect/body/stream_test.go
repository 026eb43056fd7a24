package body_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// A stream that goes on and on ends in a failure at the bound, whether its pieces show in events or not.
func TestStreamsWithoutAnEnd(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for name, c := range map[string]struct {
		client dialect.Client
		first  string
		next   func(i int) string
		most   int // pieces that are taken at the most
	}{
		"openai, choices": {openai.Client{}, `{}`, func(i int) string {
			return fmt.Sprintf(`{"choices":[{"index":%d,"delta":{}}]}`, i)
		}, chat.MaxChoices},
		"openai, calls": {openai.Client{}, `{}`, func(i int) string {
			return fmt.Sprintf(`{"choices":[{"delta":{"tool_calls":[{"index":%d,"id":"c%d","function":{"name":"f"}}]}}]}`, i, i)
		}, chat.MaxCalls},
		"openai, calls without a name": {openai.Client{}, `{}`, func(i int) string {
			return fmt.Sprintf(`{"choices":[{"delta":{"tool_calls":[{"index":%d}]}}]}`, i)
		}, chat.MaxCalls},
		"openai, arguments without a name": {openai.Client{}, `{}`, func(int) string {
			return `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"` + long + `"}}]}}]}`
		}, chat.MaxArguments >> 20},
		"anthropic, blocks of no kind": {anthropic.Client{}, `{"type":"message_start","message":{"id":"m"}}`, func(i int) string {
			return fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":{"type":"new"}}`, i)
		}, chat.MaxParts + 1},
		"anthropic, input": {anthropic.Client{}, `{"type":"message_start","message":{"id":"m"}}`, func(i int) string {
			if i == 0 {
				return `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f"}}`
			}
			return `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"` + long + `"}}`
		}, chat.MaxArguments>>20 + 1},
		"gemini, candidates": {gemini.Client{}, `{}`, func(i int) string {
			return fmt.Sprintf(`{"candidates":[{"index":%d}]}`, i)
		}, chat.MaxChoices},
		"gemini, calls": {gemini.Client{}, `{}`, func(int) string {
			return `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}`
		}, chat.MaxCalls},
		"gemini, a call in pieces": {gemini.Client{}, `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}`, func(int) string {
			return `{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"` + long + `","willContinue":true}],"willContinue":true}}]}}]}`
		}, chat.MaxArguments >> 20},
		"responses, items of no kind": {responses.Client{}, `{"type":"response.created","response":{}}`, func(i int) string {
			return fmt.Sprintf(`{"type":"response.output_item.added","output_index":%d,"item":{"type":"new"}}`, i)
		}, chat.MaxParts + 1},
		"responses, texts": {responses.Client{}, `{"type":"response.created","response":{}}`, func(i int) string {
			return fmt.Sprintf(`{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":%d,"delta":"a"}`, i)
		}, chat.MaxParts},
	} {
		d := c.client.NewStreamDecoder()
		if out := d.Decode(nil, "", []byte(c.first)); len(out) > 0 && out[len(out)-1].Kind == chat.EventError {
			t.Fatalf("%s: %v", name, out[len(out)-1].Err)
		}
		var failed *chat.Error
		n := 0
		for ; failed == nil && n <= 2*c.most; n++ {
			if out := d.Decode(nil, "", []byte(c.next(n))); len(out) > 0 && out[len(out)-1].Kind == chat.EventError {
				failed = out[len(out)-1].Err
			}
		}
		if failed == nil || failed.Class != chat.Transport || n > c.most+1 {
			t.Errorf("%s: %d pieces were taken, then %v", name, n, failed)
		}
	}
}

// What decoders and encoders allocate grows with the length of a stream, not with its square.
func TestCallsInManyPiecesAreLinear(t *testing.T) {
	pieces := func(n int) []chat.Event {
		events := []chat.Event{{Kind: chat.EventStart}}
		for call := range 2 {
			events = append(events, chat.Event{Kind: chat.EventCall, Call: call, ToolCall: &chat.ToolCall{ID: fmt.Sprint(call), Name: "f", Arguments: `{"a":"`}})
		}
		for range n {
			events = append(events, chat.Event{Kind: chat.EventCallArgs, Call: 1, Text: "a"}, chat.Event{Kind: chat.EventCallArgs, Call: 0, Text: "b"})
		}
		return append(events, chat.Event{Kind: chat.EventFinish}, chat.Event{Kind: chat.EventEnd})
	}
	for name, server := range map[string]dialect.Server{
		"native": new(native.Server), "openai": new(openai.Server), "anthropic": new(anthropic.Server),
		"gemini": gemini.NewServer("m", gemini.SSE), "responses": new(responses.Server),
	} {
		linear(t, "encoder of "+name, func(n int) func() {
			events := pieces(n)
			return func() {
				e := server.NewStreamEncoder(dialect.Served{RequestID: "r"})
				var out []byte
				for i := range events {
					out = e.Encode(out[:0], &events[i])
				}
			}
		})
	}
	linear(t, "assembler", func(n int) func() {
		events := pieces(n)
		return func() { chat.Assemble(events) }
	})
	for place, first := range map[string]string{"before a block": "", "within one": "<think>a"} {
		linear(t, "white space "+place, func(n int) func() {
			return func() {
				var s body.ThinkSplitter
				s.Split([]chat.Event{{Kind: chat.EventText, Text: first}}, 0)
				for range n {
					s.Split([]chat.Event{{Kind: chat.EventText, Text: " "}}, 0)
				}
			}
		})
	}
	linear(t, "openai, arguments before the name", func(n int) func() {
		return func() {
			d := openai.Client{}.NewStreamDecoder()
			for range n {
				d.Decode(nil, "", []byte(`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"a"}}]}}]}`))
			}
		}
	})
}

// linear compares what make(n) allocates with what twice as much does.
func linear(t *testing.T, name string, prepare func(n int) func()) {
	t.Helper()
	const n = 1 << 14
	once, twice := allocated(prepare(n)), allocated(prepare(2*n))
	if twice > 3*once {
		t.Errorf("%s: %d bytes for %d pieces, %d for twice as many", name, once, n, twice)
	}
}

func allocated(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
