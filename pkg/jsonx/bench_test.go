package jsonx_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// prompt is a request with about size bytes of source code as its prompt.
func prompt(size int) []byte {
	code := strings.Repeat("func main() {\n\tfmt.Println(\"hello, world\", 42)\n}\n// a comment that says nothing much, at length\n", size/100)
	text, _ := json.Marshal(code)
	return fmt.Appendf(nil, `{"model":"gpt-5","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":%s}],"temperature":0.7,"maxTokens":100}`, text)
}

func prose(size int) []byte {
	text, _ := json.Marshal(strings.Repeat("The quick brown fox jumps over the lazy dog, and is tired. ", size/59))
	return fmt.Appendf(nil, `{"messages":[{"role":"user","content":%s}]}`, text)
}

type request struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Temperature *float64 `json:"temperature"`
	MaxTokens   *int64   `json:"maxTokens"`
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range map[string][]byte{"code50k": prompt(50_000), "prose50k": prose(50_000), "code4M": prompt(4 << 20)} {
		b.Run(name+"/jsonx", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var r request
				if err := jsonx.Decode(body, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var r request
				if err := json.Unmarshal(body, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseChunk(b *testing.B) {
	chunk := []byte(`{"id":"chatcmpl-DuLdWOILVCVVrpY7aRAWaTdcPyWSy","object":"chat.completion.chunk","created":1782321910,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_59e007eafa","usage":null,"choices":[{"index":0,"delta":{"content":" world"},"logprobs":null,"finish_reason":null}],"obfuscation":"CfQxNLZB1Nzny"}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(chunk)))
	var d jsonx.Doc
	for b.Loop() {
		if err := d.Parse(chunk, jsonx.Lenient); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendString(b *testing.B) {
	text := strings.Repeat("The quick brown fox \"jumps\" over\nthe lazy dog. ", 1000)
	buf := make([]byte, 0, 2*len(text))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		buf = jsonx.AppendString(buf[:0], text)
	}
}
