package openai

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A UsageFilter removes the usage from the chunks of a stream whose client did not ask for it,
// as the gateway always does. Its zero value is ready, for one stream.
type UsageFilter struct {
	doc jsonx.Doc
	buf []byte
}

// Action says what to do with a chunk.
type Action uint8

// The actions.
const (
	Keep    Action = iota // unchanged
	Drop                  // the chunk has only the usage
	Replace               // with the data returned
)

// Chunk reads the data of one server-sent event. It drops a chunk without choices that has the
// usage. From another chunk it removes the member usage, null or not, and changes no other byte.
// The replacement is valid until the next call. Data that is no chunk, such as an error or [DONE], is kept.
func (f *UsageFilter) Chunk(data []byte) ([]byte, Action) {
	if !bytes.Contains(data, []byte(`"usage"`)) || f.doc.Parse(data, jsonx.Lenient) != nil {
		return data, Keep
	}
	root := f.doc.Root()
	usage, choices := root.Get("usage"), root.Get("choices")
	switch {
	case !usage.Exists():
		return data, Keep // the word is in a text, or in x_groq, which needs no asking
	case usage.Given() && choices.Kind() == jsonx.Array && choices.Len() == 0 && !body.HasError(root.Get("error")):
		return nil, Drop
	}
	e := jsonx.NewEdit(root)
	e.Drop("usage")
	f.buf = e.Append(f.buf[:0])
	return f.buf, Replace
}
