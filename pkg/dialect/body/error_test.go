package body_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// Servers that have the member in every answer do not fail by it, in any dialect; those that say something do.
func TestErrorsThatSayNothing(t *testing.T) {
	clients := map[string]struct {
		client dialect.Client
		answer string
		event  string // the first of a stream
	}{
		"openai":    {openai.Client{}, `"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]`, `"choices":[{"index":0,"delta":{"content":"x"}}]`},
		"responses": {responses.Client{}, `"status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]}]`, `"type":"response.created","response":{"id":"r"}`},
		"anthropic": {anthropic.Client{}, `"content":[{"type":"text","text":"x"}],"stop_reason":"end_turn"`, `"type":"message_start","message":{"id":"m"}`},
		"gemini":    {gemini.Client{}, `"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]`, `"candidates":[{"content":{"parts":[{"text":"x"}]}}]`},
	}
	for name, c := range clients {
		for member, fails := range map[string]bool{
			`null`: false, `{}`: false, `""`: false, `false`: false, `{"message":"","code":null}`: false, `{"message":"m"}`: true, `{"code":503}`: true,
		} {
			_, err := c.client.DecodeResponse([]byte(`{"error":` + member + `,` + c.answer + `}`))
			if (err != nil) != fails {
				t.Errorf("%s, error %s: %v", name, member, err)
			}
			if name == "anthropic" {
				continue // its events have types, of which one is for errors
			}
			events := c.client.NewStreamDecoder().Decode(nil, "", []byte(`{"error":`+member+`,`+c.event+`}`))
			if failed := len(events) > 0 && events[len(events)-1].Kind == chat.EventError; failed != fails {
				t.Errorf("%s, error %s in a stream: %+v", name, member, events)
			}
		}
	}
}
