package parity

import (
	"encoding/json"
	"errors"
	"fmt"
)

// openAICaller returns a caller of Chat Completions.
func openAICaller() *caller {
	return &caller{name: "openai", base: "/v1", auth: bearer, write: writeOpenAI,
		whole:  wholeOpenAI,
		stream: streamOpenAI, failed: failedOpenAI, finish: func(s *answer) string { return s.finish }}
}

func writeOpenAI(a *request) (string, []byte) {
	b := object{"model": a.model}
	var messages []any
	if a.system != "" {
		messages = append(messages, object{"role": "system", "content": a.system})
	}
	for _, t := range a.turns {
		switch {
		case t.model != nil:
			messages = append(messages, t.model)
		case t.results != nil:
			for _, r := range t.results {
				messages = append(messages, object{"role": "tool", "tool_call_id": r.id, "content": r.text})
			}
		case t.image != "":
			messages = append(messages, object{"role": "user", "content": []any{object{"type": "text", "text": t.text},
				object{"type": "image_url", "image_url": object{"url": "data:image/png;base64," + t.image}}}})
		default:
			messages = append(messages, object{"role": "user", "content": t.text})
		}
	}
	b["messages"] = messages
	for _, t := range a.tools {
		list, _ := b["tools"].([]any)
		f := object{"name": t.name}
		if t.schema != "" {
			f["parameters"] = schemaOf(t.schema)
		}
		b["tools"] = append(list, object{"type": "function", "function": f})
	}
	if a.choice != "" {
		b["tool_choice"] = a.choice
	}
	if a.schema != "" {
		b["response_format"] = object{"type": "json_schema", "json_schema": object{"name": "answer", "schema": schemaOf(a.schema)}}
	}
	if a.effort != "" {
		b["reasoning_effort"] = a.effort
	}
	if a.limit > 0 {
		b["max_completion_tokens"] = a.limit
	}
	if a.stop != "" {
		b["stop"] = a.stop
	}
	if a.streamed {
		b["stream"] = true
		if a.includeUsage {
			b["stream_options"] = object{"include_usage": true}
		}
	}
	return "/v1/chat/completions", encode(b)
}

type openAIUsage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Total      int64 `json:"total_tokens"`
	In         struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	Out struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
	Estimated bool
}

func (u *openAIUsage) read() usage {
	out := usage{"input": u.Prompt, "output": u.Completion, "reasoning": u.Out.Reasoning, "cached": u.In.Cached}
	if u.Estimated {
		out["estimated"] = 1
	}
	return out
}

type openAICall struct {
	Index    *int
	ID, Type string
	Function struct{ Name, Arguments string }
	Extra    json.RawMessage `json:"extra_content"`
}

type openAIMessage struct {
	Role             string
	Content          *string
	Refusal          *string
	Reasoning        string           `json:"reasoning"`
	ReasoningContent string           `json:"reasoning_content"`
	Details          []map[string]any `json:"reasoning_details"`
	Calls            []openAICall     `json:"tool_calls"`
}

// openAITurn joins the pieces of an answer.
type openAITurn struct {
	answer
	details []map[string]any
	all     []openAICall
}

func (t *openAITurn) add(m *openAIMessage) error {
	if m.Content != nil {
		t.text += *m.Content
	}
	if m.Refusal != nil {
		t.refusal += *m.Refusal
	}
	if m.ReasoningContent != "" {
		t.reasoning += m.ReasoningContent
	} else {
		t.reasoning += m.Reasoning // as OpenRouter and Groq have it
	}
	for _, d := range m.Details {
		t.detail(d)
	}
	for i, c := range m.Calls {
		if c.Index != nil {
			i = *c.Index
		}
		switch {
		case i == len(t.all):
			if c.ID == "" || c.Type != "function" || c.Function.Name == "" {
				return fmt.Errorf("a call begins without id, type or name: %+v", c)
			}
			t.all = append(t.all, c)
		case i < len(t.all):
			t.all[i].Function.Arguments += c.Function.Arguments
		default:
			return fmt.Errorf("the call %d comes before call %d", i, len(t.all))
		}
	}
	return nil
}

// detail joins pieces of reasoning_details as OpenRouter's clients do: by index, texts appended.
func (t *openAITurn) detail(d map[string]any) {
	for _, have := range t.details {
		if have["index"] == d["index"] && have["type"] == d["type"] && d["type"] != "reasoning.encrypted" {
			for k, v := range d {
				if was, ok := have[k].(string); ok && (k == "text" || k == "summary") {
					v = was + v.(string)
				}
				have[k] = v
			}
			return
		}
	}
	t.details = append(t.details, d)
}

