package parity

import (
	"strings"
	"testing"
)

// A field that only the caller's dialect has causes a warning where it is lost, and an error where much depends on it.
func TestForeignFields(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, provider := range []string{"openai", "gemini", "anthropic"} {
		p.key(provider, "")
	}
	dialects := map[string]*caller{}
	for _, s := range callers() {
		dialects[s.name] = s
	}
	for _, c := range []struct {
		dialect, model string
		own            object
		warned         []string
		refused        string
	}{
		{"openai", "claude-haiku-4-5", object{"prediction": object{"type": "content", "content": "x"}, "min_p": 0.1, "store": true, "modalities": []string{"text"}}, []string{"prediction", "min_p", "store"}, ""},
		{"openai", "gemini-2.5-flash", object{"modalities": []string{"text", "audio"}, "audio": object{"voice": "v"}}, nil, "modalities"},
		{"openai", "claude-haiku-4-5", object{"web_search_options": object{"search_context_size": "low"}}, []string{"web_search_options"}, ""},
		{"responses", "claude-haiku-4-5", object{"truncation": "auto", "max_tool_calls": 3, "store": true, "background": false}, []string{"truncation", "max_tool_calls"}, ""},
		{"responses", "claude-haiku-4-5", object{"truncation": "disabled", "moderation": nil}, nil, ""},
		{"anthropic", "gpt-4o-mini", object{"context_management": object{"edits": []any{object{"type": "x"}}}, "speed": "fast", "inference_geo": "global", "container": nil}, []string{"context_management", "speed"}, ""},
		{"anthropic", "gpt-4o-mini", object{"speed": "standard", "mcp_servers": []any{}}, nil, ""},
		{"anthropic", "gemini-2.5-flash", object{"inference_geo": "us"}, nil, "inference_geo"},
		{"anthropic", "gpt-4o-mini", object{"mcp_servers": []any{object{"type": "url", "url": "https://example.com", "name": "n"}}}, nil, "mcp_servers"},
	} {
		s := dialects[c.dialect]
		path, body := s.write(&request{model: c.model, turns: []turn{{text: "Hello"}}})
		r := p.send("POST", path, encode(merged(body, c.own)), s.auth(p.token)...)
		warnings := r.header.Get("X-LLM-Warnings")
		if c.refused != "" {
			if r.status != 400 || !strings.Contains(string(r.body), c.refused+" cannot be sent to ") {
				t.Errorf("%s to %s, %v: %d %s", c.dialect, c.model, c.own, r.status, r.body)
			}
			continue
		}
		told := 0
		for name := range c.own {
			if strings.Contains(warnings, name+" is not known to ") {
				told++
			}
		}
		if r.status != 200 || told != len(c.warned) {
			t.Errorf("%s to %s, %v: %d, warned of %q", c.dialect, c.model, c.own, r.status, warnings)
		}
		for _, name := range c.warned {
			if !strings.Contains(warnings, name+" is not known to ") {
				t.Errorf("%s to %s: nothing is said of %s: %q", c.dialect, c.model, name, warnings)
			}
		}
	}
}
