package body

import "github.com/alicetears/llm-gateway/pkg/chat"

// sizeOf estimates the size of the encoded request, so that its buffer seldom grows.
func sizeOf(req *chat.Request) int {
	n := 1024
	for i := range req.Messages {
		n += 64 + SizeOfParts(req.Messages[i].Parts)
	}
	for i := range req.Tools {
		n += 128 + len(req.Tools[i].Description) + len(req.Tools[i].Parameters) + len(req.Tools[i].Raw)
	}
	if f := req.ResponseFormat; f != nil {
		n += len(f.Schema) * 2
	}
	return n
}

// SizeOfParts estimates the encoded size of parts.
func SizeOfParts(parts []chat.Part) int {
	n := 0
	for i := range parts {
		p := &parts[i]
		n += 64 + len(p.Text) + len(p.Text)/8 + len(p.Raw)
		switch {
		case p.Media != nil:
			n += len(p.Media.Data) + len(p.Media.URL) + 64
		case p.ToolCall != nil:
			n += len(p.ToolCall.Arguments)*5/4 + len(p.ToolCall.Signature) + 128
		case p.ToolResult != nil:
			n += SizeOfParts(p.ToolResult.Parts) + 64
		case p.State != nil:
			n += len(p.State.Signature) + len(p.State.Redacted) + len(p.State.Encrypted) + 64
		}
	}
	return n
}
