package responses_test

import (
	"os"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

func BenchmarkStreamDecode(b *testing.B) {
	data := []byte(`{"type":"response.output_text.delta","content_index":0,"delta":" are","item_id":"msg_0a63f40a2632b74300699f8819a5e08196","logprobs":[],"output_index":0,"sequence_number":10}`)
	d := responses.Client{}.NewStreamDecoder()
	var events []chat.Event
	b.ReportAllocs()
	for b.Loop() {
		events = d.Decode(events[:0], "response.output_text.delta", data)
	}
	if len(events) != 1 {
		b.Fatal(events)
	}
}

func BenchmarkStreamEncode(b *testing.B) {
	ev := chat.Event{Kind: chat.EventText, Text: " are"}
	e := new(responses.Server).NewStreamEncoder(served())
	out := e.Encode(nil, &ev)
	b.ReportAllocs()
	for b.Loop() {
		out = e.Encode(out[:0], &ev)
	}
}

func BenchmarkDecodeRequest(b *testing.B) {
	body, err := os.ReadFile("testdata/request/codex.json")
	if err != nil {
		b.Fatal(err)
	}
	server := new(responses.Server)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := server.DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRequest(b *testing.B) {
	req, rules := sayable(), &openai.Rules{CommonRules: dialect.CommonRules{Provider: "openai"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (responses.Client{Rules: rules}).EncodeRequest(req); err != nil {
			b.Fatal(err)
		}
	}
}
