package openai_test

import (
	"encoding/json"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// Every model learns that a tool failed, though neither of OpenAI's formats has a field for it.
func TestFailedToolsSaySo(t *testing.T) {
	for in, want := range map[string]string{"no such city": "Error: no such city", "": "Error", "ERROR 404": "ERROR 404", "error": "error"} {
		var parts []chat.Part
		if in != "" {
			parts = []chat.Part{{Kind: chat.Text, Text: in}}
		}
		req := &chat.Request{Model: "m", Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "x"}}},
			{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "c", Name: "f", Arguments: "{}"}}}},
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "c", IsError: true, Parts: parts}}}},
		}}
		var sent struct {
			Messages []struct{ Content string }
			Input    []struct{ Output string }
		}
		for _, client := range []dialect.Client{openai.Client{}, responses.Client{}} {
			enc, err := client.EncodeRequest(req)
			if err != nil {
				t.Fatal(err)
			}
			json.Unmarshal(enc.Body, &sent)
		}
		if chatText, item := sent.Messages[2].Content, sent.Input[2].Output; chatText != want || item != want {
			t.Errorf("%q became %q and %q, want %q", in, chatText, item, want)
		}
		if len(parts) > 0 && parts[0].Text != in {
			t.Error("the request was changed")
		}
	}
}
