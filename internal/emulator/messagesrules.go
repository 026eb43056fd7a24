package emulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

func (x *exchange) invalid(format string, args ...any) *failure {
	return &failure{400, x.messagesError("invalid_request_error", fmt.Sprintf(format, args...))}
}

// maxMessages is the largest body, in bytes (documented: 32 MB).
const maxMessages = 32 << 20

// read reads the body, and refuses a body that has not the shape of a request.
func (m *messagesRequest) read(x *exchange) *failure {
	if len(x.body) > maxMessages {
		f := x.wire.fault(x, TooLarge)
		return &f
	}
	v, err := decode(x.body)
	raw, ok := v.(map[string]any)
	if err != nil || !ok {
		return x.invalid("The request body is not valid JSON: %v", err)
	}
	m.raw = raw
	beta := x.r.URL.Query().Get("beta") == "true" || x.r.Header.Get("Anthropic-Beta") != ""
	r := &reader{}
	known := messagesShape(m.count, beta)
	if x.r.Header.Get("Anthropic-Version") >= "2026-10-21" { // this version removed them (platform.claude.com/docs/en/api/versioning)
		for _, name := range []string{"temperature", "top_p", "top_k"} {
			delete(known.members, name)
		}
	}
	r.read(known, raw, nil)
	if len(r.found) > 0 {
		return x.misshapen(r.found[0])
	}
	if err := json.Unmarshal(x.body, m); err != nil {
		return x.invalid("%v", err)
	}
	if m.OutputConfig.Format == nil {
		m.OutputConfig.Format = m.OutputFormat
	}
	m.claude = claudeOf(m.Model)
	m.system = blocksOf(m.System)
	for i := range m.Messages {
		m.Messages[i].blocks = blocksOf(m.Messages[i].Content)
	}
	for _, t := range m.Tools {
		var mt messagesTool
		json.Unmarshal(t, &mt)
		m.tools = append(m.tools, mt)
	}
	if x.model = m.Model; strings.Contains(m.Model, "no-such") || !strings.HasPrefix(m.Model, "claude-") {
		f := x.wire.fault(x, NoModel)
		return &f
	}
	return nil
}

// misshapen words a violation as pydantic does.
func (x *exchange) misshapen(v violation) *failure {
	// A tool without a type is a custom one.
	at := strings.ReplaceAll(v.path.dots(), "..", ".custom.")
	switch v.wrong {
	case wrongUnknown:
		return x.invalid("%s: Extra inputs are not permitted", at)
	case wrongMissing:
		return x.invalid("%s: Field required", at)
	case wrongWord:
		if v.want == "" {
			return x.invalid("%s: Input tag '%v' found using 'type' does not match any of the expected tags",
				strings.TrimSuffix(at, ".type"), v.got)
		}
		return x.invalid("%s: Input should be '%s'", at, strings.ReplaceAll(v.want, ", ", "', '"))
	}
	kind := v.want
	switch v.want {
	case "array":
		kind = "list"
	case "object":
		kind = "dictionary"
	}
	return x.invalid("%s: Input should be a valid %s", at, kind)
}

// refuse checks what the API refuses, and answers in its own words.
func (m *messagesRequest) refuse(x *exchange) *failure {
	checks := []func(*exchange) *failure{m.refuseTurns, m.refuseBlocks, m.refuseTools, m.refusePairs, m.refuseThinking,
		m.refuseState, m.refuseFormat}
	if !m.count {
		checks = append(checks, m.refuseLimits, m.refuseSampling)
	}
	for _, check := range checks {
		if f := check(x); f != nil {
			return f
		}
	}
	return nil
}

func (m *messagesRequest) refuseLimits(x *exchange) *failure {
	switch n := *m.MaxTokens; {
	case n < 0:
		return x.invalid("max_tokens: Input should be greater than or equal to 0")
	case n > m.claude.maxOutput:
		return x.invalid("max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", n,
			m.claude.maxOutput, m.Model)
	case m.Thinking.Type == "enabled" && n <= m.Thinking.BudgetTokens:
		return x.invalid("`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size")
	}
	for _, s := range m.StopSequences {
		if strings.TrimSpace(s) == "" {
			return x.invalid("stop_sequences: each stop sequence must contain non-whitespace")
		}
	}
	return nil
}

