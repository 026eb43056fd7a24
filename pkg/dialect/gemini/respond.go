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
		out = jsonx.AppendComma(out)
		out = appendCandidate(out, &resp.Choices[i])
	}
	out = append(out, ']')
	if resp.Usage != nil {
		out = appendUsage(append(out, `,"usageMetadata":`...), resp.Usage, tierName(resp.ServiceTier))
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

// appendTail ends a whole answer or a chunk.
func appendTail(out []byte, id, model string, served dialect.Served) []byte {
	out = body.AppendMember(out, `,"modelVersion":`, cmp.Or(model, served.Model))
	out = body.AppendMember(out, `,"responseId":`, cmp.Or(id, served.RequestID))
	return append(out, '}')
}

func appendCandidate(out []byte, c *chat.Choice) []byte {
	out = append(out, `{"content":{"parts":[`...)
	var w partWriter
	for i := range c.Message.Parts {
		p := &c.Message.Parts[i]
		switch p.Kind {
		case chat.Text, chat.Refusal:
			if p.Text != "" {
				out = w.text(jsonx.AppendComma(out), p.Text)
			}
		case chat.Reason:
			if p.Text != "" || !emptyState(p.State) {
				out = w.reason(jsonx.AppendComma(out), p.Text, p.State)
			}
		case chat.Call:
			w.thoughts.open = false
			out = appendCall(jsonx.AppendComma(out), p.ToolCall, p.ToolCall.Signature)
		case chat.Image, chat.Audio, chat.File:
			if p.Media != nil {
				out = w.medium(jsonx.AppendComma(out), p.Kind, p.Media)
			}
		}
	}
	if out[len(out)-1] == '[' {
		out = append(out, `{"text":""}`...)
	}
	out = append(out, `],"role":"model"},"finishReason":"`...)
	out = append(out, finishName(c.Finish)...)
	out = body.AppendCount(out, `","index":`, int64(c.Index))
	if cited := citationsOf(c.Message.Parts); len(cited) > 0 {
		out = appendGrounding(append(out, `,"groundingMetadata":`...), cited, w.written.String())
	}
	if len(c.Logprobs) > 0 {
		out = appendLogprobs(append(out, `,"logprobsResult":`...), c.Logprobs)
	}
	return append(out, '}')
}

// A partWriter writes the parts of one candidate.
type partWriter struct {
	written  strings.Builder // the text so far, which citations point into
	thoughts thoughtRun
}

func (w *partWriter) text(out []byte, text string) []byte {
	w.thoughts.open = false
	w.written.WriteString(text)
	out = body.AppendMember(out, `{"text":`, text)
	return append(out, '}')
}

// medium writes a picture or a sound of the model's. If it is elsewhere, a note gives its address, as in other
// dialects: fileData is for Google's own files.
func (w *partWriter) medium(out []byte, kind chat.PartKind, m *chat.Media) []byte {
	if m.Data == "" {
		return w.text(out, body.MediaNote(kind, m))
	}
	w.thoughts.open = false
	out = append(out, `{"inlineData":`...)
	return append(appendBlob(out, kind, m), '}')
}

// reason writes a thought or a piece of one. Gemini's signature without a text belongs to the answer's text: its
// part is no thought.
func (w *partWriter) reason(out []byte, text string, state *chat.ReasoningState) []byte {
	if text == "" && state.Complete() && *state == (chat.ReasoningState{Format: Format, Signature: state.Signature}) {
		w.thoughts.open = false
		return appendReason(out, "", state.Signature, false)
	}
	return appendReason(out, text, w.thoughts.signature(text, state), true)
}

// tierName returns Google's name of a service tier; empty if it has none.
func tierName(tier string) string {
	switch tier {
	case "default", "standard":
		return "standard"
	case "flex", "priority":
		return tier
	}
	return ""
}
