package parity

import (
	"encoding/json"
	"errors"
	"fmt"
)

// anthropicCaller returns a caller in Anthropic's Messages dialect.
func anthropicCaller() *caller {
	return &caller{name: "anthropic", write: writeAnthropic,
		auth:  func(token string) []string { return []string{"X-Api-Key", token, "Anthropic-Version", "2023-06-01"} },
		whole: wholeAnthropic, stream: streamAnthropic, failed: failedAnthropic, finish: finishAnthropic}
}

func finishAnthropic(s *answer) string {
	switch s.finish {
	case "end_turn", "stop_sequence":
		return "stop"
	case "max_tokens":
		return "length"
	case "tool_use":
		return "tool_calls"
	case "refusal":
		return "content_filter"
	}
	return "unknown: " + s.finish
}

func writeAnthropic(a *request) (string, []byte) {
	b := object{"model": a.model, "max_tokens": 4000}
	if a.system != "" {
		b["system"] = a.system
	}
	var messages []any
	for _, t := range a.turns {
		switch {
		case t.model != nil:
			messages = append(messages, object{"role": "assistant", "content": t.model})
		case t.results != nil:
			var blocks []any
			for _, r := range t.results {
				blocks = append(blocks, object{"type": "tool_result", "tool_use_id": r.id, "content": r.text})
			}
			messages = append(messages, object{"role": "user", "content": blocks})
		case t.image != "":
			messages = append(messages, object{"role": "user", "content": []any{object{"type": "text", "text": t.text},
				object{"type": "image", "source": object{"type": "base64", "media_type": "image/png", "data": t.image}}}})
		default:
			messages = append(messages, object{"role": "user", "content": t.text})
		}
	}
	b["messages"] = messages
	for _, t := range a.tools {
		list, _ := b["tools"].([]any)
		schema := any(object{"type": "object"})
		if t.schema != "" {
			schema = schemaOf(t.schema)
		}
		b["tools"] = append(list, object{"name": t.name, "input_schema": schema})
	}
	switch a.choice {
	case "required":
		b["tool_choice"] = object{"type": "any"}
	case "auto", "none":
		b["tool_choice"] = object{"type": a.choice}
	}
	config := object{}
	if a.schema != "" {
		config["format"] = object{"type": "json_schema", "schema": schemaOf(a.schema)}
	}
	if a.effort != "" {
		config["effort"] = a.effort
		b["thinking"] = object{"type": "adaptive", "display": "summarized"}
	}
	if len(config) > 0 {
		b["output_config"] = config
	}
	if a.limit > 0 {
		b["max_tokens"] = a.limit
	}
	if a.stop != "" {
		b["stop_sequences"] = []string{a.stop}
	}
	if a.streamed {
		b["stream"] = true
	}
	return "/v1/messages", encode(b)
}

type anthropicUsage struct {
	Input   *int64 `json:"input_tokens"`
	Written int64  `json:"cache_creation_input_tokens"`
	Read    int64  `json:"cache_read_input_tokens"`
	Output  *int64 `json:"output_tokens"`
}

func (u *anthropicUsage) read() (usage, error) {
	if u.Input == nil || u.Output == nil {
		return nil, errors.New("usage without input_tokens or output_tokens")
	}
	return usage{"input": *u.Input + u.Written + u.Read, "cached": u.Read, "output": *u.Output}, nil
}

// keepBlocks saves the blocks as the SDK's types have them, and without reasoning.
func (s *answer) keepBlocks(blocks []map[string]any) error {
	var kept, bare []any
	for _, b := range blocks {
		kind, _ := b["type"].(string)
		text := func(name string) string { v, _ := b[name].(string); return v }
		switch kind {
		case "text":
			s.text += text("text")
		case "thinking":
			s.reasoning += text("thinking")
			if _, ok := b["signature"].(string); !ok {
				return errors.New("thinking without a signature")
			}
		case "redacted_thinking":
			if text("data") == "" {
				return errors.New("redacted thinking without data")
			}
		case "tool_use":
			if _, ok := b["input"].(map[string]any); !ok {
				return fmt.Errorf("the input is no object: %v", b)
			}
			s.calls = append(s.calls, call{text("id"), text("name"), string(encode(b["input"]))})
		default:
			return fmt.Errorf("a block of type %q", kind)
		}
		kept = append(kept, b)
		if kind == "text" || kind == "tool_use" {
			bare = append(bare, b)
		}
	}
	s.kept, s.bare = encode(kept), encode(bare)
	return nil
}

func wholeAnthropic(body []byte) (answer, error) {
	var v struct {
		ID, Type, Role, Model string
		Content               []map[string]any
		StopReason            string  `json:"stop_reason"`
		StopSequence          *string `json:"stop_sequence"`
		Usage                 anthropicUsage
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return answer{}, err
	}
	if v.ID == "" || v.Type != "message" || v.Role != "assistant" || v.Model == "" || v.Content == nil {
		return answer{}, errors.New("not a message")
	}
	s := answer{finish: v.StopReason}
	if v.StopSequence != nil {
		s.stopped = *v.StopSequence
	}
	var err error
	if s.usage, err = v.Usage.read(); err != nil {
		return s, err
	}
	return s, s.keepBlocks(v.Content)
}

