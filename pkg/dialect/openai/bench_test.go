package openai_test

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

var chunks = map[string]string{
	"text":       `{"id":"chatcmpl-DuLdWOILVCVVrpY7aRAWaTdcPyWSy","object":"chat.completion.chunk","created":1782321910,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_59e007eafa","usage":null,"choices":[{"index":0,"delta":{"content":" world"},"logprobs":null,"finish_reason":null}],"obfuscation":"CfQxNLZB1Nzny"}`,
	"arguments":  `{"id":"chatcmpl-DuLdWOILVCVVrpY7aRAWaTdcPyWSy","object":"chat.completion.chunk","created":1782321910,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]},"logprobs":null,"finish_reason":null}],"obfuscation":"ilkuWcchzis"}`,
	"openrouter": `{"id":"gen-1777319826-N0ngyT6DvdOcsIp1uOkF","object":"chat.completion.chunk","created":1777319826,"model":"anthropic/claude-4.5-haiku-20251001","provider":"Anthropic","choices":[{"index":0,"delta":{"content":"","role":"assistant","reasoning":"think","reasoning_details":[{"type":"reasoning.text","text":"think","format":"anthropic-claude-v1","index":0}]},"finish_reason":null,"native_finish_reason":null}]}`,
}

func BenchmarkStreamDecode(b *testing.B) {
	for name, chunk := range chunks {
		b.Run(name, func(b *testing.B) {
			d := openai.Client{}.NewStreamDecoder()
			events := d.Decode(nil, "", []byte(`{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]}}]}`))
			data := []byte(chunk)
			b.ReportAllocs()
			for b.Loop() {
				if events = d.Decode(events[:0], "", data); len(events) != 1 || events[0].Kind == chat.EventError {
					b.Fatal(events)
				}
			}
		})
	}
}

func BenchmarkEncodeRequest(b *testing.B) {
	prompt := strings.Repeat("func main() {\n\tfmt.Println(\"hello, world\", 42)\n}\n// a comment that says nothing much, at length\n", 500)
	req := &chat.Request{Model: "gpt-5", Stream: true, Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: prompt}}}}}
	rules := &openai.Rules{AsksStreamUsage: true}
	b.SetBytes(int64(len(prompt)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (openai.Client{Rules: rules}).EncodeRequest(req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeRequest reads a client's body with a short conversation and a tool.
func BenchmarkDecodeRequest(b *testing.B) {
	body := []byte(`{"model":"gpt-5","temperature":0.7,"max_completion_tokens":100,"stream":true,"stream_options":{"include_usage":true},"messages":[
		{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"https://e.com/a.png"}}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"call_1","content":"a cat"}],
		"tools":[{"type":"function","function":{"name":"look","description":"Looks.","parameters":{"type":"object"}}}],"tool_choice":"auto","response_format":{"type":"text"}}`)
	s := new(openai.Server)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeResponse(b *testing.B) {
	resp := &chat.Response{ID: "chatcmpl-1", Model: "gpt-5", Usage: &chat.Usage{Input: 3, Output: 4}, Choices: []chat.Choice{{Finish: chat.FinishToolCalls,
		Message: chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Reason, Text: "Let me think.", State: &chat.ReasoningState{Signature: "sig=="}},
			{Kind: chat.Text, Text: "Hello"},
			{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "call_1", Name: "look", Arguments: `{"at": 1}`}},
		}}}}}
	s := new(openai.Server)
	b.ReportAllocs()
	for b.Loop() {
		s.EncodeResponse(resp, dialect.Served{RequestID: "r-1"})
	}
}
