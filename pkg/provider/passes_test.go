package provider

import (
	"errors"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// A value that the gateway does not know passes to a provider of the caller's dialect. A translation that needs it
// refuses the request, and names the value's place.
func TestUnknownValuesPass(t *testing.T) {
	const (
		chatBody     = `{"model":"MODEL","messages":[{"role":"user","content":"x"}],MEMBERS}`
		chatMessages = `{"model":"MODEL","messages":[{"role":"user","content":"x"},MEMBERS]}`
		messagesBody = `{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":"x"}],MEMBERS}`
		turnsBody    = `{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":"x"},MEMBERS]}`
		itemsBody    = `{"model":"MODEL","store":false,"input":[{"role":"user","content":"x"}],MEMBERS}`
		inputBody    = `{"model":"MODEL","store":false,"input":[{"role":"user","content":"x"},MEMBERS]}`
		contentsBody = `{"contents":[{"role":"user","parts":[{"text":"x"}]}],MEMBERS}`
		partsBody    = `{"contents":[{"role":"user","parts":[{"text":"x"}]},MEMBERS]}`
	)
	for _, c := range []struct{ provider, model, body, members, at string }{
		{"openai", "gpt-4o", chatBody, `"verbosity":"shouted"`, "verbosity"},
		{"openai", "gpt-5.5", chatBody, `"reasoning_effort":"ultra"`, "reasoning_effort"},
		{"openai", "gpt-4o", chatBody, `"response_format":{"type":"xml","x":1}`, "response_format.type"},
		{"openai", "gpt-4o", chatBody, `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"mostly"`, "tool_choice"},
		{"openai", "gpt-4o", chatBody, `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"any_of","x":[1]}`, "tool_choice.type"},
		{"openai", "gpt-4o", chatBody, `"n":500`, "n"},
		{"openai", "gpt-4o", chatBody, `"top_logprobs":99`, "top_logprobs"},
		{"openai", "gpt-4o", chatMessages, `{"role":"critic","content":"y","x":1}`, "messages[1].role"},
		{"openai", "gpt-4o", chatMessages, `{"role":"user","content":[{"type":"hologram","hologram":{"a":1}}]}`, "hologram"},
		{"openai", "gpt-4o", chatMessages, `{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/a","detail":"ultra"}}]}`, "messages[1].content[0].image_url.detail"},
		{"openrouter", "anthropic/claude-x", chatMessages, `{"role":"user","content":[{"type":"text","text":"y","cache_control":{"type":"ephemeral","ttl":"12h"}}]}`, "messages[1].content[0].cache_control.ttl"},
		{"deepseek", "deepseek-flash", chatBody, `"reasoning_effort":"ultra"`, "reasoning_effort"},
		{"mistral", "mistral-small-latest", chatBody, `"safe_prompt":true,"random_seed":7,"prompt_mode":"x"`, ""},
		{"mistral", "mistral-small-latest", chatMessages, `{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}],"closed":true},{"type":"text","text":"y"}]},{"role":"user","content":"z"}`, ""},
		{"mistral", "mistral-small-latest", chatMessages, `{"role":"assistant","content":"The answer","prefix":true}`, ""},
		{"anthropic", "claude-opus-4-8", messagesBody, `"service_tier":"turbo"`, "service_tier"},
		{"anthropic", "claude-opus-4-8", messagesBody, `"output_config":{"effort":"ultra"}`, "output_config.effort"},
		{"anthropic", "claude-opus-4-8", messagesBody, `"thinking":{"type":"adaptive"},"output_config":{"effort":"ultra"}`, "output_config.effort"},
		{"anthropic", "claude-opus-4-8", messagesBody, `"thinking":{"type":"lucid","x":1}`, ""},
		{"anthropic", "claude-opus-4-8", messagesBody, `"output_config":{"format":{"type":"regex","pattern":"a"}}`, "output_config.format"},
		{"anthropic", "claude-opus-4-8", messagesBody, `"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"mostly"}`, "tool_choice.type"},
		{"anthropic", "claude-opus-4-8", messagesBody, `"tools":[{"type":"mcp_toolset","mcp_server_name":"m"}],"tool_choice":{"type":"tool","name":"of_the_server"}`, "tool_choice"},
		{"anthropic", "claude-opus-4-8", messagesBody, `"tools":[{"type":"hologram_20270101","name":"h"}]`, "hologram"},
		{"anthropic", "claude-opus-4-8", messagesBody, `"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"12h"}}]`, "system[0].cache_control.ttl"},
		{"anthropic", "claude-opus-4-8", turnsBody, `{"role":"critic","content":"y"}`, "messages[1].role"},
		{"anthropic", "claude-opus-4-8", turnsBody, `{"role":"user","content":[{"type":"image","source":{"type":"hologram","x":1}}]}`, "messages[1].content[0].source.type"},
		{"openai", "gpt-5.5", itemsBody, `"reasoning":{"effort":"ultra","mode":"pro"},"include":["reasoning.encrypted_content"]`, "reasoning.effort"},
		{"openai", "gpt-4o", itemsBody, `"text":{"verbosity":"shouted"}`, "text.verbosity"},
		{"openai", "gpt-4o", itemsBody, `"text":{"format":{"type":"xml","x":1}}`, "text.format.type"},
		{"openai", "gpt-4o", itemsBody, `"tools":[{"type":"hologram","x":1}],"tool_choice":"mostly"`, "tool_choice"},
		{"openai", "gpt-4o", inputBody, `{"role":"critic","content":"y"}`, "input[1].role"},
		{"openai", "gpt-4o", inputBody, `{"role":"user","content":[{"type":"input_image","image_url":"https://e.com/a","detail":"ultra"}]}`, "input[1].content[0].detail"},
		{"gemini", "gemini-3-flash", contentsBody, `"serviceTier":"turbo"`, "serviceTier"},
		{"gemini", "gemini-3-flash", contentsBody, `"generationConfig":{"thinkingConfig":{"thinkingLevel":"ULTRA"}}`, "generationConfig.thinkingConfig.thinkingLevel"},
		{"gemini", "gemini-3-flash", contentsBody, `"generationConfig":{"topK":0,"seed":99999999999}`, "generationConfig.topK"},
		{"gemini", "gemini-3-flash", contentsBody, `"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"MOSTLY"}}`, "toolConfig.functionCallingConfig.mode"},
		{"gemini", "gemini-3-flash", partsBody, `{"role":"critic","parts":[{"text":"y"}]}`, "contents[1].role"},
	} {
		body := strings.Replace(strings.Replace(c.body, "MODEL", c.model, 1), "MEMBERS", c.members, 1)
		name, server := openai.Name, dialect.Server(new(openai.Server))
		switch c.body {
		case messagesBody, turnsBody:
			name, server = anthropic.Name, anthropic.New()
		case itemsBody, inputBody:
			name, server = responses.Name, new(responses.Server)
		case contentsBody, partsBody:
			name, server = gemini.Name, gemini.NewServer(c.model, gemini.Whole)
		}
		req, _, err := server.DecodeRequest([]byte(body))
		if err != nil {
			t.Errorf("%s %s: %v", c.provider, c.members, err)
			continue
		}
		req.Model = c.model
		client := table(t, nil).ByID(c.provider).Protocol(c.model, req, name)
		enc, ok := client.(dialect.Passthrough).PassthroughRequest([]byte(body), req, nil)
		if !ok || string(enc.Body) != body || len(enc.Warnings) > 0 {
			t.Errorf("%s does not pass to %s: %t %q\n %s", c.members, c.provider, ok, enc.Warnings, enc.Body)
		}
		if c.at == "" {
			continue
		}
		other, model := "anthropic", "claude-haiku-4-5"
		if c.provider == other {
			other, model = "openai", "gpt-4o"
		}
		req.Model = model
		_, err = table(t, nil).ByID(other).Protocol(model, req, "").EncodeRequest(req)
		var refused *chat.Error
		if !errors.As(err, &refused) || refused.Class != chat.BadRequest || !strings.Contains(refused.Message, c.at) {
			t.Errorf("%s to %s: %v, want a refusal that names %s", c.members, other, err, c.at)
		}
	}
}
