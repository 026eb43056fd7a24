package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// minOutput is the least that max_output_tokens may be (API reference, create a response).
const minOutput = 16

// An encoder writes one request.
type encoder struct {
	body.Writer
	Rules  *openai.Rules
	Model  openai.ModelRules // the exceptions of the request's model
	custom map[string]bool   // the ids of the calls of free-text tools so far
}

// prepare settles the effort, on which other fields depend.
func (e *encoder) prepare() {
	r := e.Req.Reasoning
	switch {
	case r == nil || r.Effort == "" && r.Budget == nil && r.Summary == "":
	case !e.steers():
		e.Warn("reasoning cannot be steered at %s for this model: dropped", e.Provider())
	case r.Effort != "" || r.Budget != nil:
		e.Effort = e.Level(r, nil)
	}
}

// steers says whether the model takes an effort, and a wish for summaries ("Unsupported parameter:
// 'reasoning.summary' is not supported with this model").
func (e *encoder) steers() bool {
	return e.Rules.Reasoning != openai.ReasoningDropped && e.Accepts("reasoning_effort")
}

func (e *encoder) request() {
	r := e.Req
	e.Begin()
	e.prompt()
	e.maxOutput()
	e.sampling()
	e.reasoning()
	e.include()
	e.FieldString("service_tier", r.ServiceTier)
	e.FieldString("user", r.User)
	e.Metadata()
	e.FieldString("prompt_cache_key", r.CacheKey)
	e.store()
	e.FieldStream()
	e.Raw("}")
}

// store says that nothing is to be stored.
func (e *encoder) store() {
	if e.Field("store", body.Silent) {
		e.Raw("false")
	}
}

// prompt writes the model and what it reads.
func (e *encoder) prompt() {
	e.FieldModel()
	if e.Field("input", body.Refuses) {
		e.input()
	}
	e.Tools(e.tool)
	e.ToolChoice(e.toolChoice)
	e.text()
}

// textMembers says what of the text the provider can be told: whether it has a form, and how verbose it is.
func (e *encoder) textMembers() (formatted bool, verbosity string) {
	f := e.Req.ResponseFormat
	formatted, verbosity = f != nil && f.Kind != "" && f.Kind != chat.FormatText, e.Req.Verbosity
	if formatted && !e.Accepts("response_format") {
		e.Lost("response_format", body.Refuses)
	}
	if verbosity != "" && !e.Accepts("verbosity") {
		e.Lost("verbosity", body.Warns)
		verbosity = ""
	}
	return formatted, verbosity
}

// text writes what the answer's text should be like.
func (e *encoder) text() {
	formatted, verbosity := e.textMembers()
	if !formatted && verbosity == "" || !e.Field("text", body.Refuses) {
		return
	}
	e.Raw("{")
	if formatted {
		e.Out = appendFormat(append(e.Out, `"format":`...), e.AnswerSchema(e.Req.ResponseFormat))
	}
	if verbosity != "" {
		e.Key("verbosity")
		e.Str(verbosity)
	}
	e.Raw("}")
}

// appendFormat appends the form of an answer's text, which requests and answers have alike.
func appendFormat(out []byte, f *chat.ResponseFormat) []byte {
	switch {
	case f == nil || f.Kind == "" || f.Kind == chat.FormatText:
		return append(out, `{"type":"text"}`...)
	case f.Kind == chat.FormatJSON:
		return append(out, `{"type":"json_object"}`...)
	}
	out = append(out, `{"type":"json_schema",`...)
	return append(body.AppendSchema(out, f), '}')
}

func (e *encoder) maxOutput() { e.FieldInt("max_output_tokens", e.leastOutput(e.MaxTokens())) }

// leastOutput is the wanted limit of the answer's length, raised to what the dialect takes.
func (e *encoder) leastOutput(wanted *int64) *int64 {
	if wanted != nil && *wanted < minOutput {
		e.Warn("max_output_tokens is at least %d at %s: raised from %d", minOutput, e.Provider(), *wanted)
		least := int64(minOutput)
		return &least
	}
	return wanted
}

