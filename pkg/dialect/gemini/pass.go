package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// PassRequest edits serviceTier and generationConfig where the rules force it; the model is in the path. Contents and
// instructions are written anew if the rules force something within them, or if they hold reasoning of another
// provider's. What the rules force within schemas cannot be done to the bytes. Data comes back itself if nothing
// is to be changed.
func (c Client) PassRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object {
		return dialect.Encoded{}, false
	}
	p := passer{encoder: newEncoder(req, c.rules())}
	if p.subset() && p.demandsSchema(root) {
		return dialect.Encoded{}, false
	}
	p.edit = p.Edits(root)
	for m := root.First(); m.Exists(); m = m.Next() {
		if m.Given() {
			p.member(m)
		}
	}
	if len(changed) > 0 || !p.conversationPasses(root) {
		p.converse(root)
	}
	return p.edit.Encoded(pathOf(req), data)
}

// NewStreamPasser returns what hands on events as they came, but for a new framing. For callers who stream
// without alt=sse the encoder makes an array of them (Follow).
func (Client) NewStreamPasser(*chat.Request) dialect.StreamPasser { return body.AsItCame{} }

// A passer edits one body. It asks the encoder what the rules want.
type passer struct {
	encoder
	edit body.Edits
}

// conversationPasses says whether contents and instructions can stay as they are.
func (p *passer) conversationPasses(root jsonx.Value) bool {
	if find(root, "systemInstruction").Given() && p.Model.Instructions == InstructionsInTurn {
		return false
	}
	return p.callsSigned() && every(find(root, "contents"), p.turnPasses)
}

// converse writes contents and instructions anew.
func (p *passer) converse(root jsonx.Value) {
	p.KeepForeign("contents", "systemInstruction", "system_instruction")
	written := p.Apart(func() { p.contents(p.instructions()) })
	for _, name := range [...]string{"systemInstruction", "contents"} {
		if old := find(root, name); old.Exists() {
			p.edit.Rename(string(old.Key()), name)
		}
		p.edit.Replace(written, name)
	}
}

// member edits one member.
func (p *passer) member(m jsonx.Value) {
	key := string(m.Key())
	switch camel(m) {
	case "model":
		if name := nameOf(p.Req.Model); !m.Is(name) {
			p.edit.Set(key, jsonx.AppendString(nil, name))
		}
	case "serviceTier":
		if !p.accepts("serviceTier") {
			p.edit.Drop(key)
		}
	case "generationConfig":
		p.config(key, m)
	}
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

// every says whether all elements of an array are such. A single object stands for an array of one.
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

// demandsSchema says whether a schema is in the form that models take which take JSON schema.
func (p *passer) demandsSchema(root jsonx.Value) bool {
	config := find(root, "generationConfig")
	for _, name := range [...]string{"responseJsonSchema", "_responseJsonSchema", "responseFormat"} {
		if find(config, name).Given() {
			return true
		}
	}
	return !every(find(root, "tools"), func(tool jsonx.Value) bool {
		return every(find(tool, "functionDeclarations"), func(f jsonx.Value) bool { return !find(f, "parametersJsonSchema").Given() })
	})
}

// turnPasses says whether a turn holds no reasoning but Gemini's own, and no media where the model takes none.
func (p *passer) turnPasses(turn jsonx.Value) bool {
	return every(find(turn, "parts"), func(part jsonx.Value) bool {
		if reasoning.IsEnvelope(find(part, "thoughtSignature").Str()) {
			return false
		}
		response := find(part, "functionResponse")
		return p.Model.ResultMedia == ResultMediaInside || find(response, "parts").Len() == 0
	})
}

// callsSigned says whether no call lacks a signature that the model insists on.
func (p *passer) callsSigned() bool {
	if p.Model.Signatures != SignaturesDemanded {
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
