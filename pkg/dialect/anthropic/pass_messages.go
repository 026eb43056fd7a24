package anthropic

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// conversation writes the turns anew that changed; if the API would refuse what others hold, it writes all of them, and said is
// what there is to say of that.
func (p *passer) conversation(changed []int, said []string) {
	turns := p.turnsOf(changed)
	if p.turnsPass(turns) {
		if len(turns) > 0 {
			p.edit.Set(p.NameOf("messages"), p.withTurns(turns))
		}
		return
	}
	p.Warnings = append(p.Warnings, said...)
	written := p.Apart(func() {
		p.instructions()
		if p.Field("messages", body.Refuses) {
			p.conversing = true
			p.messages()
			p.conversing = false
		}
	})
	p.edit.Replace(written, p.NameOf("system"), p.NameOf("messages"))
	p.edit.Drop("cache_control") // its mark stands at the last block now
}

// turnsOf are the parts of the messages that changed, by the place of each among the turns of the assistant.
func (p *passer) turnsOf(changed []int) map[int][]chat.Part {
	if len(changed) == 0 {
		return nil
	}
	turns, n := map[int][]chat.Part{}, 0
	for i := range p.Req.Messages {
		if m := &p.Req.Messages[i]; m.Role == chat.Assistant {
			if slices.Contains(changed, i) {
				turns[n] = p.sendable(chat.Assistant, m.Parts)
			}
			n++
		}
	}
	return turns
}

// turnsPass says whether the messages hold nothing that the API would refuse, but for the turns that will be written anew,
// of which something has to be left.
func (p *passer) turnsPass(anew map[int][]chat.Part) bool {
	n := 0
	for m := p.root.Get("messages").First(); m.Exists(); m = m.Next() {
		if m.Get("role").Is("system") && p.Model.SystemTurns == SystemFolded {
			return false
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
		for b := m.Get("content").First(); b.Exists(); b = b.Next() {
			if !blockPasses(b) {
				return false
			}
		}
	}
	return true
}

func blockPasses(b jsonx.Value) bool {
	switch b.Get("type").Str() {
	case "thinking":
		signature := b.Get("signature").Str()
		return signature != "" && !reasoning.IsEnvelope(signature)
	case "tool_use":
		return isToolID(b.Get("id").Str())
	case "tool_result":
		return isToolID(b.Get("tool_use_id").Str())
	case "text":
		for c := b.Get("citations").First(); c.Exists(); c = c.Next() {
			if c.Get("type").Is("web_search_result_location") && c.Get("encrypted_index").Empty() {
				return false
			}
		}
	}
	return true
}

// withTurns are the caller's messages with other contents of those turns of the assistant.
func (p *passer) withTurns(anew map[int][]chat.Part) []byte {
	out, n := []byte("["), 0
	for m := p.root.Get("messages").First(); m.Exists(); m = m.Next() {
		if len(out) > 1 {
			out = append(out, ',')
		}
		parts, changed := anew[n]
		if !m.Get("role").Is("assistant") {
			changed = false
		} else {
			n++
		}
		if !changed {
			out = append(out, m.Raw()...)
			continue
		}
		blocks := p.Apart(func() {
			p.Raw(`"content":[`)
			p.blocks(chat.Assistant, 0, parts)
			p.Raw("]")
		})
		edit := jsonx.NewEdit(m)
		edit.Set("content", blocks.Get("content").Raw())
		out = edit.Append(out)
	}
	return append(out, ']')
}
