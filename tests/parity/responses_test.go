package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// responsesCaller returns a caller of OpenAI's Responses.
func responsesCaller() *caller {
	return &caller{name: "responses", base: "/v1", auth: bearer, write: writeResponses, whole: wholeResponses, stream: streamResponses,
		failed: failedOpenAI, finish: finishResponses}
}

func finishResponses(s *answer) string {
	switch {
	case s.finish == "max_output_tokens":
		return "length"
	case s.finish == "completed" && len(s.calls) > 0:
		return "tool_calls"
	case s.finish == "completed":
		return "stop"
	}
	return s.finish
}

func writeResponses(a *request) (string, []byte) {
	b := object{"model": a.model, "store": false, "include": []string{"reasoning.encrypted_content"}}
	if a.system != "" {
		b["instructions"] = a.system
	}
	var items []any
	for _, t := range a.turns {
		switch {
		case t.model != nil:
			var list []any
			if err := json.Unmarshal(t.model, &list); err != nil {
				panic(err)
			}
			items = append(items, list...)
		case t.results != nil:
			for _, r := range t.results {
				items = append(items, object{"type": "function_call_output", "call_id": r.id, "output": r.text})
			}
		case t.image != "":
			items = append(items, object{"role": "user", "content": []any{object{"type": "input_text", "text": t.text},
				object{"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64," + t.image}}})
		default:
			items = append(items, object{"role": "user", "content": t.text})
		}
	}
	b["input"] = items
	for _, t := range a.tools {
		list, _ := b["tools"].([]any)
		schema := any(nil)
		if t.schema != "" {
			schema = schemaOf(t.schema)
		}
		b["tools"] = append(list, object{"type": "function", "name": t.name, "parameters": schema, "strict": false})
	}
	if a.choice != "" {
		b["tool_choice"] = a.choice
	}
	if a.schema != "" {
		b["text"] = object{"format": object{"type": "json_schema", "name": "answer", "schema": schemaOf(a.schema)}}
	}
	if a.effort != "" {
		b["reasoning"] = object{"effort": a.effort, "summary": "auto"}
	}
	if a.limit > 0 {
		b["max_output_tokens"] = a.limit
	}
	if a.streamed {
		b["stream"] = true
	}
	return "/v1/responses", encode(b)
}

type responsesBody struct {
	ID, Object, Model, Status string
	Created                   int64 `json:"created_at"`
	Incomplete                *struct{ Reason string }
	Error                     *struct{ Code, Message string }
	Output                    []map[string]any
	Usage                     *struct {
		Input  int64 `json:"input_tokens"`
		Output int64 `json:"output_tokens"`
		Total  int64 `json:"total_tokens"`
		In     struct {
			Cached int64 `json:"cached_tokens"`
		} `json:"input_tokens_details"`
		Out struct {
			Reasoning int64 `json:"reasoning_tokens"`
		} `json:"output_tokens_details"`
	}
	Details *struct{ Reason string } `json:"incomplete_details"`
}

func wholeResponses(body []byte) (answer, error) {
	var v responsesBody
	if err := json.Unmarshal(body, &v); err != nil {
		return answer{}, err
	}
	return v.read()
}

func (v *responsesBody) read() (answer, error) {
	if v.ID == "" || v.Object != "response" || v.Created == 0 || v.Model == "" || v.Output == nil || v.Usage == nil || v.Error != nil {
		return answer{}, errors.New("not a response")
	}
	s := answer{finish: v.Status}
	if v.Details != nil {
		s.finish = v.Details.Reason
	}
	s.usage = usage{"input": v.Usage.Input, "output": v.Usage.Output, "cached": v.Usage.In.Cached, "reasoning": v.Usage.Out.Reasoning}
	err := s.keepItems(v.Output)
	return s, err
}

// keepItems reads the items of an answer.
func (s *answer) keepItems(items []map[string]any) error {
	plain := []any{}
	for _, it := range items {
		text := func(name string) string { v, _ := it[name].(string); return v }
		if text("id") == "" {
			return fmt.Errorf("an item without an id: %v", it)
		}
		switch it["type"] {
		case "message":
			for _, p := range list(it["content"]) {
				t, _ := p["text"].(string)
				r, _ := p["refusal"].(string)
				s.text += t
				s.refusal += r
			}
			plain = append(plain, it)
		case "reasoning":
			for _, p := range append(list(it["summary"]), list(it["content"])...) {
				t, _ := p["text"].(string)
				s.reasoning += t
			}
		case "function_call":
			s.calls = append(s.calls, call{text("call_id"), text("name"), text("arguments")})
			plain = append(plain, it)
		default:
			return fmt.Errorf("an item of type %v", it["type"])
		}
	}
	s.kept, s.bare = encode(items), encode(plain)
	return nil
}