// anthropicStream checks the order of events that the SDKs rely on.
type anthropicStream struct {
	answer
	blocks  []map[string]any
	partial string // of the open block's input
	open    bool
	state   string // the last of message_start, message_delta, message_stop
}

func streamAnthropic(body []byte) (answer, error) {
	events, err := eventsOf(body)
	if err != nil {
		return answer{}, err
	}
	var t anthropicStream
	for i, e := range events {
		if t.terminated || t.failed != nil {
			return answer{}, fmt.Errorf("event %d: %+v after the end", i, e)
		}
		var v struct {
			Type    string
			Index   int
			Message struct {
				ID, Type, Role, Model string
				Content               []any
				Usage                 anthropicUsage
			}
			Block map[string]any `json:"content_block"`
			Delta map[string]any
			Usage anthropicUsage
		}
		if err := json.Unmarshal([]byte(e.data), &v); err != nil {
			return answer{}, err
		}
		if v.Type != e.name {
			return answer{}, fmt.Errorf("the event %q says that it is %q", e.name, v.Type)
		}
		switch e.name {
		case "ping":
		case "message_start":
			if _, err := v.Message.Usage.read(); err != nil || t.state != "" || v.Message.ID == "" || v.Message.Type != "message" || v.Message.Role != "assistant" || v.Message.Model == "" || v.Message.Content == nil {
				return answer{}, fmt.Errorf("a bad start: %s", e.data)
			}
			t.state = e.name
		case "content_block_start", "content_block_delta", "content_block_stop":
			if t.state != "message_start" {
				return answer{}, fmt.Errorf("%s at the wrong place", e.name)
			}
			if err := t.block(e.name, v.Index, v.Block, v.Delta); err != nil {
				return answer{}, fmt.Errorf("event %d, %s: %w", i, e.data, err)
			}
		case "message_delta":
			if t.open || t.state != "message_start" {
				return answer{}, errors.New("message_delta at the wrong place")
			}
			t.state = e.name
			t.finish, _ = v.Delta["stop_reason"].(string)
			if s, ok := v.Delta["stop_sequence"].(string); ok {
				t.stopped = s
			}
			if t.usage, err = v.Usage.read(); err != nil {
				return answer{}, err
			}
		case "message_stop":
			if t.state != "message_delta" {
				return answer{}, errors.New("message_stop at the wrong place")
			}
			t.terminated = true
		case "error":
			f, err := failedAnthropic([]byte(e.data))
			if err != nil {
				return answer{}, err
			}
			t.failed = &f
		default:
			return answer{}, fmt.Errorf("an event %q", e.name)
		}
	}
	if t.open && t.failed == nil {
		return answer{}, errors.New("a block is open at the end")
	}
	if t.failed != nil {
		if n := len(t.blocks); t.open && t.blocks[n-1]["type"] == "tool_use" {
			t.blocks = t.blocks[:n-1]
		}
	}
	err = t.keepBlocks(t.blocks)
	return t.answer, err
}

func (t *anthropicStream) block(event string, index int, block, delta map[string]any) error {
	switch event {
	case "content_block_start":
		if t.open || index != len(t.blocks) {
			return errors.New("a block begins at the wrong place")
		}
		t.open, t.partial = true, ""
		t.blocks = append(t.blocks, block)
		return nil
	case "content_block_stop":
		if !t.open || index != len(t.blocks)-1 {
			return errors.New("a block ends at the wrong place")
		}
		t.open = false
		if b := t.blocks[index]; b["type"] == "tool_use" {
			input := map[string]any{}
			if t.partial != "" {
				if err := json.Unmarshal([]byte(t.partial), &input); err != nil {
					return err
				}
			}
			b["input"] = input
		}
		return nil
	}
	if !t.open || index != len(t.blocks)-1 {
		return errors.New("a delta of no open block")
	}
	b := t.blocks[index]
	text := func(name string) string { v, _ := delta[name].(string); return v }
	grow := func(name, kind string) error {
		if b["type"] != kind {
			return fmt.Errorf("a delta for a block of type %v", b["type"])
		}
		was, _ := b[name].(string)
		b[name] = was + text(name)
		return nil
	}
	switch delta["type"] {
	case "text_delta":
		return grow("text", "text")
	case "thinking_delta":
		return grow("thinking", "thinking")
	case "signature_delta":
		return grow("signature", "thinking")
	case "input_json_delta":
		t.partial += text("partial_json")
		return nil
	}
	return fmt.Errorf("a delta of type %v", delta["type"])
}

func failedAnthropic(body []byte) (failure, error) {
	var v struct {
		Type  string
		Error struct {
			Type, Message string
			Details       json.RawMessage
		}
		RequestID string `json:"request_id"`
	}
	err := json.Unmarshal(body, &v)
	if err == nil && (v.Type != "error" || v.Error.Type == "" || v.Error.Message == "" || v.RequestID == "") {
		err = errors.New("not the shape of an error")
	}
	return failure{kind: v.Error.Type, message: v.Error.Message, details: string(v.Error.Details)}, err
}
