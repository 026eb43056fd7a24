package anthropic

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// EncodeResponse encodes the first choice of a whole answer: the dialect has one.
func (s *Server) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	out := make([]byte, 0, sizeOfResponse(resp))
	var c chat.Choice
	if len(resp.Choices) > 0 {
		c = resp.Choices[0]
	}
	out = appendHead(out, resp.ID, served)
	n := 0
	refused := false
	parts := withoutLastState(c.Message.Parts)
	for i := range parts {
		start := len(out)
		out = jsonx.AppendComma(out)
		blocks := 0
		if out, blocks = appendPart(out, &parts[i]); blocks == 0 {
			out = out[:start]
		}
		n += blocks
		refused = refused || parts[i].Kind == chat.Refusal
	}
	out = append(out, ']')
	out = appendStop(out, c.Finish, c.StopSequence, refused)
	out = append(out, `,"usage":`...)
	out = appendUsage(out, resp.Usage, resp.ServiceTier)
	return append(out, '}')
}

// withoutLastState leaves out states without text at the end of an answer, such as Gemini's signature of a text: Claude
// Code takes the last block for the answer. Gemini does not require it back
// (ai.google.dev/gemini-api/docs/thought-signatures, "non-functionCall parts").
func withoutLastState(parts []chat.Part) []chat.Part {
	n := len(parts)
	for n > 0 && isStateAlone(parts[n-1].Kind == chat.Reason, parts[n-1].Text, parts[n-1].State) {
		n--
	}
	if slices.ContainsFunc(parts[:n], func(p chat.Part) bool { return p.Kind != chat.Reason }) {
		return parts[:n]
	}
	return parts // there is only reasoning
}

// isStateAlone reports whether a part is reasoning without text.
func isStateAlone(reason bool, text string, state *chat.ReasoningState) bool {
	return reason && text == "" && redactedAlone(state) == ""
}

func sizeOfResponse(resp *chat.Response) int {
	n := 512
	if len(resp.Choices) > 0 {
		n += body.SizeOfParts(resp.Choices[0].Message.Parts)
	}
	return n
}

// appendHead appends a message up to the blocks of its content.
func appendHead(out []byte, id string, served dialect.Served) []byte {
	out = body.AppendMember(out, `{"id":`, messageID(id, served.RequestID))
	out = body.AppendMember(out, `,"type":"message","role":"assistant","model":`, served.Model)
	return append(out, `,"content":[`...)
}

// messageID returns Anthropic's id of the answer, or an id of the same form for other answers.
func messageID(id, requestID string) string {
	if strings.HasPrefix(id, "msg_") {
		return id
	}
	return "msg_" + strings.Map(func(r rune) rune {
		if body.MadeOf(string(r), 4, "_-") {
			return r
		}
		return '_'
	}, requestID)
}

// appendStop appends why an answer ended.
func appendStop(out []byte, reason chat.FinishReason, sequence string, refused bool) []byte {
	word := "end_turn"
	switch {
	case reason == chat.FinishLength:
		word = "max_tokens"
	case reason == chat.FinishToolCalls:
		word = "tool_use"
	case reason == chat.FinishContentFilter, refused:
		word = "refusal"
	case sequence != "":
		word = "stop_sequence"
	}
	out = append(out, `,"stop_reason":"`...)
	out = append(out, word...)
	out = append(out, `","stop_sequence":`...)
	if sequence == "" {
		return append(out, "null"...)
	}
	return jsonx.AppendString(out, sequence)
}

// appendPart appends a part as blocks, and returns their number: a call of Gemini becomes two, as its
// signature needs a block of its own.
func appendPart(out []byte, p *chat.Part) ([]byte, int) {
	switch p.Kind {
	case chat.Text, chat.Refusal:
		if p.Text == "" && len(p.Citations) == 0 {
			return out, 0
		}
		out = body.AppendMember(out, `{"type":"text","text":`, p.Text)
		for i := range p.Citations {
			if i == 0 {
				out = append(out, `,"citations":[`...)
			} else {
				out = append(out, ',')
			}
			out = appendCitation(out, &p.Citations[i])
		}
		if len(p.Citations) > 0 {
			out = append(out, ']')
		}
	case chat.Reason:
		if data := redactedAlone(p.State); data != "" {
			out = body.AppendMember(out, `{"type":"redacted_thinking","data":`, data)
		} else {
			out = appendThinking(out, p.Text, signatureOf(p.State))
		}
	case chat.Call:
		blocks := 1
		if p.ToolCall.Signature != "" {
			out = appendThinking(out, "", signatureOfCall(p.ToolCall))
			out = append(out, "},"...)
			blocks = 2
		}
		out = appendCallHead(out, p.ToolCall)
		out = appendInput(out, p.ToolCall.Arguments)
		return append(out, '}'), blocks
	case chat.Image, chat.Audio, chat.File:
		out = body.AppendMember(out, `{"type":"text","text":`, body.MediaNote(p.Kind, p.Media))
	default: // the dialect has no block for it
		return out, 0
	}
	return append(out, '}'), 1
}

func appendThinking(out []byte, text, signature string) []byte {
	out = body.AppendMember(out, `{"type":"thinking","thinking":`, text)
	return body.AppendMember(out, `,"signature":`, signature)
}

// appendCallHead appends a call's block up to its input.
func appendCallHead(out []byte, c *chat.ToolCall) []byte {
	out = body.AppendMember(out, `{"type":"tool_use","id":`, c.ID)
	out = body.AppendMember(out, `,"name":`, c.Name)
	return append(out, `,"input":`...)
}

// redactedAlone returns the data of a state that is nothing but redacted thinking; else it is empty.
func redactedAlone(s *chat.ReasoningState) string {
	if s == nil || *s != (chat.ReasoningState{Redacted: s.Redacted}) {
		return ""
	}
	return s.Redacted
}
