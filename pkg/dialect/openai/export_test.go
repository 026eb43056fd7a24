package openai

import (
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Issues reads a request as DecodeRequest does, and returns what a translation would refuse as issues, too.
func Issues(data []byte) error {
	d := NewRequestDecoder(&completions, nil)
	d.Passes = nil
	return new(body.Docs).Read(data, func(root jsonx.Value) error {
		d.Decode(root)
		at := "tool_choice"
		if !d.toolChoice.Exists() {
			at = "function_call"
		}
		d.CheckChoice(root, at, "", d.Request)
		return d.Err()
	})
}
