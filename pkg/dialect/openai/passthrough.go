package openai

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var members = body.Members{
	"model":                 {Compare: body.Replaced},
	"messages":              {Loss: body.Refuses},
	"tools":                 {Loss: body.Refuses},
	"tool_choice":           {Compare: body.Replaced, Equal: equalChoice},
	"parallel_tool_calls":   {Compare: body.Replaced},
	"response_format":       {Compare: body.Replaced, Equal: equalFormat},
	"max_tokens":            {Compare: body.Replaced},
	"max_completion_tokens": {Compare: body.Replaced},
	"stop":                  {Compare: body.Replaced},
	"n":                     {Compare: body.Replaced},
	"temperature":           {Compare: body.Replaced},
	"top_p":                 {Compare: body.Replaced},
	"top_k":                 {Compare: body.Replaced},
	"seed":                  {Compare: body.Replaced},
	"frequency_penalty":     {Compare: body.Replaced},
	"presence_penalty":      {Compare: body.Replaced},
	"stream":                {Compare: body.Replaced},
	"usage":                 {Loss: body.Silent}, // OpenRouter's request for usage, which every answer has
	"stream_options":        {Compare: body.Replaced, Members: body.Members{"include_usage": {Compare: body.Replaced}}},
}

// equalChoice compares words alone: objects name tools, which no rule changes.
func equalChoice(caller, encoded jsonx.Value) bool {
	return caller.Kind() != jsonx.String || jsonx.Equal(caller, encoded)
}

// equalFormat compares the types. A schema beside the type json_object is written as the encoder does.
func equalFormat(caller, encoded jsonx.Value) bool {
	return jsonx.Equal(caller.Get("type"), encoded.Get("type")) && !caller.Get("schema").Exists()
}

// PassthroughRequest does not pass functions from before there were tools.
func (c Client) PassthroughRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, ok := body.ParsePassthrough(data)
	if !ok || req.FunctionCalls || root.Get("function_call").Given() {
		return dialect.Encoded{}, false
	}
	p := passthrough{encoder: newEncoder(req, c.rules()), root: root}
	p.prepareReasoning()
	steers := p.steers()
	if steers {
		p.Warnings = nil // they are about a level that the caller did not name
	}
	prompt := p.schemaPrompt()
	kept, all := p.messagesToKeep(changed)
	for i := range kept {
		if kept[i] == nil { // it is encoded anew
			p.RefuseForeignIn(fmt.Sprintf("messages[%d]", i))
		}
	}
	if prompt != "" { // in place of the format
		p.WarnForeignIn("response_format.")
	}
	p.warnLost(kept)
	form := p.form()
	form.Same, form.OpenEnd = true, p.continues()
	// Who takes files takes PDF, but for those of whom more is known, or nothing.
	form.TextFiles = p.Rules.Files == FileObjectOrURL || p.Rules.Files == FileDocumentURL
	if from, differ := turns.Fit(&p.Writer, form); differ {
		kept, all = keptOf(kept, from), false
	}
	t := body.Passthrough{Members: members, Field: p.field, Encode: p.settings}
	if !all || prompt != "" {
		t.Anew(func() {
			if p.Field("messages", body.Refuses) {
				p.messagesBut(kept, prompt)
			}
		}, "messages")
	}
	if !p.toolsFit() {
		t.Anew(func() { p.Tools(p.tool) }, "tools")
		p.WarnForeignIn("tools[]")
	} else if !p.parametersFit() {
		t.Anew(p.fixParameters, "tools")
	}
	if choice := root.Get("tool_choice"); p.strict() && !(only(choice, "type", "function") && only(choice.Get("function"), "name")) {
		t.Anew(func() {}, "tool_choice") // it is among the settings
		p.WarnForeignIn("tool_choice.")
	}
	if f := root.Get("response_format"); p.strict() &&
		!(only(f, "type", "json_schema") && only(f.Get("json_schema"), "name", "description", "schema", "strict")) {
		t.Anew(func() {}, "response_format")
		p.WarnForeignIn("response_format.")
	}
	if !p.logprobsFit() {
		t.Anew(p.logprobs, "logprobs", "top_logprobs")
	}
	if !steers {
		t.Anew(p.reasoning, "reasoning_effort", "reasoning", "thinking")
	}
	return p.Passthrough(chatPath, data, root, &t)
}

type passthrough struct {
	encoder
	root jsonx.Value
}

