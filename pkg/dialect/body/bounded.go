package body

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Bounded returns a decoder that fails where the answer accumulates more than chat.Bounds allows.
func Bounded(d dialect.StreamDecoder) dialect.StreamDecoder { return &boundedDecoder{decoder: d} }

type boundedDecoder struct {
	decoder dialect.StreamDecoder
	bounds  chat.Bounds
}

func (b *boundedDecoder) Decode(out []chat.Event, name string, data []byte) []chat.Event {
	from := len(out)
	return b.bounds.Check(b.decoder.Decode(out, name, data), from)
}

func (b *boundedDecoder) Close(out []chat.Event) []chat.Event {
	from := len(out)
	return b.bounds.Check(b.decoder.Close(out), from)
}
