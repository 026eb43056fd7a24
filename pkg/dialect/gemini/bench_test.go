package gemini_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

// BenchmarkChunk is one chunk of a stream, read from Google and written to a caller.
func BenchmarkChunk(b *testing.B) {
	chunk := []byte(`{"candidates": [{"content": {"parts": [{"text": "some words of an answer "}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 54,"candidatesTokenCount": 9,"totalTokenCount": 63},"modelVersion": "gemini-2.5-flash","responseId": "r-1"}`)
	d := gemini.Client{}.NewStreamDecoder()
	e := gemini.NewServer("m", gemini.SSE).NewStreamEncoder(dialect.Served{})
	var events []chat.Event
	var out []byte
	b.ReportAllocs()
	for range b.N {
		events = d.Decode(events[:0], "", chunk)
		out = out[:0]
		for i := range events {
			out = e.Encode(out, &events[i])
		}
	}
	if len(out) == 0 {
		b.Fatal("nothing came out")
	}
}

// BenchmarkDecodeRequest is a request of everything.
func BenchmarkDecodeRequest(b *testing.B) {
	body := dialecttest.Read(b, "testdata/request/full.json")
	s := gemini.NewServer("m", gemini.Whole)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for range b.N {
		if _, _, err := s.DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}
