package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Issues reads a request as DecodeRequest does, and returns what a translation would refuse as issues, too.
func Issues(data []byte) error {
	d := decoder{req: new(chat.Request)}
	return new(body.Docs).Read(data, func(root jsonx.Value) error {
		d.request(root)
		return d.Err()
	})
}
