package emulator

import (
	"encoding/json"
	"strings"
)

// messagesRequest holds the fields of a request that the emulator uses.
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
		Effort string          `json:"effort"`
		Format *messagesFormat `json:"format"`
	} `json:"output_config"`
	OutputFormat *messagesFormat `json:"output_format"` // the beta's name for output_config.format

	count  bool
	claude claude
	raw    map[string]any
	tools  []messagesTool
	system []block
}

type messagesFormat struct {
	Schema json.RawMessage `json:"schema"`
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

// blocksOf reads content, which is a string or a list of blocks.
func blocksOf(raw json.RawMessage) []block {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []block{{Type: "text", Text: s}}
	}
	var blocks []block
	json.Unmarshal(raw, &blocks)
	return blocks
}

// said returns the text of the blocks for the emulated model.
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
				parts = append(parts, media(strings.Replace(b.Type, "document", "file", 1), b.Source.MediaType,
					b.Source.Data, b.Source.URL))
			}
		}
	}
	return strings.Join(parts, " ")
}

// decode returns the request independent of the wire format.
func (m *messagesRequest) decode(x *exchange) *decodedRequest {
	req := &decodedRequest{stop: m.StopSequences, limit: m.MaxTokens, refuses: true, filters: true,
		thinking: m.thinks(),
		callID:   func(i int, _ string) string { return x.id("toolu_01", i) }}
	if s := said(m.system); s != "" {
		req.turns = append(req.turns, turn{role: roleSystem, text: s})
	}
	for _, t := range m.Messages {
		req.turns = append(req.turns, t.turns()...)
	}
	for _, t := range m.tools {
		if t.Type == "" || t.Type == "custom" {
			req.tools = append(req.tools, tool{name: t.Name, schema: t.InputSchema})
		}
	}
	if c := m.ToolChoice; c != nil {
		req.single = c.DisableParallelToolUse
		switch c.Type {
		case "none":
			req.choice = choiceNone
		case "any":
			req.choice = choiceMust
		case "tool":
			req.choice, req.only = choiceMust, []string{c.Name}
		}
	}
	if f := m.OutputConfig.Format; f != nil {
		req.json, req.schema = true, f.Schema
	}
	return req
}

// turns returns each of the message's tool results as a turn, and the rest of the message as another.
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

// thinks returns whether, and how, the model thinks.
func (m *messagesRequest) thinks() thinking {
	switch m.Thinking.Type {
	case "enabled", "adaptive":
	default:
		if !m.claude.thinksAlways {
			return thinkingOff
		}
	}
	// From 4.7 on, the text of thinking is sent only on request.
	if m.Thinking.Display == "omitted" || m.Thinking.Display == "" && m.claude.version >= 47 {
		return thinkingHidden
	}
	return thinkingShown
}
