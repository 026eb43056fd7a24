package emulator

import (
	"encoding/json"
	"strings"
)

// openAIRoute finds what serves a path of OpenAI's own.
func openAIRoute(x *exchange, path string) func() {
	switch x.r.Method + " " + path {
	case "POST /responses":
		return x.responses
	case "POST /responses/input_tokens":
		return x.responsesCount
	}
	return chatRoute(x, path)
}

// responses answers a request to the Responses API.
func (x *exchange) responses() {
	r := x.responsesAsked()
	if r == nil {
		return
	}
	a := x.answer(r.question(x))
	b := &responsesBody{x: x, r: r, a: a}
	if r.Store == nil || *r.Store {
		x.keep(x.id("rs_", 0))
	}
	if !r.Stream {
		x.say(b.whole())
		return
	}
	x.stream(stream{
		events:  b.events(),
		failure: b.failure,
		unknown: event{"response.nobody_knows", ordered{{"type", "response.nobody_knows"}}},
	})
}

func (x *exchange) responsesCount() {
	if r := x.responsesAsked(); r != nil {
		x.say(ordered{{"object", "response.input_tokens"}, {"input_tokens", r.question(x).tokens()}})
	}
}

// responsesAsked is the request, or nil if it was answered already.
func (x *exchange) responsesAsked() *responsesRequest {
	x.wire = responsesWire{}
	r := &responsesRequest{}
	if f := r.read(x); f != nil {
		x.fail(*f)
		return nil
	}
	if x.misbehave(r.Model) {
		return nil
	}
	if f := r.refuse(x); f != nil {
		x.fail(*f)
		return nil
	}
	return r
}

// responsesWire tells what went wrong as OpenAI does, but for what the Responses API says otherwise.
type responsesWire struct{ chatWire }

func (w responsesWire) fault(x *exchange, f Fault) failure {
	switch f {
	case NoModel: // with 400 here: recorded
		return failure{400, x.p.errorBody("The requested model '"+x.model+"' does not exist.", "invalid_request_error", "model_not_found", "model")}
	case TooLong:
		return failure{400, x.p.errorBody("Your input exceeds the context window of this model. Please adjust your input and try again.", "invalid_request_error", "context_length_exceeded", "input")}
	}
	return w.chatWire.fault(x, f)
}

func (responsesWire) in200(x *exchange) any {
	return ordered{{"id", x.id("resp_", 0)}, {"object", "response"}, {"created_at", x.began.Unix()}, {"status", "failed"},
		{"error", ordered{{"code", "server_error"}, {"message", "Upstream is overloaded"}}}, {"incomplete_details", nil}, {"model", x.model},
		{"output", []any{}}, {"usage", nil}, {"metadata", object{}}}
}

// responsesRequest is what the emulator understands of a request.
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

// said is what content says, which may be one text.
func (i *item) said(raw json.RawMessage) string {
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

// question is what the request asks.
func (r *responsesRequest) question(x *exchange) *question {
	q := &question{limit: r.MaxOutputTokens, refuses: true, filters: true, single: r.ParallelToolCalls != nil && !*r.ParallelToolCalls,
		callID: func(i int) string { return x.id("call_", i) }}
	if r.model.thinks(r.Reasoning.Effort) {
		q.thinking = thinkingHidden
		if r.Reasoning.Summary != "" {
			q.thinking = thinkingShown
		}
	}
	if r.Instructions != "" {
		q.turns = append(q.turns, turn{role: roleSystem, text: r.Instructions})
	}
	roles := map[string]role{"user": roleUser, "assistant": roleModel}
	for _, i := range r.items {
		switch i.Type {
		case "message":
			q.turns = append(q.turns, turn{role: roles[i.Role], text: i.said(i.Content)})
		case "function_call":
			q.turns = append(q.turns, turn{role: roleModel})
		case "function_call_output":
			q.turns = append(q.turns, turn{role: roleTool, text: i.said(i.Output)})
		}
	}
	for _, t := range r.Tools {
		if t.Type == "function" {
			q.tools = append(q.tools, tool{t.Name, t.Parameters})
		}
	}
	var word string
	var named struct{ Type, Name string }
	json.Unmarshal(r.ToolChoice, &word)
	json.Unmarshal(r.ToolChoice, &named)
	switch {
	case word == "none":
		q.choice = choiceNone
	case word == "required":
		q.choice = choiceMust
	case named.Type == "function":
		q.choice, q.only = choiceMust, []string{named.Name}
	}
	switch r.Text.Format.Type {
	case "json_object", "json_schema":
		q.json, q.schema = true, r.Text.Format.Schema
	}
	return q
}
