package openai

import (
	"bytes"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// NewStreamPassthrough removes the usage if the gateway alone asked for it, and gives calls ids of their own.
func (c Client) NewStreamPassthrough(req *chat.Request) dialect.StreamPassthrough {
	return &streamPassthrough{req: req, filters: !req.StreamUsage && c.rules().AsksStreamUsage}
}

type streamPassthrough struct {
	req     *chat.Request
	filters bool
	filter  UsageFilter
	ids     *turns.IDs // nil until a call comes
	calls   map[[2]int64]renamed
	doc     jsonx.Doc
}

// renamed is the id of a call as the provider sends it, and as the client gets it.
type renamed struct{ sent, got string }

// Append appends the event, unless it has nothing for the client.
func (p *streamPassthrough) Append(out []byte, name string, data []byte) []byte {
	if p.filters {
		var action Action
		if data, action = p.filter.Chunk(data); action == Drop {
			return out
		}
	}
	if bytes.Contains(data, toolCallsMember) && p.doc.Parse(data, jsonx.Lenient) == nil {
		if p.ids == nil {
			p.ids, p.calls = turns.NewIDs(p.req), map[[2]int64]renamed{}
		}
		data = editCalls(data, p.doc.Root(), "delta", p.idOf)
	}
	return sse.AppendEvent(out, name, data)
}

var toolCallsMember = []byte(`"tool_calls"`)

// idOf returns the client's id of a call. A provider that repeats the id in each chunk means the same call.
func (p *streamPassthrough) idOf(choice, index int64, id string) string {
	at := [2]int64{choice, index}
	if known, ok := p.calls[at]; ok && known.sent == id {
		return known.got
	}
	p.calls[at] = renamed{id, p.ids.Next(id)}
	return p.calls[at].got
}

// DistinctCallIDs returns the answer with other ids where a call has that of another one.
func (Client) DistinctCallIDs(answer []byte, req *chat.Request) []byte {
	root, err := jsonx.Parse(answer, jsonx.Lenient)
	if err != nil {
		return answer
	}
	ids := turns.NewIDs(req)
	return editCalls(answer, root, "message", func(_, _ int64, id string) string { return ids.Next(id) })
}

// CompleteAnswer adds a system_fingerprint of null where there is none, without which OpenRouter's SDK refuses an answer.
// In a text its quotes would be escaped, so that the bytes are found as a member alone.
func (Client) CompleteAnswer(answer []byte) []byte {
	end := bytes.LastIndexByte(answer, '}')
	if end < 0 || bytes.Contains(answer, []byte(`"system_fingerprint"`)) || bytes.TrimSpace(answer)[0] != '{' {
		return answer
	}
	return slices.Concat(answer[:end], []byte(`,"system_fingerprint":null`), answer[end:])
}

// editCalls returns the data, which root is parsed from, with the ids that idOf gives the calls of each choice's member.
func editCalls(data []byte, root jsonx.Value, member string, idOf func(choice, index int64, id string) string) []byte {
	changed := false
	choices := body.EditElements(root.Get("choices"), func(c jsonx.Value) []byte {
		number, _ := c.Get("index").Int64()
		position := int64(0)
		calls := body.EditElements(c.Get(member).Get("tool_calls"), func(t jsonx.Value) []byte {
			index, ok := t.Get("index").Int64()
			if !ok {
				index = position
			}
			position++
			id := t.Get("id").Str()
			if id == "" {
				return t.Raw()
			}
			fitting := idOf(number, index, id)
			if fitting == id {
				return t.Raw()
			}
			changed = true
			return body.With(t, "id", jsonx.AppendString(nil, fitting))
		})
		if calls == nil {
			return c.Raw()
		}
		return body.With(c, member, body.With(c.Get(member), "tool_calls", calls))
	})
	if !changed {
		return data
	}
	return body.With(root, "choices", choices)
}