func (e *encoder) sampling() {
	r := e.Req
	e.FieldFloat("temperature", r.Temperature)
	e.FieldFloat("top_p", r.TopP)
	e.FieldInt("top_logprobs", r.TopLogprobs)
	e.OneAnswer()
	for _, f := range [...]struct {
		name string
		said bool
	}{
		{"top_k", r.TopK != nil}, {"stop", len(r.Stop) > 0}, {"seed", r.Seed != nil}, {"frequency_penalty", r.FrequencyPenalty != nil},
		{"presence_penalty", r.PresencePenalty != nil}, {"logit_bias", len(r.LogitBias) > 0},
	} {
		if f.said {
			e.Warn("%s is not supported by %s in its Responses interface: dropped", f.name, e.Provider())
		}
	}
}

func (e *encoder) reasoning() {
	r := e.Req.Reasoning
	summary := ""
	if r != nil && !r.Hide && e.steers() {
		summary = r.Summary
	}
	if e.Effort == "" && summary == "" || !e.Field("reasoning", body.Warns) {
		return
	}
	e.Raw("{")
	e.Optional(`"effort":`, e.Effort)
	if summary != "" {
		e.Key("summary")
		e.Str(summary)
	}
	e.Raw("}")
}

// What an answer does not have by itself and include asks for.
const (
	includeReasoning = "reasoning.encrypted_content"
	includeLogprobs  = "message.output_text.logprobs"
)

// reasons says whether the model does, as far as is known. One that does not refuses to be asked for
// encrypted reasoning ("Encrypted content is not supported with this model").
func (e *encoder) reasons() bool {
	r := e.Req.Reasoning
	return len(e.Model.Efforts) > 0 || r != nil && e.steers() && (e.Effort != "" || r.Summary != "")
}

// asksLogprobs says whether probabilities are wanted and can be had.
func (e *encoder) asksLogprobs() bool {
	if l := e.Req.Logprobs; l == nil || !*l {
		return false
	}
	if !e.Accepts("logprobs") {
		e.Lost("logprobs", body.Warns)
		return false
	}
	return true
}

func (e *encoder) include() {
	var wanted []string
	if e.reasons() {
		wanted = append(wanted, includeReasoning)
	}
	if e.asksLogprobs() {
		wanted = append(wanted, includeLogprobs)
	}
	if len(wanted) == 0 || !e.Field("include", body.Warns) {
		return
	}
	e.Out = jsonx.AppendStrings(e.Out, wanted)
}

func (e *encoder) tool(t *chat.Tool) {
	switch kind := body.TypeOf(t); {
	case kind == "function":
		e.Out = appendFunction(e.Out, e.Function(t))
	case kind == "custom":
		e.Out = body.AppendCustom(e.Out, t.Raw, body.CustomFlat)
	case t.Origin == string(Name):
		e.Out = jsonx.AppendCompact(e.Out, t.Raw)
	case t.Hosted != nil && e.hosted(t.Hosted):
	default:
		e.RefuseTool(t, "the tool %q of type %q cannot be sent to %s", t.Name, kind, e.Provider())
	}
}

// appendFunction appends a function, which requests and answers have alike. Without the
// member strict OpenAI would make it true where it can, which no other dialect does.
func appendFunction(out []byte, t *chat.Tool) []byte {
	function := *t
	if function.Strict == nil {
		function.Strict = new(bool)
	}
	out = append(out, `{"type":"function",`...)
	return append(body.AppendFunction(out, &function), '}')
}

func (e *encoder) toolChoice(c *chat.ToolChoice) { e.Out = appendChoice(e.Out, c, e.Req.Tools) }

// appendChoice appends which tool to call, which requests and answers have alike.
func appendChoice(out []byte, c *chat.ToolChoice, tools []chat.Tool) []byte {
	if c == nil || c.Mode == "" {
		return append(out, `"auto"`...)
	}
	if c.Mode != chat.ToolNamed {
		return jsonx.AppendString(out, string(c.Mode))
	}
	kind := "function"
	if t := body.Named(tools, c.Name); t != nil {
		if kind = body.TypeOf(t); t.Hosted != nil && t.Origin != string(Name) {
			kind = hostedType(t.Hosted)
		}
	}
	out = body.AppendMember(out, `{"type":`, kind)
	if kind == "function" || kind == "custom" {
		out = body.AppendMember(out, `,"name":`, c.Name)
	}
	return append(out, '}')
}
