package gemini_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

// TestRequestComesBack: the server half reads the body that the client half writes as the same request, for every request
// that the dialect can express.
func TestRequestComesBack(t *testing.T) {
	for seed := range uint64(500) {
		want := randomRequest(rand.New(rand.NewPCG(seed, 4)))
		enc, err := gemini.Client{}.EncodeRequest(want)
		if err != nil || len(enc.Warnings) > 0 {
			t.Fatalf("seed %d: %v %q", seed, err, enc.Warnings)
		}
		form := gemini.Whole
		if want.Stream {
			form = gemini.SSE
		}
		for name, body := range map[string][]byte{"camel": enc.Body, "snake": snaked(enc.Body)} {
			got, _, err := gemini.NewServer(want.Model, form).DecodeRequest(body)
			if err != nil {
				t.Fatalf("seed %d, %s: %v in %s", seed, name, err, body)
			}
			if !reflect.DeepEqual(dialecttest.Placeless(got), want) {
				t.Fatalf("seed %d, %s: %s\n got %s\nwant %s", seed, name, body, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
			}
		}
	}
}

// maybe returns a value half of the time.
func maybe[T any](r *rand.Rand, v T) *T {
	if r.IntN(2) == 0 {
		return nil
	}
	return &v
}

func randomRequest(r *rand.Rand) *chat.Request {
	req := &chat.Request{Model: "gemini-x", Stream: r.IntN(2) == 0,
		MaxTokens: maybe(r, 1+r.Int64N(1000)), Temperature: maybe(r, float64(r.IntN(20))/10), TopP: maybe(r, 0.25), TopK: maybe(r, 1+r.Int64N(40)),
		Seed: maybe(r, r.Int64N(1000)-500), N: maybe(r, 2+r.Int64N(3)), FrequencyPenalty: maybe(r, -1.5), PresencePenalty: maybe(r, 0.5),
		ServiceTier: []string{"", "default", "flex", "priority"}[r.IntN(4)]}
	req.StreamUsage = req.Stream
	for range r.IntN(5) {
		req.Stop = append(req.Stop, randomWord(r))
	}
	if req.Logprobs = maybe(r, r.IntN(2) == 0); req.Logprobs != nil && *req.Logprobs {
		req.TopLogprobs = maybe(r, r.Int64N(20))
	}
	switch r.IntN(4) {
	case 0:
		req.Reasoning = &chat.Reasoning{Effort: []string{"minimal", "low", "medium", "high"}[r.IntN(4)], Hide: r.IntN(2) == 0}
	case 1:
		req.Reasoning = &chat.Reasoning{Budget: ptr(1 + r.Int64N(1000)), Hide: r.IntN(2) == 0}
	case 2:
		req.Reasoning = &chat.Reasoning{Hide: r.IntN(2) == 0}
	}
	switch r.IntN(3) {
	case 0:
		req.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatJSON}
	case 1:
		req.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Schema: json.RawMessage(`{"type":"object","properties":{"a":{"type":["string","null"]}}}`)}
	}
	randomTools(r, req)
	randomMessages(r, req)
	return req
}

func randomWord(r *rand.Rand) string {
	return []string{"a", "é", "漢\n", "\"", "some words ", "{}", "\\u0000"}[r.IntN(7)]
}

func randomTools(r *rand.Rand, req *chat.Request) {
	for i := range r.IntN(4) {
		tool := chat.Tool{Name: fmt.Sprint("tool_", i), Description: []string{"", "does"}[r.IntN(2)]}
		if r.IntN(2) == 0 {
			tool.Parameters = json.RawMessage(`{"type":"object","required":["x"],"properties":{"x":{"$ref":"#/$defs/x"}},"$defs":{"x":{"type":"integer"}}}`)
		}
		req.Tools = append(req.Tools, tool)
	}
	if len(req.Tools) > 0 {
		req.ToolChoice = []*chat.ToolChoice{nil, {Mode: chat.ToolAuto}, {Mode: chat.ToolNone}, {Mode: chat.ToolRequired}, {Mode: chat.ToolNamed, Name: "tool_0"}}[r.IntN(5)]
	}
}

// randomMessages returns alternating turns, as the dialect requires.
func randomMessages(r *rand.Rand, req *chat.Request) {
	if r.IntN(2) == 0 {
		req.Messages = append(req.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{text("be"), text(randomWord(r))}})
	}
	calls := 0
	for range 1 + r.IntN(4) {
		said := user(text(randomWord(r)))
		for range r.IntN(3) {
			said.Parts = append(said.Parts, randomMedia(r), text(randomWord(r)))
		}
		answer := chat.Message{Role: chat.Assistant}
		if r.IntN(2) == 0 {
			answer.Parts = append(answer.Parts, chat.Part{Kind: chat.Reason, Text: randomWord(r), State: &chat.ReasoningState{Format: gemini.Format, Summary: true, Signature: []string{"", "YQ=="}[r.IntN(2)]}})
		}
		answer.Parts = append(answer.Parts, text(randomWord(r)))
		if r.IntN(2) == 0 {
			answer.Parts = append(answer.Parts, chat.Part{Kind: chat.Reason, State: &chat.ReasoningState{Format: gemini.Format, Signature: "+/8="}})
		}
		results := chat.Message{Role: chat.ToolRole}
		for range r.IntN(3) {
			calls++
			id, name := fmt.Sprint("id-", calls), fmt.Sprint("f", r.IntN(2))
			answer.Parts = append(answer.Parts, called(id, name, []string{`{}`, `{"a":{"b_c":[1,2.50,"x"]}}`}[r.IntN(2)], []string{"", "c2ln", "skip_thought_signature_validator"}[r.IntN(3)]))
			result := &chat.ToolResult{CallID: id, Name: name, IsError: r.IntN(3) == 0, Parts: []chat.Part{text([]string{"", "x", `{"a":1}`, `{"output":"x"}`, `{"error":1}`, `[1]`}[r.IntN(6)])}}
			results.Parts = append(results.Parts, chat.Part{Kind: chat.Result, ToolResult: result})
		}
		req.Messages = append(req.Messages, said, answer)
		if len(results.Parts) > 0 {
			req.Messages = append(req.Messages, results, model(text("ok")))
		}
	}
	req.Messages = append(req.Messages, user(text("go on")))
}

func randomMedia(r *rand.Rand) chat.Part {
	return []chat.Part{
		media(chat.Image, chat.Media{MIMEType: "image/webp", Data: "+/8="}),
		media(chat.Audio, chat.Media{MIMEType: "audio/mpeg", Data: "QQ=="}),
		media(chat.File, chat.Media{MIMEType: "application/pdf", Data: "QUI="}),
		media(chat.File, chat.Media{MIMEType: "text/plain", FileID: "files/x"}),
		media(chat.File, chat.Media{MIMEType: "video/mp4", URL: "https://www.youtube.com/watch?v=x"}),
	}[r.IntN(5)]
}
