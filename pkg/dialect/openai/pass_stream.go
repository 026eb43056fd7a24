package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// NewStreamPasser withholds the usage from a caller who did not ask for it.
func (Client) NewStreamPasser(req *chat.Request) dialect.StreamPasser {
	if req.StreamUsage {
		return body.AsItCame{}
	}
	return new(streamPasser)
}

type streamPasser struct{ withhold Withholder }

func (p *streamPasser) Pass(out []byte, name string, data []byte) []byte {
	data, verdict := p.withhold.Chunk(data)
	if verdict == Drop {
		return out
	}
	return sse.AppendEvent(out, name, data)
}
