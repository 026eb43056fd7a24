package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// spoken is a stream of one dialect: %s stands for a piece of what is said.
type spoken struct {
	client                          dialect.Passthrough
	begin, reason, text, call, args string
	end                             string
}

func spokenStreams() map[string]spoken {
	const item = `{"type":"response.output_item.added","output_index":%d,"item":%s}`
	return map[string]spoken{
		"openai": {
			client: openai.Client{Rules: new(openai.Rules)},
			reason: `{"id":"c","choices":[{"index":0,"delta":{"reasoning_content":"%s"}}]}`,
			text:   `{"id":"c","choices":[{"index":0,"delta":{"content":"%s"}}]}`,
			call: `{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","type":"function",` +
				`"function":{"name":"f","arguments":""}}]}}]}`,
			args: `{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"%s"}}]}}]}`,
			end:  `{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\ndata: [DONE]",
		},
		"anthropic": {
			client: anthropic.Client{Rules: new(anthropic.Rules)},
			begin: `{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],` +
				`"usage":{"input_tokens":1,"output_tokens":1}}}` +
				"\n\ndata: " + `{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}` +
				"\n\ndata: " + `{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}`,
			reason: `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"%s"}}`,
			text:   `{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"%s"}}`,
			call:   `{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"x","name":"f","input":{}}}`,
			args:   `{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"%s"}}`,
			end: `{"type":"content_block_stop","index":2}` +
				"\n\ndata: " + `{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}` +
				"\n\ndata: " + `{"type":"message_stop"}`,
		},
		"gemini": {
			client: gemini.Client{Rules: new(gemini.Rules)},
			reason: `{"candidates":[{"content":{"role":"model","parts":[{"text":"%s","thought":true}]}}]}`,
			text:   `{"candidates":[{"content":{"role":"model","parts":[{"text":"%s"}]}}]}`,
			end:    `{"candidates":[{"content":{"role":"model","parts":[]},"finishReason":"STOP"}]}`,
		},
		"responses": {
			client: responses.Client{Rules: new(openai.Rules)},
			begin: `{"type":"response.created","response":{"id":"r","object":"response","status":"in_progress","model":"x","output":[]}}` +
				"\n\ndata: " + fmt.Sprintf(item, 0, `{"type":"reasoning","id":"rs","summary":[]}`) +
				"\n\ndata: " + fmt.Sprintf(item, 1, `{"type":"message","id":"ms","role":"assistant","status":"in_progress","content":[]}`),
			reason: `{"type":"response.reasoning_summary_text.delta","item_id":"rs","output_index":0,"summary_index":0,"delta":"%s"}`,
			text:   `{"type":"response.output_text.delta","item_id":"ms","output_index":1,"content_index":0,"delta":"%s"}`,
			call:   fmt.Sprintf(item, 2, `{"type":"function_call","id":"fc","call_id":"x","name":"f","arguments":"","status":"in_progress"}`),
			args:   `{"type":"response.function_call_arguments.delta","item_id":"fc","output_index":2,"delta":"%s"}`,
			end:    `{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","model":"x","output":[]}}`,
		},
	}
}

// A character that comes in two events is one, in texts, reasoning and arguments, read and passed through, wherever the
// provider cuts.
func TestCharactersInHalves(t *testing.T) {
	const said = "é😀👍🏽.😀"
	units := utf16.Encode([]rune(said))
	escaped := func(units []uint16) (s string) {
		for _, u := range units {
			s += fmt.Sprintf(`\u%04x`, u)
		}
		return s
	}
	var cuts [][]string // the pieces of each way to cut
	for size := 1; size <= len(units); size++ {
		for first := range size {
			var pieces []string
			for at := 0; at < len(units); {
				next := min(at+size, len(units))
				if at == 0 && first > 0 {
					next = first
				}
				pieces = append(pieces, escaped(units[at:next]))
				at = next
			}
			cuts = append(cuts, pieces)
		}
	}
	for name, s := range spokenStreams() {
		for _, pieces := range cuts {
			var stream strings.Builder
			put := func(format string, args ...any) {
				if format != "" {
					fmt.Fprintf(&stream, "data: "+format+"\n\n", args...)
				}
			}
			put(s.begin)
			for i := range pieces {
				put(s.reason, pieces[i])
			}
			for i := range pieces {
				put(s.text, pieces[i])
			}
			if put(s.call); s.call != "" {
				put(s.args, `{\"a\":\"`)
				for i := range pieces {
					put(s.args, pieces[i])
				}
				put(s.args, `\"}`)
			}
			put(s.end)
			src := source{events: sse.NewReader(strings.NewReader(stream.String()), 0), decoder: s.client.NewStreamDecoder(),
				callIDs: turns.NewIDs(new(chat.Request)), passthrough: s.client.NewStreamPassthrough(new(chat.Request))}
			got := map[chat.EventKind]string{}
			for !src.ended {
				for _, ev := range src.next(nil) {
					got[ev.Kind] += ev.Text
					if ev.Err != nil {
						t.Fatalf("%s: %v", name, ev.Err)
					}
				}
			}
			want := map[chat.EventKind]string{chat.EventReason: said, chat.EventText: said}
			if s.call != "" {
				want[chat.EventCallArgs] = `{"a":"` + said + `"}`
			}
			for kind, text := range want {
				if got[kind] != text {
					t.Fatalf("%s, %q: %q, want %q of kind %v", name, pieces, got[kind], text, kind)
				}
			}
			cut := strings.Contains(stream.String(), `\ud83d"`) || strings.Contains(stream.String(), `\ud83c"`)
			if raw := string(src.raw); !cut && raw != stream.String() {
				t.Errorf("%s, %q: nothing was cut, but passed on is\n%s", name, pieces, raw)
			} else if halved(raw) {
				t.Errorf("%s, %q: passed on are halves:\n%s", name, pieces, raw)
			}
		}
	}
}

// halved reports whether an event of the stream has half a character.
func halved(stream string) bool {
	for line := range strings.SplitSeq(stream, "\n") {
		var v any
		data, ok := strings.CutPrefix(line, "data: ")
		if ok && json.Unmarshal([]byte(data), &v) == nil && strings.Contains(fmt.Sprint(v), "\ufffd") {
			return true
		}
	}
	return false
}
