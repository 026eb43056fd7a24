package parity

import (
	"encoding/base64"
	"strings"
	"testing"
)

// Each block that carries text reaches every provider's model as text, whatever only its own dialect knows of it.
func TestTextOfBlocks(t *testing.T) {
	w := newWorld(t)
	dialects := map[string]*caller{}
	for _, s := range callers() {
		dialects[s.name] = s
	}
	anthropic := func(role string, block object) []any {
		user := object{"role": "user", "content": "x"}
		if role == "result" {
			return []any{user, object{"role": "assistant", "content": []any{object{"type": "tool_use", "id": "toolu_1", "name": "f", "input": object{}}}},
				object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": "toolu_1", "content": []any{block}}}}}
		}
		return []any{user, object{"role": role, "content": []any{block}}, user}
	}
	text := func(s string) object { return object{"type": "text", "text": s} }
	for name, c := range map[string]struct {
		dialect string
		list    []any
		words   string
	}{
		"a document of text":                 {"anthropic", anthropic("user", object{"type": "document", "title": "w1w", "context": "w2w", "source": object{"type": "text", "media_type": "text/plain", "data": "w3w"}}), "w1w w2w w3w"},
		"a document of blocks":               {"anthropic", anthropic("user", object{"type": "document", "source": object{"type": "content", "content": []any{text("w1w"), text("w2w")}}}), "w1w w2w"},
		"a document of a string":             {"anthropic", anthropic("user", object{"type": "document", "source": object{"type": "content", "content": "w1w"}}), "w1w"},
		"a document in a result":             {"anthropic", anthropic("result", object{"type": "document", "title": "w1w", "source": object{"type": "text", "media_type": "text/plain", "data": "w2w"}}), "w1w w2w"},
		"a search result":                    {"anthropic", anthropic("user", object{"type": "search_result", "source": "w1w", "title": "w2w", "content": []any{text("w3w")}}), "w1w w2w w3w"},
		"a search result in a result":        {"anthropic", anthropic("result", object{"type": "search_result", "source": "w1w", "title": "w2w", "content": []any{text("w3w")}}), "w1w w2w w3w"},
		"a tool reference":                   {"anthropic", anthropic("result", object{"type": "tool_reference", "tool_name": "w1w"}), "w1w"},
		"a block of tomorrow in a result":    {"anthropic", anthropic("result", object{"type": "hologram", "angle": "w1w"}), "w1w"},
		"a compaction":                       {"anthropic", anthropic("assistant", object{"type": "compaction", "content": "w1w"}), "w1w"},
		"the result of a search":             {"anthropic", anthropic("assistant", object{"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []any{object{"type": "web_search_result", "title": "w1w", "url": "https://w2w.example", "encrypted_content": "no"}}}), "w1w w2w"},
		"a fetched page":                     {"anthropic", anthropic("assistant", object{"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_1", "content": object{"type": "web_fetch_result", "url": "https://w1w.example", "content": object{"type": "document", "title": "w2w", "source": object{"type": "text", "media_type": "text/plain", "data": "w3w"}}}}), "w1w w2w w3w"},
		"what code wrote":                    {"anthropic", anthropic("assistant", object{"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": object{"type": "code_execution_result", "stdout": "w1w", "stderr": "w2w", "return_code": 0, "content": []any{}}}), "w1w w2w"},
		"the result of an MCP tool":          {"anthropic", anthropic("assistant", object{"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": false, "content": []any{text("w1w")}}), "w1w"},
		"code that Gemini ran":               {"gemini", []any{object{"role": "user", "parts": []any{object{"text": "x"}}}, object{"role": "model", "parts": []any{object{"executableCode": object{"language": "PYTHON", "code": "w1w"}}, object{"codeExecutionResult": object{"outcome": "OUTCOME_OK", "output": "w2w"}}}}, object{"role": "user", "parts": []any{object{"text": "y"}}}}, "w1w w2w"},
		"a text file at Gemini":              {"gemini", []any{object{"role": "user", "parts": []any{object{"inlineData": object{"mimeType": "application/json", "data": "IncxdyI="}}}}}, "w1w"},
		"code that OpenAI ran":               {"responses", []any{object{"role": "user", "content": "x"}, object{"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "c", "code": "w1w", "outputs": []any{object{"type": "logs", "logs": "w2w"}}}, object{"role": "user", "content": "y"}}, "w1w w2w"},
		"the result of OpenAI's MCP tool":    {"responses", []any{object{"role": "user", "content": "x"}, object{"type": "mcp_call", "id": "mcp_1", "server_label": "s", "name": "f", "arguments": "{}", "output": "w1w"}, object{"role": "user", "content": "y"}}, "w1w"},
		"a text file at Responses":           {"responses", []any{object{"role": "user", "content": []any{object{"type": "input_file", "filename": "w1w.txt", "file_data": "data:text/plain;base64,dzJ3"}}}}, "w1w w2w"},
		"a text file at Chat Completions":    {"openai", []any{object{"role": "user", "content": []any{object{"type": "file", "file": object{"filename": "w1w.txt", "file_data": "data:text/plain;base64,dzJ3"}}}}}, "w1w w2w"},
		"a text file at the gateway's own":   {"native", []any{object{"role": "user", "content": []any{object{"type": "file", "filename": "w1w.md", "mimeType": "text/markdown", "data": "dzJ3"}}}}, "w1w w2w"},
		"an object as a result":              {"openai", []any{object{"role": "user", "content": "x"}, object{"role": "assistant", "content": nil, "tool_calls": []any{object{"id": "c", "type": "function", "function": object{"name": "f", "arguments": "{}"}}}}, object{"role": "tool", "tool_call_id": "c", "content": object{"w1w": 1}}}, "w1w"},
		"an object as a result, Responses":   {"responses", []any{object{"role": "user", "content": "x"}, object{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}, object{"type": "function_call_output", "call_id": "c", "output": object{"w1w": 1}}}, "w1w"},
		"an object as a result, Anthropic's": {"anthropic", []any{object{"role": "user", "content": "x"}, object{"role": "assistant", "content": []any{object{"type": "tool_use", "id": "c", "name": "f", "input": object{}}}}, object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": "c", "content": object{"w1w": 1}}}}}, "w1w"},
	} {
		for _, pr := range providers() {
			s := dialects[c.dialect]
			if own := map[string]string{"anthropic": "anthropic", "gemini": "gemini", "openai": "responses"}[pr.id]; own == c.dialect && !strings.HasPrefix(name, "an object") {
				continue // gets the block itself
			}
			app := w.application(pr.id)
			path, body := s.write(&request{model: pr.id + "/" + pr.models[0], turns: []turn{{text: "x"}}, tools: []tool{{"f", nothing}}})
			member := map[string]string{"gemini": "contents", "responses": "input"}[c.dialect]
			if member == "" {
				member = "messages"
			}
			r := app.send("POST", path, encode(merged(body, object{member: c.list})), s.auth(app.token)...)
			if r.status != 200 {
				t.Errorf("%s at %s: %d %s", name, pr.id, r.status, r.body)
				continue
			}
			sent := app.sent()
			for _, word := range strings.Fields(c.words) {
				if !strings.Contains(sent, word) && !strings.Contains(sent, base64.StdEncoding.EncodeToString([]byte(word))) {
					t.Errorf("%s at %s: %s is lost in %s", name, pr.id, word, sent)
				}
			}
		}
	}
}
