package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// anthropic speaks the Messages API. Sources: its OpenAPI document of 2026-08, the SDK
// types of 2026-10, platform.claude.com, and recorded answers.
func anthropic() *profile {
	return &profile{
		id: "anthropic", name: "Anthropic", requestID: "Request-Id", wire: messagesWire{}, admit: admitMessages, route: messagesRoute,
		hints: []Hint{RetryAfter, ResetHeader}, reset: resetAnthropic, dress: dressAnthropic,
		header: map[string]string{"Anthropic-Organization-Id": "00000000-0000-0000-0000-000000000000",
			"Anthropic-Ratelimit-Requests-Limit": "4000", "Anthropic-Ratelimit-Requests-Remaining": "3999",
			"Anthropic-Ratelimit-Tokens-Limit": "2400000", "Anthropic-Ratelimit-Tokens-Remaining": "2399000",
			"Anthropic-Ratelimit-Input-Tokens-Limit": "2000000", "Anthropic-Ratelimit-Input-Tokens-Remaining": "1999000",
			"Anthropic-Ratelimit-Output-Tokens-Limit": "400000", "Anthropic-Ratelimit-Output-Tokens-Remaining": "400000"},
		ids: []string{"claude-haiku-4-5", "claude-opus-4-8", "claude-sonnet-5-5", "claude-opus-4-6"},
	}
}

// resetAnthropic tells with a time as of RFC 3339.
func resetAnthropic(h http.Header, at time.Time) {
	h.Set("Anthropic-Ratelimit-Requests-Remaining", "0")
	h.Set("Anthropic-Ratelimit-Requests-Reset", at.UTC().Add(time.Second-1).Format(time.RFC3339))
}

// dressAnthropic sets what depends on the status (recorded): retry-after comes with
// good answers, where it means nothing, and errors say whether to try again.
func dressAnthropic(h http.Header, status int, hint Hint) {
	switch {
	case status == 200 && hint == NoHint:
		h.Set("Retry-After", "59")
	case status >= 400 && status < 429:
		h.Set("X-Should-Retry", "false")
	case status >= 429:
		h.Set("X-Should-Retry", "true")
	}
}

// admitMessages takes the key from x-api-key, and demands a version.
func admitMessages(x *exchange) *failure {
	x.key = x.r.Header.Get("X-Api-Key")
	version := x.r.Header.Get("Anthropic-Version")
	refused := func(status int, kind, message string) *failure {
		return &failure{status, x.messagesError(kind, message)}
	}
	switch {
	case x.key == "":
		return refused(401, "authentication_error", "x-api-key header is required")
	case !validKey(x.key):
		return refused(401, "authentication_error", "invalid x-api-key")
	case version == "":
		return refused(400, "invalid_request_error", "anthropic-version: header is required")
	case version != "2023-06-01" && version != "2023-01-01":
		return refused(400, "invalid_request_error", `anthropic-version: "`+version+`" is not a valid version. A list of valid version headers is available at https://docs.anthropic.com/en/api/versioning.`)
	}
	return nil
}

func messagesRoute(x *exchange, path string) func() {
	switch x.r.Method + " " + path {
	case "POST /v1/messages":
		return func() { x.messages(false) }
	case "POST /v1/messages/count_tokens":
		return func() { x.messages(true) }
	case "GET /v1/models":
		return x.claudes
	}
	if id, ok := strings.CutPrefix(path, "/v1/models/"); ok && x.r.Method == http.MethodGet {
		return func() {
			switch {
			case x.misbehave(id):
			case strings.Contains(id, "no-such"):
				x.fail(x.wire.fault(x, NoModel))
			default:
				x.say(claudeInfo(id))
			}
		}
	}
	return nil
}

// messages answers a request for a message, or counts its tokens.
func (x *exchange) messages(count bool) {
	m := &messagesRequest{count: count}
	if f := m.read(x); f != nil {
		x.fail(*f)
		return
	}
	if x.misbehave(m.Model) {
		return
	}
	if f := m.refuse(x); f != nil {
		x.fail(*f)
		return
	}
	q := m.question(x)
	if count {
		x.say(ordered{{"input_tokens", q.tokens()}})
		return
	}
	a := x.answer(q)
	use := x.messagesUsage(m, a)
	if !m.Stream {
		x.say(x.message(m, a, use))
		return
	}
	x.stream(stream{
		events:  x.messageEvents(m, a, use),
		failure: x.messagesFailure,
		unknown: event{"nobody_knows", ordered{{"type", "nobody_knows"}}},
	})
}

