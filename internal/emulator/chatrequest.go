package emulator

import (
	"encoding/json"
	"strings"
)

// chatRequest holds the fields of a chat completion request that the emulator uses.
type chatRequest struct {
	Model         string        `json:"model"`
	Messages      []chatMessage `json:"messages"`
	Stream        bool          `json:"stream"`
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	N                   *int            `json:"n"`
	Stop                json.RawMessage `json:"stop"`
	Tools               []chatTool      `json:"tools"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	ParallelToolCalls   *bool           `json:"parallel_tool_calls"`
	ResponseFormat      *struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	ReasoningEffort string `json:"reasoning_effort"`
	ReasoningFormat string `json:"reasoning_format"`
	Reasoning       *struct {
		Effort  string `json:"effort"`
		Enabled *bool  `json:"enabled"`
	} `json:"reasoning"`
	Thinking *struct {
		Type string `json:"type"`
	} `json:"thinking"`

	stop []string
	raw  map[string]json.RawMessage
}

type chatMessage struct {
	Role             string          `json:"role"`
	Content          json.RawMessage `json:"content"`
	ToolCalls        []chatCall      `json:"tool_calls"`
	ToolCallID       string          `json:"tool_call_id"`
	ReasoningContent *string         `json:"reasoning_content"`
	Prefix           bool            `json:"prefix"`
}

type chatCall struct {
	ID       string `json:"id"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

type chatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// text returns the text of a message's content, a string or a list of parts, and a description of its media.
func (m *chatMessage) text() string {
	var s string
	if json.Unmarshal(m.Content, &s) == nil {
		return s
	}
	var parts []struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		ImageURL any    `json:"image_url"`
		File     struct {
			Filename string `json:"filename"`
			FileData string `json:"file_data"`
		} `json:"file"`
		DocumentURL string `json:"document_url"`
		InputAudio  any    `json:"input_audio"`
	}
	json.Unmarshal(m.Content, &parts)
	var out []string
	for _, p := range parts {
		switch p.Type {
		case "image_url":
			url, _ := p.ImageURL.(string)
			if o, ok := p.ImageURL.(map[string]any); ok {
				url, _ = o["url"].(string)
			}
			out = append(out, mediaURL("image", url))
		case "file":
			out = append(out, mediaURL("file", p.File.FileData))
		case "document_url":
			out = append(out, mediaURL("file", p.DocumentURL))
		case "input_audio":
			data, _ := p.InputAudio.(string)
			if o, ok := p.InputAudio.(map[string]any); ok {
				data, _ = o["data"].(string)
			}
			out = append(out, media("audio", "", data, ""))
		default:
			out = append(out, p.Text)
		}
	}
	return strings.Join(out, " ")
}

func (x *exchange) bad(message, param string) *failure {
	return &failure{400, x.p.errorBody(message, "invalid_request_error", "", param)}
}

// parse reads the body and refuses what every provider refuses.
func (x *exchange) parse() (*chatRequest, *failure) {
	req := &chatRequest{}
	if err := json.Unmarshal(x.body, &req.raw); err != nil {
		return nil, x.bad("We could not parse the JSON body of your request.", "")
	}
	if err := json.Unmarshal(x.body, req); err != nil {
		return nil, x.bad("Invalid type: "+err.Error(), "")
	}
	if req.Model == "" {
		return nil, x.bad("you must provide a model parameter", "model")
	}
	if strings.Contains(req.Model, "no-such") {
		f := x.p.noModel(req.Model)
		return nil, &f
	}
	if len(req.Messages) == 0 {
		return nil, x.bad("Invalid 'messages': empty array.", "messages")
	}
	if len(req.Stop) > 0 && json.Unmarshal(req.Stop, &req.stop) != nil {
		var one string
		if json.Unmarshal(req.Stop, &one) != nil {
			return nil, x.bad("Invalid 'stop'.", "stop")
		}
		if x.p.id == "together" { // its document has arrays only
			return nil, &failure{422, x.p.errorBody("stop: Input should be a valid list", "invalid_request_error", "",
				"stop")}
		}
		req.stop = []string{one}
	}
	return req, nil
}
