package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// reasoned reads an item of reasoning: each of its texts is a part, and the last has what the
// provider wants back. An id that the gateway made up is no provider's business.
func (d *decoder) reasoned(v jsonx.Value) {
	id := ""
	if i := v.Get("id"); i.Given() && !made(d.Str(i)) {
		id = i.Str()
	}
	parts := d.thoughts(nil, v.Get("summary"), id, summaryText)
	parts = d.thoughts(parts, v.Get("content"), id, reasoningText)
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
		if last.State == nil {
			last.State = new(chat.ReasoningState)
		}
		last.State.Encrypted = encrypted.Str()
	}
	d.think(parts)
}

// openEnvelope gives the state in an envelope to what it belongs to: a call, the reasoning of an earlier item, or the last of
// the parts of its own item, which it returns.
func (d *decoder) openEnvelope(v jsonx.Value, parts []chat.Part) []chat.Part {
	e, err := reasoning.Decode(v.Str())
	switch {
	case err != nil:
		d.Add(v, "this is damaged: send the item back as it came, or leave it out")
	case e.Call != "":
		d.SignCall(e.Call, e.State.Signature)
	case e.Late && d.late(&e.State):
	default:
		if len(parts) == 0 {
			parts = []chat.Part{{Kind: chat.Reason}}
		}
		parts[len(parts)-1].State = &e.State
	}
	return parts
}

func (d *decoder) think(parts []chat.Part) {
	if len(parts) > 0 {
		d.message(chat.Assistant, parts)
	}
}

// thoughts reads the texts of a summary or of the content.
func (d *decoder) thoughts(parts []chat.Part, v jsonx.Value, id string, kind contentKind) []chat.Part {
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

// late adds the state, which came after it, to the reasoning of the turn so far; false if there is none.
func (d *decoder) late(state *chat.ReasoningState) bool {
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
		if p.State == nil {
			p.State = new(chat.ReasoningState)
		}
		p.State.Merge(state)
		return true
	}
	return false
}
