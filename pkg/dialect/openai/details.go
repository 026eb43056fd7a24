package openai

import (
	"cmp"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// OpenRouter's names of whose reasoning it is
// (https://openrouter.ai/docs/use-cases/reasoning-tokens).
const (
	formatAnthropic = "anthropic-claude-v1"
	formatGemini    = "google-gemini-v1"
)

// detailOf reads one of OpenRouter's reasoning_details: reasoning.text, reasoning.summary or
// reasoning.encrypted. What is encrypted of Anthropic's is a redacted block.
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

// appendDetails writes a piece of reasoning as the details that it takes: one for the text with
// its signature, one for what is encrypted. Start is where the list begins. A state that says
// nothing but whose it is has no detail.
func appendDetails(out []byte, start int, text string, s *chat.ReasoningState, index int) []byte {
	if s == nil {
		s = new(chat.ReasoningState)
	}
	if text != "" || s.Signature != "" {
		out = comma(out, start)
		if s.Summary {
			out = append(out, `{"type":"reasoning.summary","summary":`...)
			out = jsonx.AppendString(out, text)
		} else {
			out = append(out, `{"type":"reasoning.text"`...)
			out = appendMember(out, "text", text)
			out = appendMember(out, "signature", s.Signature)
		}
		out = appendOrigin(out, s.Format, s.ID, index)
	}
	for _, data := range [...]struct{ is, format string }{
		{s.Encrypted, s.Format}, {s.Redacted, cmp.Or(s.Format, formatAnthropic)},
	} {
		if data.is != "" {
			out = append(comma(out, start), `{"type":"reasoning.encrypted"`...)
			out = appendMember(out, "data", data.is)
			out = appendOrigin(out, data.format, s.ID, index)
		}
	}
	return out
}

// appendOrigin closes a detail.
func appendOrigin(out []byte, format, id string, index int) []byte {
	out = appendMember(out, "format", format)
	out = appendMember(out, "id", id)
	out = append(out, `,"index":`...)
	out = jsonx.AppendInt(out, int64(index))
	return append(out, '}')
}

// appendMember writes a further member of an object, unless it says nothing.
func appendMember(out []byte, name, value string) []byte {
	if value == "" {
		return out
	}
	out = append(out, ',')
	out = jsonx.AppendString(out, name)
	out = append(out, ':')
	return jsonx.AppendString(out, value)
}

// comma separates what follows from what is there since start.
func comma(out []byte, start int) []byte {
	if len(out) > start {
		out = append(out, ',')
	}
	return out
}
