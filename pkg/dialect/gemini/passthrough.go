package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var members = body.Members{
	"model": {Compare: body.Replaced},
	"generationConfig": {Compare: body.Replaced, Fields: true, Members: body.Members{
		"maxOutputTokens":  {Compare: body.Replaced, Equal: equalInts},
		"temperature":      {Compare: body.Replaced},
		"topP":             {Compare: body.Replaced},
		"presencePenalty":  {Compare: body.Replaced},
		"frequencyPenalty": {Compare: body.Replaced},
		"candidateCount":   {Compare: body.Replaced},
		"stopSequences":    {Compare: body.Replaced},
		"responseMimeType": {Loss: body.Silent},
		"thinkingConfig": {Compare: body.Exact, Members: body.Members{
			"thinkingLevel":  {Compare: body.Exact, Equal: equalLevel},
			"thinkingBudget": {Compare: body.Exact},
		}},
	}},
}

func equalLevel(caller, encoded jsonx.Value) bool {
	return strings.EqualFold(caller.Str(), encoded.Str())
}

// PassthroughRequest encodes contents and instructions anew if the model takes them otherwise, or if they hold
// reasoning of another provider. It does not pass schemas that the model takes in another form.
func (c Client) PassthroughRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, ok := body.ParsePassthrough(data)
	if !ok {
		return dialect.Encoded{}, false
	}
	p := passthrough{encoder: newEncoder(req, c.rules()), root: root}
	if p.subset() && p.demandsSchema() {
		return dialect.Encoded{}, false
	}
	t := body.Passthrough{Members: members, Spelling: camel, Encode: p.settings}
	same := form
	same.Same, same.TextFiles = true, true
	if _, mended := turns.Fit(&p.Writer, same); mended || len(changed) > 0 || !p.conversationFits() {
		t.Anew(func() {
			p.RefuseForeignIn("contents", "systemInstruction", "system_instruction")
			p.contents(p.instructions())
		}, "systemInstruction", "contents")
	}
	return p.Passthrough(pathOf(req), data, root, &t)
}

// equalInts compares integers, which proto JSON may write as strings.
func equalInts(x, y jsonx.Value) bool { return x.Str() == string(y.Raw()) || jsonx.Equal(x, y) }

type passthrough struct {
	encoder
	root jsonx.Value
}

// settings writes the members that are compared. The path has the model, which the body may have, too.
func (p *passthrough) settings() {
	if find(p.root, "model").Given() {
		p.Key("model")
		p.Str(nameOf(p.Req.Model))
	}
	config := find(p.root, "generationConfig")
	r := p.Req
	if !config.Given() && r.MaxTokens == nil {
		return
	}
	p.Key("generationConfig")
	p.Raw("{")
	p.FieldInt("maxOutputTokens", r.MaxTokens)
	p.FieldFloat("temperature", r.Temperature)
	p.FieldFloat("topP", r.TopP)
	p.stops()
	p.choices()
	p.FieldFloat("presencePenalty", r.PresencePenalty)
	p.FieldFloat("frequencyPenalty", r.FrequencyPenalty)
	if f := r.ResponseFormat; f != nil && f.Kind != chat.FormatText && find(config, "responseMimeType").Given() && !p.Accepts("responseMimeType") {
		p.Lost("responseMimeType", body.Refuses)
	}
	p.thinkingOf(find(config, "thinkingConfig"))
	p.Raw("}")
}

// thinkingOf writes how much to think; thinkingConfig as it came if it says nothing of that.
func (p *passthrough) thinkingOf(caller jsonx.Value) {
	r := p.Req.Reasoning
	if r == nil || !p.thinks(r) || !p.Field("thinkingConfig", body.Warns) {
		return
	}
	p.Raw("{")
	if r.Effort != "" || r.Budget != nil {
		p.thinkingAmount(r)
	} else {
		for m := caller.First(); m.Exists(); m = m.Next() {
			p.Key(camel(m))
			p.Out = append(p.Out, m.Raw()...)
		}
	}
	p.Raw("}")
}

// conversationFits reports whether contents and instructions can stay as they are.
func (p *passthrough) conversationFits() bool {
	if find(p.root, "systemInstruction").Given() && p.Model.InstructionsInTurn {
		return false
	}
	return p.callsSigned() && every(find(p.root, "contents"), p.turnFits)
}

// find is the object's member of that name, in camel or in snake case.
func find(object jsonx.Value, name string) (found jsonx.Value) {
	for m := object.First(); m.Exists(); m = m.Next() {
		if camel(m) == name {
			found = m
		}
	}
	return found
}

// every reports whether all elements of an array are such. A single object stands for an array of one.
func every(list jsonx.Value, such func(jsonx.Value) bool) bool {
	if list.Kind() == jsonx.Object {
		return such(list)
	}
	for e := list.First(); e.Exists(); e = e.Next() {
		if !such(e) {
			return false
		}
	}
	return true
}

// demandsSchema reports whether a schema is in the form that models take which take JSON schema.
func (p *passthrough) demandsSchema() bool {
	config := find(p.root, "generationConfig")
	for _, name := range [...]string{"responseJsonSchema", "_responseJsonSchema", "responseFormat"} {
		if find(config, name).Given() {
			return true
		}
	}
	return !every(find(p.root, "tools"), func(tool jsonx.Value) bool {
		return every(find(tool, "functionDeclarations"), func(f jsonx.Value) bool { return !find(f, "parametersJsonSchema").Given() })
	})
}

// turnFits reports whether a turn holds no reasoning but Gemini's own, and no media where the model takes none.
func (p *passthrough) turnFits(turn jsonx.Value) bool {
	return every(find(turn, "parts"), func(part jsonx.Value) bool {
		if reasoning.IsEnvelope(find(part, "thoughtSignature").Str()) {
			return false
		}
		response := find(part, "functionResponse")
		return p.Model.ResultMediaInside || find(response, "parts").Len() == 0
	})
}

// callsSigned reports whether no call lacks a signature that the model insists on.
func (p *passthrough) callsSigned() bool {
	if !p.Model.DemandsSignatures {
		return true
	}
	messages := p.Req.Messages
	for i := lastAsked(messages) + 1; i < len(messages); i++ {
		for j := range messages[i].Parts {
			if c := messages[i].Parts[j].ToolCall; c != nil {
				if c.Signature == "" {
					return false
				}
				break // the next calls of a turn need none
			}
		}
	}
	return true
}