// messagesRequest is what the emulator understands of a request.
type messagesRequest struct {
	Model         string            `json:"model"`
	Messages      []messagesTurn    `json:"messages"`
	System        json.RawMessage   `json:"system"`
	MaxTokens     *int              `json:"max_tokens"`
	Stream        bool              `json:"stream"`
	Temperature   *float64          `json:"temperature"`
	TopP          *float64          `json:"top_p"`
	TopK          *int              `json:"top_k"`
	StopSequences []string          `json:"stop_sequences"`
	Tools         []json.RawMessage `json:"tools"`
	ToolChoice    *struct {
		Type                   string `json:"type"`
		Name                   string `json:"name"`
		DisableParallelToolUse bool   `json:"disable_parallel_tool_use"`
	} `json:"tool_choice"`
	Thinking struct {
		Type         string `json:"type"`
		BudgetTokens int    `json:"budget_tokens"`
		Display      string `json:"display"`
	} `json:"thinking"`
	OutputConfig struct {
		Effort string `json:"effort"`
		Format *struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`

	count  bool
	claude claude
	raw    map[string]any
	tools  []messagesTool
	system []block
}

type messagesTurn struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`

	blocks []block
}

type messagesTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	InputSchema json.RawMessage `json:"input_schema"`
	Strict      bool            `json:"strict"`
}

// block is a content block.
type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Data      string          `json:"data"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
	IsError   bool            `json:"is_error"`
	Source    struct {
		Type      string          `json:"type"`
		MediaType string          `json:"media_type"`
		Data      string          `json:"data"`
		URL       string          `json:"url"`
		Content   json.RawMessage `json:"content"`
	} `json:"source"`
}

// blocksOf reads content, which may be one text.
func blocksOf(raw json.RawMessage) []block {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []block{{Type: "text", Text: s}}
	}
	var blocks []block
	json.Unmarshal(raw, &blocks)
	return blocks
}

// said is what the blocks say, for the emulated model.
func said(blocks []block) string {
	var parts []string
	for _, b := range blocks {
		switch b.Type {
		case "text":
			parts = append(parts, b.Text)
		case "image", "document":
			switch b.Source.Type {
			case "text":
				parts = append(parts, b.Source.Data)
			case "content":
				parts = append(parts, said(blocksOf(b.Source.Content)))
			default:
				parts = append(parts, media(strings.Replace(b.Type, "document", "file", 1), b.Source.MediaType, b.Source.Data, b.Source.URL))
			}
		}
	}
	return strings.Join(parts, " ")
}

// question is what the request asks.
func (m *messagesRequest) question(x *exchange) *question {
	q := &question{stop: m.StopSequences, limit: m.MaxTokens, refuses: true, filters: true, thinking: m.thinks(),
		callID: func(i int) string { return x.id("toolu_01", i) }}
	if s := said(m.system); s != "" {
		q.turns = append(q.turns, turn{role: roleSystem, text: s})
	}
	for _, t := range m.Messages {
		q.turns = append(q.turns, t.turns()...)
	}
	for _, t := range m.tools {
		if t.Type == "" || t.Type == "custom" {
			q.tools = append(q.tools, tool{t.Name, t.InputSchema})
		}
	}
	if c := m.ToolChoice; c != nil {
		q.single = c.DisableParallelToolUse
		switch c.Type {
		case "none":
			q.choice = choiceNone
		case "any":
			q.choice = choiceMust
		case "tool":
			q.choice, q.only = choiceMust, []string{c.Name}
		}
	}
	if f := m.OutputConfig.Format; f != nil {
		q.json, q.schema = true, f.Schema
	}
	return q
}

// turns are the message's tool results, each for itself, and what else it says.
func (t *messagesTurn) turns() []turn {
	var out []turn
	var rest []block
	for _, b := range t.blocks {
		if b.Type == "tool_result" {
			out = append(out, turn{role: roleTool, text: said(blocksOf(b.Content)), failed: b.IsError})
		} else {
			rest = append(rest, b)
		}
	}
	if len(rest) > 0 {
		role := map[string]role{"user": roleUser, "assistant": roleModel}[t.Role]
		out = append(out, turn{role: role, text: said(rest)})
	}
	return out
}

// thinks says whether, and how, the model thinks.
func (m *messagesRequest) thinks() thinking {
	switch m.Thinking.Type {
	case "enabled", "adaptive":
	default:
		if !m.claude.thinksAlways {
			return thinkingOff
		}
	}
	// From 4.7 on, thinking text must be asked for.
	if m.Thinking.Display == "omitted" || m.Thinking.Display == "" && m.claude.version >= 47 {
		return thinkingHidden
	}
	return thinkingShown
}
