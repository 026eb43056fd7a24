package openai

import (
	"bytes"

	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A Withholder takes the usage out of the chunks of a stream that passes to a caller who did not
// ask for it, though the gateway did. Its zero value is ready, for one stream.
type Withholder struct {
	doc jsonx.Doc
	buf []byte
}

// Verdict says what becomes of a chunk.
type Verdict uint8

// The verdicts.
const (
	Pass    Verdict = iota // as it is
	Drop                   // it has nothing but the usage
	Replace                // by what came with the verdict
)

// Chunk looks at the data of one server-sent event. A chunk without choices is dropped for its
// usage; of another the member usage is taken out, null or not, and no other byte changes.
// What replaces it is valid until the next call. What is no chunk passes: errors, [DONE].
func (w *Withholder) Chunk(data []byte) ([]byte, Verdict) {
	if !bytes.Contains(data, []byte(`"usage"`)) || w.doc.Parse(data, jsonx.Lenient) != nil {
		return data, Pass
	}
	root := w.doc.Root()
	usage, choices := root.Get("usage"), root.Get("choices")
	switch {
	case !usage.Exists():
		return data, Pass // within a text, or in x_groq, which nobody has to ask for
	case usage.Given() && choices.Kind() == jsonx.Array && choices.Len() == 0 && !body.HasError(root.Get("error")):
		return nil, Drop
	}
	e := jsonx.NewEdit(root)
	e.Drop("usage")
	w.buf = e.Append(w.buf[:0])
	return w.buf, Replace
}
