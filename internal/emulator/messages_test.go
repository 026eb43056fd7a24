package emulator

import (
	"slices"
	"strings"
	"testing"
)

func messagesBody(more object) object {
	return merge(object{"model": "claude-haiku-4-5", "max_tokens": 4000, "messages": []any{object{"role": "user", "content": "hi"}}}, more)
}

func user(content any) object      { return object{"role": "user", "content": content} }
func assistant(content any) object { return object{"role": "assistant", "content": content} }

func TestMessagesStrictness(t *testing.T) {
	tool := object{"name": "now", "input_schema": object{"type": "object"}}
	use := object{"type": "tool_use", "id": "toolu_1", "name": "now", "input": object{}}
	result := object{"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}
	budget := object{"type": "enabled", "budget_tokens": 1024}
	tests := map[string]struct {
		more object
		part string // of the error; empty: it is taken
	}{
		"no max_tokens": {object{"max_tokens": nil}, "max_tokens: Field required"},
		"too many":      {object{"max_tokens": 64001}, "max_tokens: 64001 > 64000"},
		"only warms":    {object{"max_tokens": 0}, ""},
		"unknown field": {object{"seed": 1}, "seed: Extra inputs are not permitted"},
		"beta field":    {object{"context_management": object{}}, "context_management: Extra inputs are not permitted"},
		"unknown in message": {object{"messages": []any{object{"role": "user", "content": "hi", "name": "ann"}}},
			"messages.0.name: Extra inputs"},
		"unknown in block": {object{"messages": []any{user([]any{object{"type": "text", "text": "hi", "index": 0}})}},
			"messages.0.content.0.text.index: Extra inputs"},
		"unknown in tool": {object{"tools": []any{merge(tool, object{"parameters": object{}})}},
			"tools.0.custom.parameters: Extra inputs"},
		"unknown block": {object{"messages": []any{user([]any{object{"type": "image_url"}})}},
			"Input tag 'image_url' found using 'type'"},
		"wrong type":      {object{"stop_sequences": "x"}, "stop_sequences: Input should be a valid list"},
		"role tool":       {object{"messages": []any{object{"role": "tool", "content": "x"}}}, "messages.0.role: Input should be"},
		"no messages":     {object{"messages": []any{}}, "at least one message is required"},
		"assistant first": {object{"messages": []any{assistant("hi"), user("hi")}}, "first message must use"},
		"two of the user": {object{"messages": []any{user("a"), user("b")}}, ""},
		"empty text":      {object{"messages": []any{user("")}}, "text content blocks must be non-empty"},
		"no content":      {object{"messages": []any{user([]any{})}}, "non-empty content"},
		"prefill":         {object{"messages": []any{user("hi"), assistant("The")}}, ""},
		"prefill of new": {object{"model": "claude-opus-4-8", "messages": []any{user("hi"), assistant("The")}},
			"does not support assistant message prefill"},
		"trailing space": {object{"messages": []any{user("hi"), assistant("The ")}}, "trailing whitespace"},
		"system turn": {object{"model": "claude-opus-4-8",
			"messages": []any{user("hi"), object{"role": "system", "content": "be kind"}}}, ""},
		"system turn of old": {object{"messages": []any{user("hi"), object{"role": "system", "content": "be kind"}}}, "messages.1.role"},
		"bad image": {object{"messages": []any{user([]any{object{"type": "image",
			"source": object{"type": "base64", "media_type": "image/png", "data": "%"}}})}}, "not valid base64"},
		"image type": {object{"messages": []any{user([]any{object{"type": "image",
			"source": object{"type": "base64", "media_type": "image/tiff", "data": "aGk="}}})}}, "Input should be 'image/jpeg'"},

		"pair": {object{"messages": []any{user("hi"), assistant([]any{use}), user([]any{result})}, "tools": []any{tool}}, ""},
		"no result": {object{"messages": []any{user("hi"), assistant([]any{use}), user("well?")}},
			"`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1"},
		"text before": {object{"messages": []any{user("hi"), assistant([]any{use}),
			user([]any{object{"type": "text", "text": "so"}, result})}}, "immediately after"},
		"no call":     {object{"messages": []any{user([]any{result})}}, "unexpected `tool_use_id`"},
		"two results": {object{"messages": []any{user("hi"), assistant([]any{use}), user([]any{result, result})}}, "single result"},
		"foreign id": {object{"messages": []any{user("hi"),
			assistant([]any{merge(use, object{"id": "functions.now:0"})}),
			user([]any{merge(result, object{"tool_use_id": "functions.now:0"})})}}, "String should match pattern"},
		"call of the user": {object{"messages": []any{user([]any{use})}}, "can only be in `assistant` messages"},

		"tool twice": {object{"tools": []any{tool, tool}}, "Tool names must be unique"},
		"tool name":  {object{"tools": []any{merge(tool, object{"name": "a.b"})}}, "String should match pattern"},
		"no schema type": {object{"tools": []any{object{"name": "now", "input_schema": object{}}}},
			"input_schema.type: Field required"},
		"strict open":      {object{"tools": []any{merge(tool, object{"strict": true})}}, "additionalProperties"},
		"own tool":         {object{"tools": []any{object{"type": "web_search_20250305", "name": "web_search"}}}, ""},
		"choice alone":     {object{"tool_choice": object{"type": "auto"}}, "tool_choice may only be specified"},
		"choice of nobody": {object{"tools": []any{tool}, "tool_choice": object{"type": "tool", "name": "x"}}, "Tool 'x' not found"},
		"choice, thinking": {object{"tools": []any{tool}, "tool_choice": object{"type": "any"}, "thinking": budget},
			"Thinking may not be enabled when tool_choice forces"},
		"choice as a string": {object{"tools": []any{tool}, "tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary"},

		"temperature":           {object{"temperature": 1.5}, "temperature: range: 0..1"},
		"temperature, thinking": {object{"temperature": 0.5, "thinking": budget}, "`temperature` may only be set to 1"},
		"temperature of new":    {object{"model": "claude-opus-4-8", "temperature": 0.5}, "`temperature` is deprecated"},
		"temperature 1 of new":  {object{"model": "claude-opus-4-8", "temperature": 1}, ""},
		"both":                  {object{"temperature": 0.5, "top_p": 0.9}, "cannot both be specified"},
		"top_k of new":          {object{"model": "claude-sonnet-5", "top_k": 5}, "`top_k` is deprecated"},
		"top_k, thinking":       {object{"top_k": 5, "thinking": budget}, "`top_k` must be unset"},

		"small budget":    {object{"thinking": object{"type": "enabled", "budget_tokens": 1000}}, "greater than or equal to 1024"},
		"no budget":       {object{"thinking": object{"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"},
		"budget too big":  {object{"max_tokens": 1024, "thinking": budget}, "`max_tokens` must be greater"},
		"budget of new":   {object{"model": "claude-opus-4-8", "thinking": budget}, "thinking.type.adaptive"},
		"adaptive of old": {object{"thinking": object{"type": "adaptive"}}, "adaptive thinking is not supported"},
		"effort of none":  {object{"output_config": object{"effort": "low"}}, "does not support the effort parameter"},
		"effort": {object{"model": "claude-opus-4-6", "output_config": object{"effort": "xhigh"}},
			"Supported levels: low, medium, high, max"},
		"always thinks": {object{"model": "claude-fable-5-1", "thinking": object{"type": "disabled"}}, "not supported"},

		"format": {object{"output_config": object{"format": object{"type": "json_schema",
			"schema": object{"type": "object", "additionalProperties": false, "properties": object{}}}}}, ""},
		"open format": {object{"output_config": object{"format": object{"type": "json_schema",
			"schema": object{"type": "object", "properties": object{}}}}}, "additionalProperties"},
		"bounded format": {object{"output_config": object{"format": object{"type": "json_schema",
			"schema": object{"type": "array", "items": object{"type": "integer", "minimum": 1}}}}}, "minimum"},
		"five marks": {object{"system": slices.Repeat([]any{object{"type": "text", "text": "a",
			"cache_control": object{"type": "ephemeral"}}}, 5)}, "A maximum of 4 blocks"},
		"forged": {object{"messages": []any{user("hi"),
			assistant([]any{object{"type": "thinking", "thinking": "hm", "signature": "c2ln"},
				object{"type": "text", "text": "a"}}), user("b")}}, "messages.1.content.0: Invalid `signature` in `thinking` block"},
		"forged data": {object{"messages": []any{user("hi"),
			assistant([]any{object{"type": "redacted_thinking", "data": "c2ln"}, object{"type": "text", "text": "a"}}),
			user("b")}}, "Invalid `data` in `redacted_thinking` block"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, text := newClient(t).post("anthropic", "/v1/messages", messagesBody(tt.more))
			if tt.part == "" && status != 200 || tt.part != "" &&
				(status != 400 || !strings.Contains(text, tt.part) || !strings.Contains(text, "invalid_request_error")) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
}

func TestMessagesWantsItsHeaders(t *testing.T) {
	cl := newClient(t)
	for _, header := range []string{"", "2020-01-01"} {
		if status, text := cl.post("anthropic", "/v1/messages", messagesBody(nil), "Anthropic-Version",
			header); status != 400 || !strings.Contains(text, "anthropic-version") {
			t.Errorf("version %q: %d %s", header, status, text)
		}
	}
	if status, text := cl.post("anthropic", "/v1/messages", messagesBody(nil), "X-Api-Key", "", "Authorization",
		"Bearer "+goodKey); status != 401 || !strings.Contains(text, "x-api-key header is required") {
		t.Errorf("%d %s", status, text)
	}
	for field, value := range map[string]any{"temperature": 1, "top_p": 0.9, "top_k": 5, "stop_sequences": []any{"x"}} {
		status, text := cl.post("anthropic", "/v1/messages", messagesBody(object{field: value}), "Anthropic-Version", "2026-10-21")
		if refused := status == 400 &&
			strings.Contains(text, field+": Extra inputs are not permitted"); refused != (field != "stop_sequences") {
			t.Errorf("%s in the version of 2026: %d %s", field, status, text)
		}
	}
	body := messagesBody(object{"context_management": object{}})
	if status, text := cl.post("anthropic", "/v1/messages?beta=true", body); status != 200 {
		t.Errorf("a beta field: %d %s", status, text)
	}
	body = messagesBody(object{"output_format": object{"type": "json_schema",
		"schema": object{"type": "object", "additionalProperties": false, "properties": object{"n": object{"type": "integer"}}}}})
	if status, text := cl.post("anthropic", "/v1/messages?beta=true", body); status != 200 || !strings.Contains(text, `{\"n\":7}`) {
		t.Errorf("the format's former name: %d %s", status, text)
	}
	resp, _, err := cl.send("POST", "anthropic", "/v1/messages", goodKey, messagesBody(nil))
	if err != nil || resp.Header.Get("Retry-After") != "59" || !strings.HasPrefix(resp.Header.Get("Request-Id"), "req_") {
		t.Errorf("%v", resp.Header)
	}
}

// Thinking is valid only unchanged; with it, the request that answers a tool call succeeds.
func TestThinkingIsReplayed(t *testing.T) {
	for model, thinking := range map[string]object{
		"claude-haiku-4-5":  {"type": "enabled", "budget_tokens": 1024},
		"claude-opus-4-8":   {"type": "adaptive", "display": "summarized"},
		"claude-sonnet-5-5": {"type": "adaptive"},
	} {
		t.Run(model, func(t *testing.T) {
			cl := newClient(t)
			tools := []any{object{"name": "now", "input_schema": object{"type": "object"}}}
			first := messagesBody(object{"model": model, "thinking": thinking, "tools": tools, "messages": []any{user("call")}})
			content := items(parse(t, cl.good("anthropic", "/v1/messages", first))["content"])
			if len(content) != 2 || str(dig(content, 0, "signature")) == "" ||
				(str(dig(content, 0, "thinking")) == "") != (model == "claude-sonnet-5-5") {
				t.Fatalf("%v", content)
			}
			result := user([]any{object{"type": "tool_result", "tool_use_id": dig(content, 1, "id"), "content": "noon"}})
			history := func(content []any) object {
				return merge(first,
					object{"messages": []any{user([]any{object{"type": "text", "text": "call",
						"cache_control": object{"type": "ephemeral"}}}), assistant(content), result}})
			}
			if text := cl.good("anthropic", "/v1/messages", history(content)); !strings.Contains(text, "The tool said: noon") {
				t.Errorf("%s", text)
			}
			changed := merge(content[0].(map[string]any), object{"thinking": "something else"})
			if status, text := cl.post("anthropic", "/v1/messages",
				history([]any{changed, content[1]})); status != 400 || !strings.Contains(text, "Invalid `signature`") {
				t.Errorf("changed thinking: %d %s", status, text)
			}
			status, text := cl.post("anthropic", "/v1/messages", merge(history(content), object{"system": "Be kind."}))
			if bound := model == "claude-sonnet-5-5"; (status == 400 &&
				strings.Contains(text, "bound to a different conversation")) != bound {
				t.Errorf("another conversation: %d %s", status, text)
			}
			status, text = cl.post("anthropic", "/v1/messages", history(content[1:]))
			if budget := model == "claude-haiku-4-5"; (status == 400 && strings.Contains(text, "Expected `thinking`")) != budget {
				t.Errorf("lost thinking: %d %s", status, text)
			}
			resp, text, err := cl.send("POST", "anthropic", "/v1/messages", "sk-another-account-1", history(content))
			if owned := model == "claude-sonnet-5-5"; err != nil || (resp.StatusCode == 400) != owned {
				t.Errorf("another account: %d %s", resp.StatusCode, text)
			}
		})
	}
}

func TestRedactedThinking(t *testing.T) {
	cl := newClient(t)
	body := messagesBody(object{"thinking": object{"type": "enabled", "budget_tokens": 1024}, "messages": []any{user("redact")}})
	content := items(parse(t, cl.good("anthropic", "/v1/messages", body))["content"])
	if str(dig(content, 0, "type")) != "redacted_thinking" || str(dig(content, 0, "data")) == "" {
		t.Fatalf("%v", content)
	}
	cl.good("anthropic", "/v1/messages", merge(body, object{"messages": []any{user("redact"), assistant(content), user("hi")}}))
	if text := cl.good("anthropic", "/v1/messages", merge(body, object{"stream": true})); !strings.Contains(text,
		`"content_block":{"type":"redacted_thinking","data":"`) {
		t.Errorf("%s", text)
	}
}

func TestMessageEndsAndUsage(t *testing.T) {
	tests := map[string]struct {
		more   object
		reason string
		path   []any
		want   any
	}{
		"stop sequence": {object{"messages": []any{user("echo: a STOP b")}, "stop_sequences": []string{"STOP"}},
			"stop_sequence", []any{"stop_sequence"}, "STOP"},
		"refusal": {object{"messages": []any{user("refuse")}}, "refusal", []any{"stop_details", "type"}, "refusal"},
		"midway":  {object{"messages": []any{user("refuse midway")}}, "refusal", []any{"content", 0, "text"}, "First you take"},
		"length":  {object{"messages": []any{user("words: 9")}, "max_tokens": 2}, "max_tokens", []any{"usage", "output_tokens"}, 2.0},
		"whole":   {object{}, "end_turn", []any{"usage", "cache_creation", "ephemeral_1h_input_tokens"}, 0.0},
		"thinking counted": {object{"model": "claude-opus-4-8", "thinking": object{"type": "adaptive"},
			"messages": []any{user("think: one two three")}},
			"end_turn", []any{"usage", "output_tokens_details", "thinking_tokens"}, 3.0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := parse(t, newClient(t).good("anthropic", "/v1/messages", messagesBody(tt.more)))
			if v["stop_reason"] != tt.reason || dig(v, tt.path...) != tt.want {
				t.Errorf("%v", v)
			}
		})
	}
}

// The same key writes the prompt's tokens to the cache once and then reads them; another key does not.
func TestPromptCache(t *testing.T) {
	cl := newClient(t)
	mark := func(ttl string) object { return object{"type": "ephemeral", "ttl": ttl} }
	body := messagesBody(object{
		"system": []any{object{"type": "text", "text": "one two three", "cache_control": mark("1h")}},
		"messages": []any{user([]any{object{"type": "text", "text": "four five", "cache_control": mark("5m")},
			object{"type": "text", "text": "six"}})},
	})
	usage := func(key string) [4]float64 {
		_, text, err := cl.send("POST", "anthropic", "/v1/messages", key, body)
		if err != nil {
			t.Fatal(err)
		}
		u := dig(parse(t, text), "usage")
		return [4]float64{num(dig(u, "input_tokens")), num(dig(u, "cache_creation", "ephemeral_5m_input_tokens")),
			num(dig(u, "cache_creation", "ephemeral_1h_input_tokens")), num(dig(u, "cache_read_input_tokens"))}
	}
	written, read := [4]float64{7, 2, 3, 0}, [4]float64{7, 0, 0, 5}
	for i, want := range [][4]float64{written, read, read} {
		if got := usage(goodKey); got != want {
			t.Errorf("request %d: %v, want %v", i, got, want)
		}
	}
	if got := usage("sk-emulated-0002"); got != written {
		t.Errorf("another key: %v", got)
	}
}

func TestCountTokens(t *testing.T) {
	cl := newClient(t)
	body := object{"model": "claude-haiku-4-5", "system": "one two", "messages": []any{user("three four")}}
	if text := cl.good("anthropic", "/v1/messages/count_tokens", body); text != `{"input_tokens":10}` {
		t.Errorf("%s", text)
	}
	for _, more := range []object{{"max_tokens": 5}, {"stream": true}} {
		if status, text := cl.post("anthropic", "/v1/messages/count_tokens", merge(body, more)); status != 400 ||
			!strings.Contains(text, "Extra inputs") {
			t.Errorf("%d %s", status, text)
		}
	}
}

func TestClaudeModelsInPages(t *testing.T) {
	cl := newClient(t)
	var seen []string
	path := "/v1/models?limit=3"
	for range 3 {
		_, text, err := cl.send("GET", "anthropic", path, goodKey, nil)
		if err != nil {
			t.Fatal(err)
		}
		v := parse(t, text)
		for _, m := range items(v["data"]) {
			seen = append(seen, str(dig(m, "id")))
		}
		if v["has_more"] != true {
			break
		}
		path = "/v1/models?limit=3&after_id=" + str(v["last_id"])
	}
	if want := anthropic().ids; !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
}

func TestClaudeVersions(t *testing.T) {
	for id, want := range map[string]int{"claude-opus-4-1-20250805": 41, "claude-sonnet-5": 50,
		"claude-3-7-sonnet-latest": 37, "claude-sonnet-4-20250514": 40,
		"claude-haiku-5-5": 55, "claude-4-opus-20250514": 40, "claude-fable-5-1": 51, "claude-v1": 0} {
		if got := claudeVersion(id); got != want {
			t.Errorf("%s: %d, want %d", id, got, want)
		}
	}
}
