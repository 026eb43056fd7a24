package openai

import (
	"cmp"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// OpenRouter's names of the providers' formats of reasoning
// (https://openrouter.ai/docs/use-cases/reasoning-tokens).
const (
	formatAnthropic = "anthropic-claude-v1"
	formatGemini    = "google-gemini-v1"
)

// detailOf reads one of OpenRouter's reasoning_details: reasoning.text, reasoning.summary or
// reasoning.encrypted. Encrypted reasoning of Anthropic's is a redacted block.
func detailOf(v jsonx.Value) (text string, state chat.ReasoningState) {
	index, _ := v.Get("index").Int64()
	state = chat.ReasoningState{ID: v.Get("id").Str(), Format: v.Get("format").Str(), Index: int(index)}
	switch t := v.Get("type"); {
	case t.Is("reasoning.summary"):
		state.Summary = true
		text = v.Get("summary").Str()
	case t.Is("reasoning.encrypted") && state.Format == formatAnthropic:
		state.Redacted = v.Get("data").Str()
	case t.Is("reasoning.encrypted"):
		state.Encrypted = v.Get("data").Str()
	case t.Is("reasoning.text"):
		text = v.Get("text").Str()
		state.Signature = v.Get("signature").Str()
	}
	return text, state
}

// appendDetails appends a piece of reasoning as one detail for the text and its signature, and one for each
// encrypted text. A state with a format and an id alone has no detail.
func appendDetails(out []byte, text string, s *chat.ReasoningState, index int) []byte {
	if s == nil {
		s = new(chat.ReasoningState)
	}
	if text != "" || s.Signature != "" {
		out = jsonx.AppendComma(out)
		if s.Summary {
			out = body.AppendMember(out, `{"type":"reasoning.summary","summary":`, text)
		} else {
			out = append(out, `{"type":"reasoning.text"`...)
			out = body.AppendOptional(out, `,"text":`, text)
			out = body.AppendOptional(out, `,"signature":`, s.Signature)
		}
		out = appendOrigin(out, s.Format, s.ID, index)
	}
	for _, data := range [...]struct{ is, format string }{
		{s.Encrypted, s.Format}, {s.Redacted, cmp.Or(s.Format, formatAnthropic)},
	} {
		if data.is != "" {
			out = append(jsonx.AppendComma(out), `{"type":"reasoning.encrypted"`...)
			out = body.AppendOptional(out, `,"data":`, data.is)
			out = appendOrigin(out, data.format, s.ID, index)
		}
	}
	return out
}

// appendOrigin closes a detail.
func appendOrigin(out []byte, format, id string, index int) []byte {
	out = body.AppendOptional(out, `,"format":`, format)
	out = body.AppendOptional(out, `,"id":`, id)
	out = body.AppendCount(out, `,"index":`, int64(index))
	return append(out, '}')
}
