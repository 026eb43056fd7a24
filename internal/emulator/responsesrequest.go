package emulator

import (
	"encoding/json"
	"strings"
)

// responsesRequest holds the fields of a request that the emulator uses.
type responsesRequest struct {
	Model             string          `json:"model"`
	Input             json.RawMessage `json:"input"`
	Instructions      string          `json:"instructions"`
	Stream            bool            `json:"stream"`
	Store             *bool           `json:"store"`
	MaxOutputTokens   *int            `json:"max_output_tokens"`
	Temperature       *float64        `json:"temperature"`
	TopP              *float64        `json:"top_p"`
	ParallelToolCalls *bool           `json:"parallel_tool_calls"`
	PreviousResponse  string          `json:"previous_response_id"`
	Conversation      any             `json:"conversation"`
	Background        bool            `json:"background"`
	Include           []string        `json:"include"`
	ToolChoice        json.RawMessage `json:"tool_choice"`
	Tools             []responsesTool `json:"tools"`
	Reasoning         struct {
		Effort  string `json:"effort"`
		Summary string `json:"summary"`
	} `json:"reasoning"`
	Text struct {
		Format struct {
			Type   string          `json:"type"`
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
			Strict bool            `json:"strict"`
		} `json:"format"`
	} `json:"text"`
	StreamOptions struct {
		IncludeObfuscation *bool `json:"include_obfuscation"`
	} `json:"stream_options"`

	raw   map[string]any
	model openAIModel
	items []item
}

type responsesTool struct {
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
	Strict     bool            `json:"strict"`
	Tools      []responsesTool `json:"tools"` // of a namespace
}

// item is an item of the input.
type item struct {
	Type             string          `json:"type"`
	ID               string          `json:"id"`
	Role             string          `json:"role"`
	Content          json.RawMessage `json:"content"`
	CallID           string          `json:"call_id"`
	Name             string          `json:"name"`
	Arguments        string          `json:"arguments"`
	Output           json.RawMessage `json:"output"`
	EncryptedContent string          `json:"encrypted_content"`
}

// contentSays returns the text of content, which is a string or a list of parts.
func contentSays(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var parts []struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		Refusal  string `json:"refusal"`
		ImageURL string `json:"image_url"`
		FileData string `json:"file_data"`
		FileURL  string `json:"file_url"`
	}
	json.Unmarshal(raw, &parts)
	var out []string
	for _, p := range parts {
		switch p.Type {
		case "input_image":
			out = append(out, mediaURL("image", p.ImageURL))
		case "input_file":
			out = append(out, mediaURL("file", p.FileData+p.FileURL))
		default:
			out = append(out, p.Text+p.Refusal)
		}
	}
	return strings.Join(out, " ")
}

// decode returns the request independent of the wire format.
func (r *responsesRequest) decode(x *exchange) *decodedRequest {
	req := &decodedRequest{limit: r.MaxOutputTokens, refuses: true, filters: true, single: r.ParallelToolCalls != nil &&
		!*r.ParallelToolCalls,
		callID: func(i int, _ string) string { return x.id("call_", i) }}
	if r.model.thinks(r.Reasoning.Effort) {
		req.thinking = thinkingHidden
		if r.Reasoning.Summary != "" {
			req.thinking = thinkingShown
		}
	}
	if r.Instructions != "" {
		req.turns = append(req.turns, turn{role: roleSystem, text: r.Instructions})
	}
	roles := map[string]role{"user": roleUser, "assistant": roleModel}
	for _, i := range r.items {
		switch i.Type {
		case "message":
			req.turns = append(req.turns, turn{role: roles[i.Role], text: contentSays(i.Content)})
		case "function_call":
			req.turns = append(req.turns, turn{role: roleModel})
		case "function_call_output":
			req.turns = append(req.turns, turn{role: roleTool, text: contentSays(i.Output)})
		}
	}
	for _, t := range r.Tools {
		if t.Type == "function" {
			req.tools = append(req.tools, tool{name: t.Name, schema: t.Parameters})
		}
		for _, in := range t.Tools {
			req.grouped = append(req.grouped, tool{in.Name, in.Parameters, t.Name})
		}
	}
	var word string
	var named struct{ Type, Name string }
	json.Unmarshal(r.ToolChoice, &word)
	json.Unmarshal(r.ToolChoice, &named)
	switch {
	case word == "none":
		req.choice = choiceNone
	case word == "required":
		req.choice = choiceMust
	case named.Type == "function":
		req.choice, req.only = choiceMust, []string{named.Name}
	}
	switch r.Text.Format.Type {
	case "json_object", "json_schema":
		req.json, req.schema = true, r.Text.Format.Schema
	}
	return req
}
