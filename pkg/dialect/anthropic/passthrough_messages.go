package anthropic

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// conversation encodes the turns anew that changed, and all of them if the API would refuse what others hold.
func (p *passthrough) conversation(t *body.Passthrough, anew map[int][]chat.Part) {
	continues := p.endsWithAssistant()
	switch {
	case p.mended || !p.turnsFit(anew): // the mark of cache_control then stands at the last block
		t.Anew(func() {
			p.RefuseForeignIn("messages", "system")
			p.Warnings = append(p.Warnings, p.arrangeWarnings...)
			p.instructions()
			if continues {
				p.askToContinue()
			}
			p.fieldMessages()
		}, "system", "messages", "cache_control")
	case len(anew) > 0 || continues:
		t.Anew(func() {
			if p.Field("messages", body.Refuses) {
				p.withTurns(anew, continues)
			}
		}, "messages")
	}
}

// turnsOf returns the parts of the messages that changed, by their number among the turns of the assistant.
func (p *passthrough) turnsOf(changed []int) map[int][]chat.Part {
	if len(changed) == 0 {
		return nil
	}
	out, n := map[int][]chat.Part{}, 0
	for i := range p.Req.Messages {
		if m := &p.Req.Messages[i]; m.Role == chat.Assistant {
			if _, differs := slices.BinarySearch(changed, i); differs {
				out[n] = p.sendable(chat.Assistant, m.Parts)
			}
			n++
		}
	}
	return out
}

// turnsFit reports whether the messages hold nothing that the API would refuse, and the turns that are encoded anew are
// not empty.
func (p *passthrough) turnsFit(anew map[int][]chat.Part) bool {
	n := 0
	before := jsonx.Value{} // the role of the message before
	for m := p.root.Get("messages").First(); m.Exists(); m = m.Next() {
		role := m.Get("role")
		switch {
		case role.Is("system") && (p.Model.FoldsSystemTurns || !before.Is("user")), role.Is("assistant") && !before.Exists():
			return false
		}
		before = role
		if content := m.Get("content"); content.Len() == 0 && body.Blank(content.Str()) {
			return false // "all messages must have non-empty content"
		}
		if m.Get("role").Is("assistant") {
			n++
			if parts, ok := anew[n-1]; ok {
				if len(parts) == 0 {
					return false
				}
				continue
			}
		}
		others := false
		thought := false // the last block is thinking
		for b := m.Get("content").First(); b.Exists(); b = b.Next() {
			result := b.Get("type").Is("tool_result")
			if !blockFits(b) || result && others { // results come first
				return false
			}
			others = others || !result
			thought = b.Get("type").Is("thinking") || b.Get("type").Is("redacted_thinking")
		}
		if thought {
			return false
		}
	}
	return true
}

func blockFits(b jsonx.Value) bool {
	switch b.Get("type").Str() {
	case "thinking":
		signature := b.Get("signature").Str()
		return signature != "" && !reasoning.IsEnvelope(signature)
	case "tool_result":
		content := b.Get("content")
		return !content.Given() || body.IsContent(content)
	case "text":
		if body.Blank(b.Get("text").Str()) {
			return false // "text content blocks must be non-empty"
		}
		for c := b.Get("citations").First(); c.Exists(); c = c.Next() {
			if c.Get("type").Is("web_search_result_location") && c.Get("encrypted_index").Empty() {
				return false
			}
		}
	}
	return true
}

// withTurns writes the caller's messages with other contents of those turns of the assistant, and asks the model to
// continue the last one.
func (p *passthrough) withTurns(anew map[int][]chat.Part, continues bool) {
	p.Raw("[")
	n := 0
	for m := p.root.Get("messages").First(); m.Exists(); m = m.Next() {
		p.Comma()
		parts, changed := anew[n]
		if !m.Get("role").Is("assistant") {
			changed = false
		} else {
			n++
		}
		if !changed {
			p.Out = append(p.Out, m.Raw()...)
			continue
		}
		blocks := p.EncodeObject(func() {
			p.Raw(`"content":[`)
			p.blocks(chat.Assistant, parts)
			p.Raw("]")
		})
		edit := jsonx.NewEdit(m)
		edit.Set("content", blocks.Get("content").Raw())
		p.Out = edit.Append(p.Out)
	}
	if continues {
		p.WarnContinued()
		p.Member(`,{"role":"user","content":`, turns.Continue)
		p.Raw("}")
	}
	p.Raw("]")
}
