package dialecttest

import "github.com/alicetears/llm-gateway/pkg/chat"

// Placeless returns the request without the places of its parts and tools in the body that it was read from.
func Placeless(req *chat.Request) *chat.Request {
	for i := range req.Messages {
		req.Messages[i] = PlacelessMessage(req.Messages[i])
	}
	for i := range req.Tools {
		req.Tools[i].At = ""
	}
	return req
}

// PlacelessMessage does the same to a message.
func PlacelessMessage(m chat.Message) chat.Message {
	clear := func(parts []chat.Part) {
		for i := range parts {
			parts[i].At = ""
			for j := range parts[i].Tools {
				parts[i].Tools[j].At = ""
			}
		}
	}
	clear(m.Parts)
	for i := range m.Parts {
		if r := m.Parts[i].ToolResult; r != nil {
			clear(r.Parts)
		}
	}
	return m
}
