package provider

import (
	"regexp"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// Members that nobody knows, in every object of a request, reach a provider of the caller's dialect or are named in a
// warning, whether the request is translated, passed through or written anew in part.
func TestDroppedMembersAreNamed(t *testing.T) {
	servers := []struct {
		name   dialect.Name
		server dialect.Server
		bodies []string
	}{
		{openai.Name, new(openai.Server), []string{
			`{"model":"m","zz1":{},"messages":[{"role":"system","content":"s","zz2":1},{"role":"user","content":[{"type":"text","text":"x","zz3":1},` +
				`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","zz4":1},"zz5":1}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"a","tool_calls":[{"id":"c","type":"function",` +
				`"function":{"name":"f","arguments":"{}","zz1":1},"zz2":1}],"zz3":{},"reasoning_content":"hm"},` +
				`{"role":"tool","tool_call_id":"c","content":"r","zz4":1}],"tools":[{"type":"function","function":` +
				`{"name":"f","parameters":{"type":"object","properties":{}},"zz5":1},"zz6":1}],` +
				`"tool_choice":{"type":"function","function":{"name":"f","zz7":1},"zz8":1}}`,
			`{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":` +
				`{"name":"x","schema":{"type":"object","properties":{}},"zz1":1},"zz2":[0]}}`,
		}},
		{anthropic.Name, anthropic.New(), []string{
			`{"model":"m","max_tokens":9000,"zz1":{},"system":[{"type":"text","text":"s","zz2":1}],"messages":[{"role":"user","zz3":1,` +
				`"content":[{"type":"text","text":"x","zz4":1},{"type":"image","source":{"type":"base64","media_type":"image/png",` +
				`"data":"AAAA","zz5":1},"zz6":1}]}],"metadata":{"user_id":"u","zz7":1},"output_config":{"zz8":1}}`,
			`{"model":"m","max_tokens":9000,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use",` +
				`"id":"c","name":"f","input":{},"zz1":1}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c",` +
				`"content":[{"type":"text","text":"r","zz2":1}],"zz3":1}]}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{}},"zz4":1}],` +
				`"tool_choice":{"type":"auto","zz5":1}}`,
		}},
		{responses.Name, new(responses.Server), []string{
			`{"model":"m","store":false,"zz1":{},"input":[{"role":"user","content":[{"type":"input_text","text":"x","zz2":1},` +
				`{"type":"input_image","image_url":"data:image/png;base64,AAAA","zz3":1}],"zz4":1}],"text":{"format":{"type":"text","zz5":1},"zz6":1}}`,
			`{"model":"m","store":false,"input":[{"role":"user","content":"x"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}","zz1":1},` +
				`{"type":"function_call_output","call_id":"c","output":"r","zz2":1}],"tools":[{"type":"function","name":"f",` +
				`"parameters":{"type":"object","properties":{}},"zz3":1}],"tool_choice":{"type":"function","name":"f","zz4":1}}`,
		}},
	}
	targets := [][2]string{{"openai", "gpt-4o"}, {"anthropic", "claude-haiku-4-5"}, {"gemini", "gemini-2.5-flash"}, {"mistral", "mistral-small-latest"},
		{"groq", "openai/gpt-oss-20b"}, {"deepseek", "deepseek-flash"}, {"openrouter", "openai/gpt-4o"}, {"together", "openai/gpt-oss-20b"}}
	unknown := regexp.MustCompile(`zz\d+`)
	for _, s := range servers {
		for _, body := range s.bodies {
			for _, to := range targets {
				req, _, err := s.server.DecodeRequest([]byte(body))
				if err != nil {
					t.Fatalf("%v: %s", err, body)
				}
				req.Model = to[1]
				client := table(t, nil).ByID(to[0]).Protocol(to[1], req, s.name)
				var enc dialect.Encoded
				passes := false
				if p, is := client.(dialect.Passthrough); is && client.Dialect() == s.name {
					enc, passes = p.PassthroughRequest([]byte(body), req, nil)
				}
				if !passes {
					if enc, err = client.EncodeRequest(req); err != nil {
						t.Errorf("%s to %s: %v", body, to[0], err)
						continue
					}
				}
				told := strings.Join(enc.Warnings, " | ")
				for _, name := range unknown.FindAllString(body, -1) {
					if sent := strings.Contains(string(enc.Body), `"`+name+`"`); sent == regexp.MustCompile(name+`\b`).MatchString(told) {
						t.Errorf("%s to %s: %s is sent: %t; warnings %s\n%s", s.name, to[0], name, sent, told, enc.Body)
					}
				}
			}
		}
	}
}