func (t *openAITurn) end() answer {
	kept, bare := object{"role": "assistant", "content": any(t.text)}, object{"role": "assistant", "content": any(t.text)}
	if t.text == "" && len(t.all) > 0 {
		kept["content"], bare["content"] = nil, nil
	}
	if t.refusal != "" {
		kept["refusal"], bare["refusal"] = t.refusal, t.refusal
	}
	if t.reasoning != "" {
		kept["reasoning_content"] = t.reasoning
	}
	if t.details != nil {
		kept["reasoning_details"] = t.details
	}
	for _, c := range t.all {
		t.calls = append(t.calls, call{c.ID, c.Function.Name, c.Function.Arguments})
		full, plain := object{}, object{"id": c.ID, "type": "function", "function": object{"name": c.Function.Name, "arguments": c.Function.Arguments}}
		for k, v := range plain {
			full[k] = v
		}
		if c.Extra != nil {
			full["extra_content"] = c.Extra
		}
		list, _ := kept["tool_calls"].([]any)
		kept["tool_calls"] = append(list, full)
		list, _ = bare["tool_calls"].([]any)
		bare["tool_calls"] = append(list, plain)
	}
	t.kept, t.bare = encode(kept), encode(bare)
	return t.answer
}

func wholeOpenAI(body []byte) (answer, error) {
	var v struct {
		ID, Object, Model string
		Created           int64
		Choices           []struct {
			Index   int
			Message openAIMessage
			Finish  string `json:"finish_reason"`
		}
		Usage *openAIUsage
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return answer{}, err
	}
	if v.ID == "" || v.Object != "chat.completion" || v.Created == 0 || v.Model == "" || len(v.Choices) != 1 || v.Usage == nil ||
		v.Choices[0].Message.Role != "assistant" {
		return answer{}, errors.New("not a chat.completion")
	}
	var t openAITurn
	t.finish, t.usage = v.Choices[0].Finish, v.Usage.read()
	err := t.add(&v.Choices[0].Message)
	return t.end(), err
}

func streamOpenAI(body []byte) (answer, error) {
	events, err := eventsOf(body)
	if err != nil {
		return answer{}, err
	}
	var t openAITurn
	for i, e := range events {
		if t.terminated || t.failed != nil || e.name != "" {
			return answer{}, fmt.Errorf("event %d: %+v should not be here", i, e)
		}
		if e.data == "[DONE]" {
			t.terminated = true
			continue
		}
		var v struct {
			ID, Object, Model string
			Created           int64
			Choices           []struct {
				Index  int
				Delta  openAIMessage
				Finish *string `json:"finish_reason"`
			}
			Usage *openAIUsage
			Error json.RawMessage
		}
		if err := json.Unmarshal([]byte(e.data), &v); err != nil {
			return answer{}, err
		}
		if v.Error != nil {
			f, err := failedOpenAI([]byte(e.data))
			if err != nil {
				return answer{}, err
			}
			t.failed = &f
			continue
		}
		if v.ID == "" || v.Object != "chat.completion.chunk" || v.Created == 0 || v.Model == "" || v.Choices == nil {
			return answer{}, fmt.Errorf("event %d is no chunk: %s", i, e.data)
		}
		if v.Usage != nil {
			t.usage = v.Usage.read()
		}
		for _, c := range v.Choices {
			if err := t.add(&c.Delta); err != nil {
				return answer{}, err
			}
			if c.Finish != nil {
				if t.finish != "" && t.finish != *c.Finish {
					return answer{}, fmt.Errorf("two finish reasons, %s and %s", t.finish, *c.Finish)
				}
				t.finish = *c.Finish
			}
		}
	}
	return t.end(), nil
}

func failedOpenAI(body []byte) (failure, error) {
	var v struct {
		Error struct {
			Message, Type string
			Code          any
			Param         any
			Details       json.RawMessage
		}
	}
	err := json.Unmarshal(body, &v)
	if err == nil && (v.Error.Message == "" || v.Error.Type == "") {
		err = errors.New("not the shape of an error")
	}
	code, _ := v.Error.Code.(string)
	return failure{v.Error.Type, code, v.Error.Message, string(v.Error.Details)}, err
}
