package parity

import (
	"encoding/json"
	"errors"
	"fmt"
)

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// nativeCaller returns a caller in the gateway's own dialect.
func nativeCaller() *caller {
	return &caller{name: "native", auth: bearer, write: writeNative,
		whole:  func(body []byte) (answer, error) { return readNative([]json.RawMessage{body}, "message") },
		stream: streamNative, failed: failedNative, finish: func(s *answer) string { return s.finish }}
}

func writeNative(a *request) (string, []byte) {
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
				messages = append(messages, object{"role": "tool", "toolCallId": r.id, "content": r.text})
			}
		case t.image != "":
			messages = append(messages, object{"role": "user", "content": []any{object{"type": "text", "text": t.text},
				object{"type": "image", "data": t.image, "mimeType": "image/png"}}})
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
		b["toolChoice"] = a.choice
	}
	if a.schema != "" {
		b["responseFormat"] = object{"type": "json_schema", "jsonSchema": object{"name": "answer", "schema": schemaOf(a.schema)}}
	}
	if a.effort != "" {
		b["reasoning"] = object{"effort": a.effort}
	}
	if a.limit > 0 {
		b["maxTokens"] = a.limit
	}
	if a.stop != "" {
		b["stop"] = a.stop
	}
	if a.streamed {
		b["stream"] = true
	}
	return "/api/chat", encode(b)
}

func streamNative(body []byte) (answer, error) {
	events, err := eventsOf(body)
	if err != nil {
		return answer{}, err
	}
	var chunks []json.RawMessage
	var failed *failure
	for i, e := range events {
		switch {
		case e.name != "":
			return answer{}, fmt.Errorf("an event with the name %q", e.name)
		case e.data == "[DONE]" && i == len(events)-1:
			s, err := readNative(chunks, "delta")
			s.terminated = true
			return s, err
		}
		var f struct{ Error json.RawMessage }
		if json.Unmarshal([]byte(e.data), &f) == nil && f.Error != nil {
			one, err := failedNative([]byte(e.data))
			if err != nil || i < len(events)-1 {
				return answer{}, errors.Join(err, errors.New("a bad error event"))
			}
			failed = &one
			break
		}
		chunks = append(chunks, json.RawMessage(e.data))
	}
	s, err := readNative(chunks, "delta")
	s.failed = failed
	return s, err
}

// readNative reads an answer, or the pieces of one.
func readNative(chunks []json.RawMessage, member string) (answer, error) {
	var s answer
	type piece struct {
		index int
		m     object
	}
	var reasons, calls []piece
	at := func(list *[]piece, v object, i int) object {
		index := i
		if n, ok := v["index"].(float64); ok {
			index = int(n)
		}
		delete(v, "index")
		for _, p := range *list {
			if p.index == index {
				return p.m
			}
		}
		*list = append(*list, piece{index, object{}})
		return (*list)[len(*list)-1].m
	}
	for _, chunk := range chunks {
		var v struct {
			ID, Provider, Model string
			Created             int64
			Choices             []map[string]json.RawMessage
			Usage               *struct {
				PromptTokens, CompletionTokens, TotalTokens, CachedTokens, ReasoningTokens int64
				Estimated                                                                  bool
			}
		}
		if err := json.Unmarshal(chunk, &v); err != nil {
			return s, err
		}
		if v.ID == "" || v.Provider == "" || v.Model == "" || v.Created == 0 {
			return s, fmt.Errorf("a head is missing")
		}
		if v.Usage != nil {
			s.usage = usage{"input": v.Usage.PromptTokens, "output": v.Usage.CompletionTokens, "reasoning": v.Usage.ReasoningTokens, "cached": v.Usage.CachedTokens}
			if v.Usage.Estimated {
				s.usage["estimated"] = 1
			}
			if v.Usage.TotalTokens != v.Usage.PromptTokens+v.Usage.CompletionTokens {
				return s, errors.New("the total is no sum")
			}
		}
		for _, c := range v.Choices {
			var m struct {
				Content, Refusal     string
				Reasoning, ToolCalls []object
			}
			if err := json.Unmarshal(c[member], &m); err != nil {
				return s, err
			}
			s.text += m.Content
			s.refusal += m.Refusal
			for i, r := range m.Reasoning {
				to := at(&reasons, r, i)
				text, _ := r["text"].(string)
				was, _ := to["text"].(string)
				for k, v := range r {
					to[k] = v
				}
				to["text"] = was + text
				s.reasoning += text
			}
			for i, one := range m.ToolCalls {
				to := at(&calls, one, i)
				f, _ := one["function"].(object)
				was, _ := to["function"].(object)
				for k, v := range one {
					to[k] = v
				}
				if was != nil {
					text, _ := f["arguments"].(string)
					was["arguments"] = was["arguments"].(string) + text
					to["function"] = was
				}
			}
			var finish *string
			if err := json.Unmarshal(c["finishReason"], &finish); err != nil {
				return s, err
			}
			if finish != nil {
				s.finish += *finish
			}
		}
	}
	kept, bare := object{"role": "assistant", "content": s.text}, object{"role": "assistant", "content": s.text}
	for _, r := range reasons {
		list, _ := kept["reasoning"].([]any)
		kept["reasoning"] = append(list, r.m)
	}
	for _, c := range calls {
		list, _ := kept["toolCalls"].([]any)
		kept["toolCalls"] = append(list, c.m)
		plain := object{"id": c.m["id"], "type": c.m["type"], "function": c.m["function"]}
		list, _ = bare["toolCalls"].([]any)
		bare["toolCalls"] = append(list, plain)
		f, _ := c.m["function"].(object)
		id, _ := c.m["id"].(string)
		name, _ := f["name"].(string)
		arguments, _ := f["arguments"].(string)
		s.calls = append(s.calls, call{id, name, arguments})
	}
	if s.refusal != "" {
		kept["refusal"] = s.refusal
	}
	s.kept, s.bare = encode(kept), encode(bare)
	return s, nil
}

func failedNative(body []byte) (failure, error) {
	var v struct {
		Error struct {
			Code, Message string
			Details       json.RawMessage
		}
		RequestID string
	}
	err := json.Unmarshal(body, &v)
	if err == nil && (v.Error.Code == "" || v.Error.Message == "" || v.RequestID == "") {
		err = errors.New("not the shape of an error")
	}
	return failure{code: v.Error.Code, message: v.Error.Message, details: string(v.Error.Details)}, err
}
