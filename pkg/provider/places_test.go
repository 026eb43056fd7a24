package provider

import (
	"errors"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// A refusal names the part or tool that it is about: where it is in the caller's body, and its type.
func TestRefusalsNameThePlace(t *testing.T) {
	const (
		mp4   = "data:video/mp4;base64,AAAA"
		tools = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[` +
			`{"type":"custom","name":"f","input_schema":{"type":"object"}},{"type":"hologram_20270101","name":"h"}]}`
	)
	for _, c := range []struct {
		server           dialect.Server
		provider, model  string
		body, place, say string
	}{
		{new(openai.Server), "mistral", "mistral-small-latest",
			`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"user","content":[{"type":"text","text":"y"},{"type":"hologram","a":1}]}]}`,
			"messages[1].content[1]", `"hologram"`},
		{new(openai.Server), "anthropic", "claude-haiku-4-5",
			`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"y"},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`,
			"messages[0].content[1]", "audio"},
		{new(openai.Server), "gemini", "gemini-2.5-flash",
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/a.png"}}]}]}`,
			"messages[0].content[0]", "URL"},
		{new(openai.Server), "groq", "llama-3.1-8b-instant",
			`{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"` + mp4 + `"}}]}]}`,
			"messages[0].content[0]", "video"},
		{anthropic.New(), "openai", "gpt-4o",
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"hologram","a":1}]}]}`, "messages[0].content[0]", `"hologram"`},
		{anthropic.New(), "openai", "gpt-4o", tools, "tools[1]", `"hologram_20270101"`},
		{anthropic.New(), "gemini", "gemini-2.5-flash", tools, "tools[1]", `"h"`},
		{new(responses.Server), "groq", "llama-3.1-8b-instant",
			`{"model":"m","store":false,"input":[{"role":"user","content":"x"},{"role":"user","content":[{"type":"hologram","a":1}]}]}`,
			"input[1].content[0]", `"hologram"`},
		{new(responses.Server), "mistral", "mistral-small-latest",
			`{"model":"m","store":false,"input":"x","tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"hologram","x":1}]}`,
			"tools[1]", `"hologram"`},
		{gemini.NewServer("m", gemini.Whole), "openai", "gpt-4o",
			`{"contents":[{"parts":[{"text":"x"},{"fileData":{"fileUri":"https://e.com/a.mp4","mimeType":"video/mp4"}}]}]}`,
			"contents[0].parts[1]", "video"},
		{native.New(nil), "anthropic", "claude-haiku-4-5",
			`{"model":"m","messages":[{"role":"user","content":[{"type":"audio","data":"AAAA","format":"wav"}]}]}`,
			"messages[0].content[0]", "audio"},
	} {
		req, _, err := c.server.DecodeRequest([]byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		req.Model = c.model
		_, err = table(t, nil).ByID(c.provider).Protocol(c.model, req, "").EncodeRequest(req)
		var refused *chat.Error
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.Param, c.place) ||
			!strings.Contains(refused.Message, c.place) || !strings.Contains(refused.Message, c.say) {
			t.Errorf("to %s: %+v, want a refusal that names %s and %s\n%s", c.provider, err, c.place, c.say, c.body)
		}
	}
}
