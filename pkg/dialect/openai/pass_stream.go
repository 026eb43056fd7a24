package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// NewStreamPasser withholds the usage from a caller who did not ask for it.
func (Client) NewStreamPasser(req *chat.Request) dialect.StreamPasser {
	p := &streamPasser{}
	if !req.StreamUsage {
		p.withhold = new(Withholder)
	}
	return p
}

type streamPasser struct {
	withhold *Withholder // nil: nothing is withheld
}

func (p *streamPasser) Pass(out []byte, name string, data []byte) []byte {
	if p.withhold == nil {
		return sse.AppendEvent(out, name, data)
	}
	data, verdict := p.withhold.Chunk(data)
	if verdict == Drop {
		return out
	}
	return sse.AppendEvent(out, name, data)
}