func (m *messagesRequest) refuseSampling(x *exchange) *failure {
	t, p := m.Temperature, m.TopP
	thinks := m.thinks() != thinkingOff
	switch {
	case t != nil && (*t < 0 || *t > 1):
		return x.invalid("temperature: range: 0..1")
	case p != nil && (*p < 0 || *p > 1):
		return x.invalid("top_p: range: 0..1")
	case !m.claude.samples() && t != nil && *t != 1:
		return x.invalid("`temperature` is deprecated for this model.")
	case !m.claude.samples() && p != nil && *p < 0.99:
		return x.invalid("`top_p` is deprecated for this model.")
	case !m.claude.samples() && m.TopK != nil:
		return x.invalid("`top_k` is deprecated for this model.")
	case thinks && t != nil && *t != 1:
		return x.invalid("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking")
	case thinks && m.TopK != nil:
		return x.invalid("`top_k` must be unset when thinking is enabled or in adaptive mode.")
	case thinks && p != nil && *p < 0.95:
		return x.invalid("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode.")
	case m.claude.version >= 41 && m.claude.samples() && t != nil && p != nil:
		return x.invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
	}
	return nil
}

func (m *messagesRequest) refuseThinking(x *exchange) *failure {
	c := m.claude
	switch t := m.Thinking; {
	case t.Type == "enabled" && !c.budgets() && c.adaptive():
		return x.invalid("\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.")
	case t.Type == "enabled" && !c.budgets():
		return x.invalid("'%s' does not support thinking.", m.Model)
	case t.Type == "enabled" && t.BudgetTokens < 1024:
		return x.invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	case t.Type == "adaptive" && !c.adaptive():
		return x.invalid("adaptive thinking is not supported on this model")
	case t.Type == "between_tools" && !strings.HasPrefix(m.Model, "claude-sonnet-5-5"):
		return x.invalid("\"thinking.type.between_tools\" is not supported for this model.")
	case t.Type == "disabled" && c.thinksAlways:
		return x.invalid("\"thinking.type.disabled\" is not supported for this model.")
	case m.ToolChoice != nil && (m.ToolChoice.Type == "any" || m.ToolChoice.Type == "tool") &&
		m.thinks() != thinkingOff:
		return x.invalid("Thinking may not be enabled when tool_choice forces tool use.")
	}
	if e := m.OutputConfig.Effort; e != "" && !slices.Contains(c.efforts, e) {
		if len(c.efforts) == 0 {
			return x.invalid("This model does not support the effort parameter.")
		}
		return x.invalid("This model does not support effort level '%s'. Supported levels: %s.", e,
			strings.Join(c.efforts, ", "))
	}
	return nil
}

func (m *messagesRequest) refuseTurns(x *exchange) *failure {
	if len(m.Messages) == 0 {
		return x.invalid("messages: at least one message is required")
	}
	if m.Messages[0].Role == "assistant" {
		return x.invalid("messages: first message must use the \"user\" role")
	}
	for i, t := range m.Messages {
		if t.Role == "system" && (i == 0 || m.Messages[i-1].Role != "user" || !m.claude.systemTurns()) {
			return x.invalid("messages.%d.role: Input should be 'user' or 'assistant'", i)
		}
	}
	last := m.Messages[len(m.Messages)-1]
	if last.Role != "assistant" {
		return nil
	}
	if !m.claude.prefills() || m.thinks() != thinkingOff {
		return x.invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
	}
	if s := said(last.blocks); s != strings.TrimRight(s, " \n\t") {
		return x.invalid("messages: final assistant content cannot end with trailing whitespace")
	}
	return nil
}

func (m *messagesRequest) refuseBlocks(x *exchange) *failure {
	caches := strings.Count(string(encode(m.raw)), `"cache_control":{`)
	if caches > 4 {
		return x.invalid("A maximum of 4 blocks with cache_control may be provided. Found %d.", caches)
	}
	for i, t := range m.Messages {
		if len(t.blocks) == 0 && (t.Role != "assistant" || i != len(m.Messages)-1) {
			return x.invalid("messages.%d: all messages must have non-empty content except for the optional final assistant message", i)
		}
		if n := len(t.blocks); n > 0 && t.Role == "assistant" && strings.HasSuffix(t.blocks[n-1].Type, "thinking") {
			return x.invalid("messages.%d: The final block in an assistant message cannot be `thinking`.", i)
		}
		for j, b := range t.blocks {
			if f := m.refuseBlock(x, t.Role, b, fmt.Sprintf("messages.%d.content.%d", i, j)); f != nil {
				return f
			}
		}
	}
	for _, b := range m.system {
		if b.Text == "" && len(m.System) > 2 {
			return x.invalid("system: text content blocks must be non-empty")
		}
	}
	return nil
}