func list(v any) (out []map[string]any) {
	items, _ := v.([]any)
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// streamResponses joins the pieces of each item, and checks that the response at the end is the same.
func streamResponses(body []byte) (answer, error) {
	events, err := eventsOf(body)
	if err != nil {
		return answer{}, err
	}
	var items []map[string]any
	var s answer
	for i, e := range events {
		var v struct {
			Type     string
			Sequence int `json:"sequence_number"`
			Output   int `json:"output_index"`
			Content  int `json:"content_index"`
			Summary  int `json:"summary_index"`
			Item     map[string]any
			ItemID   string `json:"item_id"`
			Part     map[string]any
			Delta    string
			Response *responsesBody
		}
		if err := json.Unmarshal([]byte(e.data), &v); err != nil {
			return answer{}, err
		}
		if v.Type != e.name || v.Sequence != i || s.terminated {
			return answer{}, fmt.Errorf("event %d is %q, says it is %q, number %d", i, e.name, v.Type, v.Sequence)
		}
		grow := func(member, text string, at int) error {
			if v.Output >= len(items) || items[v.Output]["id"] != v.ItemID {
				return fmt.Errorf("a piece of no item: %s", e.data)
			}
			parts := list(items[v.Output][member])
			if at >= len(parts) {
				return fmt.Errorf("a piece of no part: %s", e.data)
			}
			was, _ := parts[at][text].(string)
			parts[at][text] = was + v.Delta
			return nil
		}
		add := func(member string, at int) error {
			if v.Output >= len(items) || items[v.Output]["id"] != v.ItemID {
				return fmt.Errorf("a part of no item: %s", e.data)
			}
			have, _ := items[v.Output][member].([]any)
			if len(have) != at {
				return fmt.Errorf("a part at the wrong place: %s", e.data)
			}
			items[v.Output][member] = append(have, v.Part)
			return nil
		}
		switch e.name {
		case "response.created", "response.in_progress":
			if v.Response == nil || v.Response.Status != "in_progress" || i > 1 {
				err = errors.New("a bad beginning")
			}
		case "response.output_item.added":
			if v.Output != len(items) {
				err = errors.New("an item at the wrong place")
			}
			items = append(items, v.Item)
		case "response.output_item.done":
			// The joined pieces equal the finished item, but for members without events.
			if v.Output >= len(items) {
				return answer{}, errors.New("the end of no item")
			}
			for _, member := range []string{"status", "encrypted_content"} {
				if end, ok := v.Item[member]; ok {
					items[v.Output][member] = end
				}
			}
			if have := items[v.Output]; !reflect.DeepEqual(have, v.Item) {
				err = fmt.Errorf("the pieces make %s, the end says %s", encode(have), encode(v.Item))
			}
		case "response.content_part.added":
			err = add("content", v.Content)
		case "response.reasoning_summary_part.added":
			err = add("summary", v.Summary)
		case "response.output_text.delta":
			err = grow("content", "text", v.Content)
		case "response.refusal.delta":
			err = grow("content", "refusal", v.Content)
		case "response.reasoning_text.delta":
			err = grow("content", "text", v.Content)
		case "response.reasoning_summary_text.delta":
			err = grow("summary", "text", v.Summary)
		case "response.function_call_arguments.delta":
			if v.Output >= len(items) {
				return answer{}, errors.New("arguments of no item")
			}
			was, _ := items[v.Output]["arguments"].(string)
			items[v.Output]["arguments"] = was + v.Delta
		case "response.output_text.done", "response.content_part.done", "response.refusal.done", "response.reasoning_text.done",
			"response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.function_call_arguments.done":
		case "error":
			f, bad := failedOpenAI([]byte(e.data))
			err, s.failed = bad, &f
		case "response.failed":
			if s.failed == nil || v.Response == nil || v.Response.Status != "failed" || v.Response.Error == nil {
				return answer{}, errors.New("a bad failure")
			}
			err = s.keepItems(items)
			s.terminated = true
			return s, err
		case "response.completed", "response.incomplete":
			if s, err = v.Response.read(); err != nil {
				return s, err
			}
			if len(items) != len(v.Response.Output) {
				return s, fmt.Errorf("the items are %s, the response has %s", encode(items), encode(v.Response.Output))
			}
			for j, it := range v.Response.Output {
				if encrypted, ok := it["encrypted_content"]; ok { // OpenAI encrypts it anew each time
					items[j]["encrypted_content"] = encrypted
				}
				if !reflect.DeepEqual(items[j], it) {
					return s, fmt.Errorf("the item is %s, in the response %s", encode(items[j]), encode(it))
				}
			}
			s.terminated = true
		default:
			err = fmt.Errorf("an event %q", e.name)
		}
		if err != nil {
			return answer{}, fmt.Errorf("event %d: %w", i, err)
		}
	}
	return s, nil
}
