package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// number returns a count: never negative, 0 if it is missing.
func number(v jsonx.Value) int64 {
	n, _ := v.Int64()
	return max(n, 0)
}

// usageOf reads usageMetadata (https://ai.google.dev/api/generate-content#UsageMetadata). The prompt's count
// includes cached tokens, but not those that Google's tools add; thoughts are counted beside the candidates.
func usageOf(v jsonx.Value) chat.Usage {
	var u chat.Usage
	var candidates, total jsonx.Value
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "promptTokenCount", "toolUsePromptTokenCount":
			u.Input += number(m)
		case "cachedContentTokenCount":
			u.Cached = number(m)
		case "promptTokensDetails", "toolUsePromptTokensDetails":
			u.InputAudio += audio(m)
		case "candidatesTokenCount", "responseTokenCount":
			candidates = m
		case "candidatesTokensDetails", "responseTokensDetails":
			u.OutputAudio = audio(m)
		case "thoughtsTokenCount":
			u.Reasoning = number(m)
		case "totalTokenCount":
			total = m
		}
	}
	u.Output = number(candidates) + u.Reasoning
	if t := number(total); !candidates.Exists() && t > u.Input+u.Output {
		u.Output = t - u.Input
	}
	u.Cached = min(u.Cached, u.Input)
	u.InputAudio = min(u.InputAudio, u.Input)
	u.OutputAudio = min(u.OutputAudio, u.Output-u.Reasoning)
	return u
}

// audio returns the count of audio tokens in a list by modality.
func audio(v jsonx.Value) int64 {
	n := int64(0)
	for d := v.First(); d.Exists(); d = d.Next() {
		if d.Get("modality").Is("AUDIO") {
			n += number(d.Get("tokenCount"))
		}
	}
	return n
}

// appendUsage writes usageMetadata. Of the modalities only audio is known.
func appendUsage(out []byte, u *chat.Usage, tier string) []byte {
	out = body.AppendCount(out, `{"promptTokenCount":`, u.Input)
	for _, m := range [...]struct {
		name  string
		count int64
	}{
		{"cachedContentTokenCount", u.Cached}, {"candidatesTokenCount", u.Output - u.Reasoning}, {"thoughtsTokenCount", u.Reasoning},
	} {
		if m.count > 0 || m.name == "candidatesTokenCount" {
			out = append(out, `,"`+m.name+`":`...)
			out = jsonx.AppendInt(out, m.count)
		}
	}
	out = body.AppendCount(out, `,"totalTokenCount":`, u.Total())
	out = appendAudio(out, "promptTokensDetails", u.InputAudio)
	out = appendAudio(out, "candidatesTokensDetails", u.OutputAudio)
	out = body.AppendOptional(out, `,"serviceTier":`, tier)
	return append(out, '}')
}

func appendAudio(out []byte, name string, n int64) []byte {
	if n == 0 {
		return out
	}
	out = append(out, `,"`+name+`":[{"modality":"AUDIO","tokenCount":`...)
	out = jsonx.AppendInt(out, n)
	return append(out, `}]`...)
}
