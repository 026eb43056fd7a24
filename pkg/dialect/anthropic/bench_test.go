package anthropic_test

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
)

func BenchmarkStreamDecode(b *testing.B) {
	for name, data := range map[string]string{
		"text":      `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" world"}          }`,
		"arguments": `{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}        }`,
	} {
		b.Run(name, func(b *testing.B) {
			d := anthropic.Client{}.NewStreamDecoder()
			events := d.Decode(nil, "", []byte(`{"type":"message_start","message":{"id":"m"}}`))
			events = d.Decode(events, "", []byte(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`))
			events = d.Decode(events, "", []byte(`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}`))
			b.ReportAllocs()
			for b.Loop() {
				if events = d.Decode(events[:0], "", []byte(data)); len(events) != 1 || events[0].Kind == chat.EventError {
					b.Fatal(events)
				}
			}
		})
	}
}

func BenchmarkStreamEncode(b *testing.B) {
	e := server().NewStreamEncoder(served)
	ev := chat.Event{Kind: chat.EventText, Text: " world"}
	out := e.Encode(nil, &ev)
	b.ReportAllocs()
	for b.Loop() {
		if out = e.Encode(out[:0], &ev); len(out) == 0 {
			b.Fatal("nothing")
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	prompt := strings.Repeat(`func main() {\n\tfmt.Println(\"hello, world\", 42)\n}\n// a comment that says nothing much, at length\n`, 500)
	in := []byte(messages(`{"role":"user","content":"` + prompt + `"}`))
	s, rules := server(), &anthropic.Rules{}
	req, _, err := s.DecodeRequest(in)
	if err != nil {
		b.Fatal(err)
	}
	for name, run := range map[string]func() bool{
		"decode": func() bool { _, _, err := s.DecodeRequest(in); return err == nil },
		"encode": func() bool { _, err := anthropic.Client{Rules: rules}.EncodeRequest(req); return err == nil },
		"pass":   func() bool { _, ok := anthropic.Client{Rules: rules}.PassthroughRequest(in, req, nil); return ok },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if !run() {
					b.Fatal("it fails")
				}
			}
		})
	}
}
