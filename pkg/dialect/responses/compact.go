package responses

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.Compactor = Client{}

// compactPath follows the base URL.
const compactPath = path + "/compact"

// CompactRequest returns the body of POST /responses/compact: the caller's, with the model, and without items that the
// provider did not make (API reference, compact a response). The path has no store: its answer is not kept.
func (c Client) CompactRequest(data []byte, req *chat.Request) (dialect.Encoded, bool) {
	root, ok := body.ParsePassthrough(data)
	if !ok {
		return dialect.Encoded{}, false
	}
	p := passthrough{encoder: newEncoder(req, c.rules()), root: root}
	p.prepare()
	edit := jsonx.NewEdit(root)
	edit.Set("model", jsonx.AppendString(nil, req.Model))
	edit.Drop("store")
	if !inputFits(root.Get("input")) {
		input := p.EncodeObject(func() { // instructions become the first item
			if p.Field("input", body.Refuses) {
				p.input()
			}
		})
		edit.Set("input", input.Get("input").Raw())
		edit.Drop("instructions")
	}
	if p.Err != nil {
		return dialect.Encoded{}, false
	}
	return dialect.Encoded{Path: compactPath, Body: edit.Append(make([]byte, 0, len(data)+64)), Warnings: p.Warnings}, true
}
