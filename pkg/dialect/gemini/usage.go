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
	unknown := false
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "promptTokenCount", "toolUsePromptTokenCount":
			u.Input += number(m)
		case "cachedContentTokenCount":
			u.Cached = number(m)
		case "promptTokensDetails", "toolUsePromptTokensDetails", "promptTokenDetails":
			var d modalities
			unknown = d.read(m) || unknown
			u.InputAudio += d.audio
		case "candidatesTokenCount", "responseTokenCount":
			candidates = m
		case "candidatesTokensDetails", "responseTokensDetails":
			var d modalities
			unknown = d.read(m) || unknown
			u.OutputAudio, u.OutputImage = d.audio, d.image
		case "thoughtsTokenCount":
			u.Reasoning = number(m)
		case "totalTokenCount":
			total = m
		case "trafficType":
			unknown = setTraffic(&u, m.Str()) || unknown
		case "serviceTier", "cacheTokensDetails":
		default:
			unknown = unknown || body.Amounts(m)
		}
	}
	u.Output = number(candidates) + u.Reasoning
	if t := number(total); !candidates.Exists() && t > u.Input+u.Output {
		u.Output = t - u.Input
	}
	u.Cached = min(u.Cached, u.Input)
	u.InputAudio = min(u.InputAudio, u.Input)
	u.OutputAudio = min(u.OutputAudio, u.Output-u.Reasoning)
	u.OutputImage = min(u.OutputImage, u.Output-u.Reasoning-u.OutputAudio)
	u.Estimated = unknown
	return u
}

// setTraffic reads the kind of traffic, which says how Google Cloud charges for the request. It reports true if no price
// of it is known: provisioned throughput is paid for by the hour.
func setTraffic(u *chat.Usage, kind string) (unknown bool) {
	switch kind {
	case "", "TRAFFIC_TYPE_UNSPECIFIED", "ON_DEMAND":
		return false
	case "ON_DEMAND_FLEX":
		u.Tier = "flex"
		return false
	case "ON_DEMAND_PRIORITY":
		u.Tier = "priority"
		return false
	}
	return true
}

// modalities are the counts of a list by modality. Text, pictures, videos and documents cost the same as input.
type modalities struct{ audio, image int64 }

// read adds a list up. It reports whether it has a modality that is not known.
func (c *modalities) read(v jsonx.Value) (unknown bool) {
	for d := v.First(); d.Exists(); d = d.Next() {
		n := number(d.Get("tokenCount"))
		switch d.Get("modality").Str() {
		case "AUDIO":
			c.audio += n
		case "IMAGE":
			c.image += n
		case "TEXT", "VIDEO", "DOCUMENT", "MODALITY_UNSPECIFIED", "":
		default:
			unknown = unknown || n > 0
		}
	}
	return unknown
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