// settings writes the members that are compared.
func (p *passthrough) settings() {
	p.FieldModel()
	choice := p.root.Get("tool_choice")
	if p.Rules.NoAllowedTools && choice.Get("type").Is("allowed_tools") && p.Accepts("tool_choice") {
		p.Lost("tool_choice", body.Refuses)
	}
	p.ToolChoice(p.toolChoice)
	p.responseFormat()
	limit := cmp.Or(p.limitField(), "max_completion_tokens")
	if p.limitField() == "" && !p.root.Get(limit).Given() {
		limit = "max_tokens"
	}
	p.FieldInt(limit, p.Req.MaxTokens)
	if stop := p.root.Get("stop"); stop.Kind() == jsonx.String && !p.Rules.StopArrayOnly {
		p.FieldRaw("stop", stop)
	} else {
		p.stops()
	}
	p.choices()
	p.numbers()
	p.stream()
}

// field knows the old and the new names of the limit of the answer's length and of the end user.
func (p *passthrough) field(name string, m jsonx.Value) string {
	switch name {
	case "max_tokens", "max_completion_tokens":
		wanted := cmp.Or(p.limitField(), name)
		newer := name == "max_tokens" && p.root.Get("max_completion_tokens").Given() // counts if both are sent
		if wanted != name && (newer || !m.Given()) || newer && (p.limitField() != "" || !p.Accepts(name)) {
			return ""
		}
		return wanted
	case "safety_identifier": // OpenAI's new name
		switch {
		case !m.Given(), p.Accepts(name) && p.Accepts("user") && p.NameOf("user") == "user":
			return name
		case p.root.Get("user").Given():
			return ""
		}
		return "user"
	case "user_id": // DeepSeek's
		switch {
		case !m.Given(), p.Accepts(name):
			return name
		case p.root.Get("user").Given(), p.root.Get("safety_identifier").Given():
			return ""
		}
		return "user"
	case "random_seed": // Mistral's
		if p.root.Get("seed").Given() {
			return ""
		}
		return "seed"
	}
	return name
}

// logprobsFit reports whether the two fields are as the provider has them. Together has a number as one field.
func (p *passthrough) logprobsFit() bool {
	kind := p.root.Get("logprobs").Kind()
	if !p.Rules.LogprobsCount {
		return kind != jsonx.Number
	}
	return kind != jsonx.Bool && !p.root.Get("top_logprobs").Given()
}

// steers reports whether the caller steers reasoning in the provider's form and as the encoder would.
func (p *passthrough) steers() bool {
	effort, object, thinking := p.root.Get("reasoning_effort"), p.root.Get("reasoning"), p.root.Get("thinking")
	if p.asksUnknown(effort) && !object.Given() && !thinking.Given() {
		return true // the provider knows its own levels
	}
	if p.Rules.Reasoning == ReasoningObject {
		asked := ""
		if r := p.Req.Reasoning; r != nil {
			asked = r.Effort
		}
		// reasoning_effort is known beside the object.
		return !thinking.Given() && p.Effort == asked && p.Accepts("reasoning")
	}
	switch {
	case p.Rules.Reasoning == ReasoningToggle:
		return !thinking.Given() && p.steersByToggle(effort, object)
	case object.Given():
		return false
	case p.Rules.Reasoning == ReasoningBudget && effort.Given() != thinking.Given() && effort.Kind() != jsonx.String:
		return effort.Given() || thinking.Get("type").Is("disabled") || thinking.Get("type").Is("enabled") &&
			(!thinking.Get("budget_tokens").Given() || p.sendsBudget())
	case p.Rules.Reasoning == ReasoningThinking:
		return p.steersByThinking(effort, thinking.Get("type"))
	case thinking.Given():
		return false
	case !effort.Given():
		return p.Effort == ""
	}
	return effort.Is(p.Effort)
}

// asksUnknown reports whether the level is none that the gateway knows.
func (p *passthrough) asksUnknown(effort jsonx.Value) bool {
	return effort.Kind() == jsonx.String && !slices.Contains(completions.Efforts, effort.Str())
}

func (p *passthrough) steersByToggle(effort, object jsonx.Value) bool {
	if object.Given() {
		enabled, ok := object.Get("enabled").Bool()
		if !ok || object.Len() != 1 || enabled != (p.Effort != "none") {
			return false
		}
	}
	if effort.Given() {
		return effort.Is(p.Effort) && p.Effort != "none" && p.Accepts("reasoning_effort")
	}
	return object.Given() || p.Effort == ""
}

func (p *passthrough) steersByThinking(effort, kind jsonx.Value) bool {
	switch {
	case p.Effort == "none":
		return kind.Is("disabled")
	case kind.Given() && !kind.Is("enabled"), p.Req.Reasoning != nil && p.Req.Reasoning.Budget != nil:
		return false
	case !effort.Given():
		return p.Effort == "" || kind.Given() // how much is the provider's choice
	}
	return effort.Is(p.Effort)
}
