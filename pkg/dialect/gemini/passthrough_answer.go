package gemini

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// NewStreamPassthrough returns what changes nothing but the framing, and ids of calls that come twice. For callers who
// stream without alt=sse AppendPassthrough makes an array of the events.
func (Client) NewStreamPassthrough(req *chat.Request) dialect.StreamPassthrough {
	return &streamPassthrough{calls: callIDs{ids: turns.NewIDs(req)}}
}

type streamPassthrough struct {
	calls callIDs
	doc   jsonx.Doc
}

// Append appends the event.
func (p *streamPassthrough) Append(out []byte, name string, data []byte) []byte {
	if bytes.Contains(data, callMember) && p.doc.Parse(data, jsonx.Lenient) == nil {
		data = p.calls.fit(data, p.doc.Root())
	}
	return sse.AppendEvent(out, name, data)
}

var callMember = []byte(`"functionCall"`)

// DistinctCallIDs returns the answer with other ids where a call has that of another one.
func (Client) DistinctCallIDs(answer []byte, req *chat.Request) []byte {
	root, err := jsonx.Parse(answer, jsonx.Lenient)
	if err != nil {
		return answer
	}
	calls := callIDs{ids: turns.NewIDs(req)}
	return calls.fit(answer, root)
}

type callIDs struct {
	ids  *turns.IDs
	last map[string]string // the caller's id of the last call with an id of the provider
}

// fit returns the data, which root is parsed from, with ids of their own for its calls.
func (c *callIDs) fit(data []byte, root jsonx.Value) []byte {
	changed := false
	candidates := body.EditElements(root.Get("candidates"), func(candidate jsonx.Value) []byte {
		content := candidate.Get("content")
		parts := body.EditElements(content.Get("parts"), func(part jsonx.Value) []byte {
			call := part.Get("functionCall")
			sent := call.Get("id").Str()
			if sent == "" {
				return part.Raw()
			}
			got, begun := c.last[sent]
			if !begun || !call.Get("name").Empty() { // a further piece of a call has no name
				got = c.ids.Next(sent)
				if c.last == nil {
					c.last = map[string]string{}
				}
				c.last[sent] = got
			}
			if got == sent {
				return part.Raw()
			}
			changed = true
			return body.With(part, "functionCall", body.With(call, "id", jsonx.AppendString(nil, got)))
		})
		if parts == nil {
			return candidate.Raw()
		}
		return body.With(candidate, "content", body.With(content, "parts", parts))
	})
	if !changed {
		return data
	}
	return body.With(root, "candidates", candidates)
}