func (m *messagesRequest) refuseBlock(x *exchange, role string, b block, at string) *failure {
	user := role == "user"
	switch b.Type {
	case "text":
		if b.Text == "" {
			return x.invalid("messages: text content blocks must be non-empty")
		}
	case "tool_use", "thinking", "redacted_thinking":
		if user {
			return x.invalid("%s: `%s` blocks can only be in `assistant` messages",
				at[:strings.LastIndex(at, ".content")], b.Type)
		}
	case "tool_result", "image", "document":
		if !user {
			return x.invalid("%s: `%s` blocks can only be in `user` messages", at[:strings.LastIndex(at, ".content")],
				b.Type)
		}
	}
	if s := b.Source; s.Type == "base64" {
		if _, ok := unbase64(s.Data); !ok || s.Data == "" {
			return x.invalid("%s.%s.source.base64.data: Input is not valid base64", at, b.Type)
		}
	}
	if b.Type == "tool_result" {
		for k, inner := range blocksOf(b.Content) {
			if inner.Type == "text" && len(b.Content) > 0 && b.Content[0] == '[' && inner.Text == "" {
				return x.invalid("%s.tool_result.content.%d.text: text content blocks must be non-empty", at, k)
			}
		}
	}
	return nil
}

func (m *messagesRequest) refuseTools(x *exchange) *failure {
	name := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	seen := map[string]bool{}
	for i, t := range m.tools {
		custom := t.Type == "" || t.Type == "custom"
		var schema struct{ Type any }
		json.Unmarshal(t.InputSchema, &schema)
		switch {
		case custom && !name.MatchString(t.Name):
			return x.invalid("tools.%d.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", i)
		case custom && schema.Type == nil:
			return x.invalid("tools.%d.custom.input_schema.type: Field required", i)
		case custom && schema.Type != "object":
			return x.invalid("tools.%d.custom.input_schema.type: Input should be 'object'", i)
		case seen[t.Name]:
			return x.invalid("tools: Tool names must be unique.")
		case t.Strict:
			if wrong := looseSchema(t.InputSchema); wrong != "" {
				return x.invalid("tools.%d.custom: %s", i, wrong)
			}
		}
		seen[t.Name] = true
	}
	if c := m.ToolChoice; c != nil {
		if len(m.tools) == 0 {
			return x.invalid("tool_choice: tool_choice may only be specified while providing tools.")
		}
		if c.Type == "tool" && !seen[c.Name] {
			return x.invalid("tool_choice: Tool '%s' not found in provided tools", c.Name)
		}
	}
	return nil
}

func (m *messagesRequest) refuseFormat(x *exchange) *failure {
	f := m.OutputConfig.Format
	if f == nil {
		return nil
	}
	if !m.claude.formats() {
		return x.invalid("output_config.format: This model does not support structured outputs.")
	}
	if wrong := looseSchema(f.Schema); wrong != "" {
		return x.invalid("output_config.format.schema: %s", wrong)
	}
	return nil
}

// looseSchema returns what structured outputs refuse in a schema.
func looseSchema(raw json.RawMessage) string {
	v, _ := decode(raw)
	return looseAt(v)
}

func looseAt(v any) string {
	s, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	if s["type"] == "object" && s["additionalProperties"] != false {
		return "For 'object' type, 'additionalProperties' must be explicitly set to false"
	}
	for _, limit := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"minLength", "maxLength", "maxItems", "minProperties", "maxProperties"} {
		if _, have := s[limit]; have {
			return fmt.Sprintf("For '%v' type, property '%s' is not supported", s["type"], limit)
		}
	}
	for _, name := range []string{"properties", "$defs", "definitions"} {
		inner, _ := s[name].(map[string]any)
		for _, k := range keys(inner) {
			if wrong := looseAt(inner[k]); wrong != "" {
				return wrong
			}
		}
	}
	if wrong := looseAt(s["items"]); wrong != "" {
		return wrong
	}
	for _, name := range []string{"anyOf", "allOf"} {
		inner, _ := s[name].([]any)
		for _, item := range inner {
			if wrong := looseAt(item); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}
