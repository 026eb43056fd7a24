package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// reasoningItem reads a reasoning item: each of its texts becomes a part, and the last has the encrypted content.
// An id that the gateway made is left out, as no provider knows it.
func (d *decoder) reasoningItem(v jsonx.Value) {
	id := ""
	if i := v.Get("id"); i.Given() && !made(d.Str(i)) {
		id = i.Str()
	}
	parts := d.reasoningTexts(nil, v.Get("summary"), id, summaryText)
	parts = d.reasoningTexts(parts, v.Get("content"), id, reasoningText)
	encrypted := v.Get("encrypted_content")
	switch {
	case !encrypted.Given() || encrypted.Kind() == jsonx.String && encrypted.Empty():
	case reasoning.IsEnvelope(d.Str(encrypted)):
		parts = d.openEnvelope(encrypted, parts)
	default:
		if len(parts) == 0 {
			parts = []chat.Part{{Kind: chat.Reason, State: &chat.ReasoningState{ID: id}}}
		}
		last := &parts[len(parts)-1]
		state := stateOrZero(last.State)
		state.Encrypted = encrypted.Str()
		last.State = &state
	}
	d.addReasoning(parts)
}

// openEnvelope gives the state in an envelope to the call, the earlier reasoning or the last of the item's parts
// that it belongs to, and returns the parts.
func (d *decoder) openEnvelope(v jsonx.Value, parts []chat.Part) []chat.Part {
	e, err := reasoning.Decode(v.Str())
	switch {
	case err != nil:
		d.Add(v, "this is damaged: send the item back as it came, or leave it out")
	case e.Call != "":
		d.SignCall(e.Call, e.State.Signature)
	case e.Late && d.addLateState(&e.State):
	default:
		if len(parts) == 0 {
			parts = []chat.Part{{Kind: chat.Reason}}
		}
		parts[len(parts)-1].State = &e.State
	}
	return parts
}

func (d *decoder) addReasoning(parts []chat.Part) {
	if len(parts) > 0 {
		d.message(chat.Assistant, parts)
	}
}

// reasoningTexts reads the texts of a summary or of the content.
func (d *decoder) reasoningTexts(parts []chat.Part, v jsonx.Value, id string, kind contentKind) []chat.Part {
	if !v.Given() {
		return parts
	}
	index := 0
	d.Array(v, func(e jsonx.Value) {
		p := chat.Part{Kind: chat.Reason}
		if e.Kind() != jsonx.Object {
			d.Expected(e, "an object")
		} else if d.Has(e, "text") {
			p.Text = d.Str(e.Get("text"))
		}
		if s := (chat.ReasoningState{ID: id, Index: index, Summary: kind == summaryText}); s != (chat.ReasoningState{}) {
			p.State = &s
		}
		index++
		parts = append(parts, p)
	})
	return parts
}

// addLateState adds the state to the last reasoning of the turn; false if there is none.
func (d *decoder) addLateState(state *chat.ReasoningState) bool {
	n := len(d.req.Messages)
	if n == 0 || d.req.Messages[n-1].Role != chat.Assistant {
		return false
	}
	parts := d.req.Messages[n-1].Parts
	for i := len(parts) - 1; i >= 0; i-- {
		p := &parts[i]
		if p.Kind != chat.Reason {
			continue
		}
		p.State = p.State.Merge(state)
		return true
	}
	return false
}
