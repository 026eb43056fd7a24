package gemini

import (
	"cmp"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// EncodeResponse writes a whole answer. A refusal is written as text: the dialect has no
// form for it.
func (s Server) EncodeResponse(resp *chat.Response, served dialect.Served) []byte {
	out := make([]byte, 0, sizeOfResponse(resp))
	out = append(out, `{"candidates":[`...)
	for i := range resp.Choices {
		out = element(out)
		out = appendCandidate(out, &resp.Choices[i])
	}
	out = append(out, ']')
	if resp.Usage != nil {
		out = append(out, `,"usageMetadata":`...)
		out = appendUsage(out, resp.Usage, tierWord(resp.ServiceTier))
	}
	return appendTail(out, resp.ID, resp.Model, served)
}

func sizeOfResponse(resp *chat.Response) int {
	n := 512
	for i := range resp.Choices {
		n += 128 + len(resp.Choices[i].Logprobs) + body.SizeOfParts(resp.Choices[i].Message.Parts)
	}
	return n
}

// appendTail writes what every chunk ends with.
func appendTail(out []byte, id, model string, served dialect.Served) []byte {
	out = append(out, `,"modelVersion":`...)
	out = jsonx.AppendString(out, cmp.Or(model, served.Model))
	out = append(out, `,"responseId":`...)
	out = jsonx.AppendString(out, cmp.Or(id, served.RequestID))
	return append(out, '}')
}

func appendCandidate(out []byte, c *chat.Choice) []byte {
	out = append(out, `{"content":{"parts":[`...)
	var s said
	for i := range c.Message.Parts {
		p := &c.Message.Parts[i]
		switch p.Kind {
		case chat.Text, chat.Refusal:
			if p.Text != "" {
				out = s.text(element(out), p.Text)
			}
		case chat.Reason:
			if p.Text != "" || !unsaid(p.State) {
				out = s.reason(element(out), p.Text, p.State)
			}
		case chat.Call:
			s.thoughts.open = false
			out = appendCall(element(out), p.ToolCall, p.ToolCall.Signature)
		case chat.Image, chat.Audio, chat.File:
			if p.Media != nil {
				out = s.medium(element(out), p.Kind, p.Media)
			}
		}
	}
	if out[len(out)-1] == '[' {
		out = append(out, `{"text":""}`...)
	}
	out = append(out, `],"role":"model"},"finishReason":"`...)
	out = append(out, finishWord(c.Finish)...)
	out = append(out, `","index":`...)
	out = jsonx.AppendInt(out, int64(c.Index))
	if cited := citationsOf(c.Message.Parts); len(cited) > 0 {
		out = append(out, `,"groundingMetadata":`...)
		out = appendGrounding(out, cited, s.all.String())
	}
	if len(c.Logprobs) > 0 {
		out = append(out, `,"logprobsResult":`...)
		out = appendLogprobs(out, c.Logprobs)
	}
	return append(out, '}')
}

// said is what has to be known of a candidate's text to write what follows.
type said struct {
	all      strings.Builder // the text, which citations point into
	thoughts run
}

func (s *said) text(out []byte, text string) []byte {
	s.thoughts.open = false
	s.all.WriteString(text)
	out = append(out, `{"text":`...)
	out = jsonx.AppendString(out, text)
	return append(out, '}')
}

// medium writes what the model made. Of one that stands elsewhere the address is told, as for callers of other dialects: fileData
// is for Google's own files.
func (s *said) medium(out []byte, kind chat.PartKind, m *chat.Media) []byte {
	if m.Data == "" {
		return s.text(out, body.MediaNote(kind, m))
	}
	s.thoughts.open = false
	out = append(out, `{"inlineData":`...)
	return append(appendBlob(out, kind, m), '}')
}

// reason writes a thought or a piece of one; what Gemini signed without a text belongs to
// the answer, and is no thought.
func (s *said) reason(out []byte, text string, state *chat.ReasoningState) []byte {
	if state != nil && text == "" && *state == (chat.ReasoningState{Format: Format, Signature: state.Signature}) && state.Signature != "" {
		s.thoughts.open = false
		return appendReason(out, "", state.Signature, false)
	}
	return appendReason(out, text, s.thoughts.signature(text, state), true)
}

// tierWord is Google's word for a tier, if it has one.
func tierWord(tier string) string {
	switch tier {
	case "default", "standard":
		return "standard"
	case "flex", "priority":
		return tier
	}
	return ""
}
