package native_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

func TestStreamEncodeAllocatesNothing(t *testing.T) {
	e := server().NewStreamEncoder(served)
	buf := make([]byte, 0, 4096)
	events := []chat.Event{{Kind: chat.EventText, Text: " world"}, {Kind: chat.EventReason, Text: "hm"}, {Kind: chat.EventCallArgs, Text: `{"a"`}}
	for i := range events {
		buf = e.Encode(buf[:0], &events[i])
		if n := testing.AllocsPerRun(100, func() { buf = e.Encode(buf[:0], &events[i]) }); n != 0 {
			t.Errorf("event of kind %d: %v allocations", events[i].Kind, n)
		}
	}
}

// BenchmarkChunk measures one streamed chunk in this package and in the provider's dialect.
func BenchmarkChunk(b *testing.B) {
	data := []byte(`{"id":"chatcmpl-DuLdWOILVCVVrpY7aRAWaTdcPyWSy","object":"chat.completion.chunk","created":1782321910,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_59e007eafa","usage":null,"choices":[{"index":0,"delta":{"content":" world"},"logprobs":null,"finish_reason":null}],"obfuscation":"CfQxNLZB1Nzny"}`)
	d := openai.Client{}.NewStreamDecoder()
	e := server().NewStreamEncoder(served)
	var events []chat.Event
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		events = d.Decode(events[:0], "", data)
		out = out[:0]
		for i := range events {
			out = e.Encode(out, &events[i])
		}
	}
}

// BenchmarkRequest50k reads a client's body with a prompt of 50 kB and writes the provider's.
func BenchmarkRequest50k(b *testing.B) {
	code := strings.Repeat("func main() {\n\tfmt.Println(\"hello, world\", 42)\n}\n// a comment that says nothing much, at length\n", 500)
	prompt, _ := json.Marshal(code)
	body := fmt.Appendf(nil, `{"model":"gpt-5","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":%s}],"temperature":0.7,"stream":true}`, prompt)
	s := server()
	rules := &openai.Rules{AsksStreamUsage: true}
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.DecodeRequest(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode and encode", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			req, _, err := s.DecodeRequest(body)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := (openai.Client{Rules: rules}).EncodeRequest(req); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncodeResponse(b *testing.B) {
	resp := rich()
	s := server()
	b.ReportAllocs()
	for b.Loop() {
		s.EncodeResponse(resp, served)
	}
}
