package anthropic

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// NewStreamPassthrough returns what changes nothing but the framing, and ids of calls that come twice: other servers
// than Anthropic's repeat them.
func (Client) NewStreamPassthrough(req *chat.Request) dialect.StreamPassthrough {
	return &streamPassthrough{ids: turns.NewIDs(req)}
}

type streamPassthrough struct {
	ids *turns.IDs
	doc jsonx.Doc
}

// Append appends the event.
func (p *streamPassthrough) Append(out []byte, name string, data []byte) []byte {
	if bytes.Contains(data, toolUse) && p.doc.Parse(data, jsonx.Lenient) == nil {
		root := p.doc.Root()
		block := root.Get("content_block")
		if fitting, changed := distinct(block, p.ids); changed {
			data = body.With(root, "content_block", fitting)
		}
	}
	return sse.AppendEvent(out, name, data)
}

var toolUse = []byte(`"tool_use"`)

// distinct returns a block with an id of its own, and reports whether it is a call with another one.
func distinct(block jsonx.Value, ids *turns.IDs) (fitting []byte, changed bool) {
	if !block.Get("type").Is("tool_use") {
		return block.Raw(), false
	}
	id := block.Get("id").Str()
	other := ids.Next(id)
	if other == id {
		return block.Raw(), false
	}
	return body.With(block, "id", jsonx.AppendString(nil, other)), true
}

// DistinctCallIDs returns the answer with other ids where a call has that of another one.
func (Client) DistinctCallIDs(answer []byte, req *chat.Request) []byte {
	root, err := jsonx.Parse(answer, jsonx.Lenient)
	if err != nil {
		return answer
	}
	ids, any := turns.NewIDs(req), false
	content := body.EditElements(root.Get("content"), func(block jsonx.Value) []byte {
		fitting, changed := distinct(block, ids)
		any = any || changed
		return fitting
	})
	if !any {
		return answer
	}
	return body.With(root, "content", content)
}
