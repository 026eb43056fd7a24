package responses

import (
	"bytes"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// NewStreamPassthrough returns what changes nothing but the framing, and ids of calls that come twice: other servers
// than OpenAI's repeat them.
func (Client) NewStreamPassthrough(req *chat.Request) dialect.StreamPassthrough {
	return &streamPassthrough{calls: callIDs{ids: turns.NewIDs(req)}}
}

type streamPassthrough struct {
	calls callIDs
	doc   jsonx.Doc
}

// Append appends the event. A call is in three: when its item begins, when it ends, and when the answer ends.
func (p *streamPassthrough) Append(out []byte, name string, data []byte) []byte {
	if bytes.Contains(data, callIDMember) && p.doc.Parse(data, jsonx.Lenient) == nil {
		root := p.doc.Root()
		if item := root.Get("item"); item.Kind() == jsonx.Object {
			index, _ := root.Get("output_index").Int64()
			if fitting, changed := p.calls.fit(item, index); changed {
				data = body.With(root, "item", fitting)
			}
		} else if response := root.Get("response"); response.Kind() == jsonx.Object {
			if fitting, changed := p.calls.fitOutput(response); changed {
				data = body.With(root, "response", fitting)
			}
		}
	}
	return sse.AppendEvent(out, name, data)
}

var callIDMember = []byte(`"call_id"`)

// DistinctCallIDs returns the answer with other ids where a call has that of another one.
func (Client) DistinctCallIDs(answer []byte, req *chat.Request) []byte {
	root, err := jsonx.Parse(answer, jsonx.Lenient)
	if err != nil {
		return answer
	}
	calls := callIDs{ids: turns.NewIDs(req)}
	if fitting, changed := calls.fitOutput(root); changed {
		return fitting
	}
	return answer
}

// callIDs knows the calls of an answer by the positions of their items.
type callIDs struct {
	ids   *turns.IDs
	items map[int64]renamed
	last  map[string]string // the caller's id of the last call with an id of the provider
}

// renamed is the id of a call as the provider sends it, and as the caller gets it.
type renamed struct{ sent, got string }

// fit returns the item at the position with a call's id of its own, and reports whether that is another one.
func (c *callIDs) fit(item jsonx.Value, at int64) (fitting []byte, changed bool) {
	sent := item.Get("call_id").Str()
	if sent == "" {
		return item.Raw(), false
	}
	got := c.last[sent] // of a call's result
	if strings.HasSuffix(item.Get("type").Str(), "_call") {
		known, ok := c.items[at]
		if !ok || known.sent != sent {
			known = renamed{sent, c.ids.Next(sent)}
			if c.items == nil {
				c.items, c.last = map[int64]renamed{}, map[string]string{}
			}
			c.items[at], c.last[sent] = known, known.got
		}
		got = known.got
	}
	if got == "" || got == sent {
		return item.Raw(), false
	}
	return body.With(item, "call_id", jsonx.AppendString(nil, got)), true
}

// fitOutput does so with the items of a whole response.
func (c *callIDs) fitOutput(response jsonx.Value) (fitting []byte, changed bool) {
	at := int64(-1)
	output := body.EditElements(response.Get("output"), func(item jsonx.Value) []byte {
		at++
		fitting, other := c.fit(item, at)
		changed = changed || other
		return fitting
	})
	if !changed {
		return response.Raw(), false
	}
	return body.With(response, "output", output), true
}
