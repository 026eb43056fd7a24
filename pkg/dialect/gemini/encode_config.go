package gemini

import (
	"bytes"
	"math"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// maxStops is how many stop sequences there may be.
const maxStops = 5

// generationConfig writes what steers the answer; nothing if nothing does.
func (e *encoder) generationConfig() {
	r := e.req
	e.member("generationConfig")
	start := len(e.out)
	e.raw("{")
	e.int("maxOutputTokens", r.MaxTokens)
	e.float("temperature", r.Temperature)
	e.float("topP", r.TopP)
	e.int("topK", r.TopK)
	e.seed()
	e.stops()
	e.choices()
	e.float("presencePenalty", r.PresencePenalty)
	e.float("frequencyPenalty", r.FrequencyPenalty)
	e.logprobs()
	e.responseFormat()
	e.thinking()
	if len(e.out) == start+1 {
		e.out = bytes.TrimSuffix(e.out[:start], []byte(`,"generationConfig":`))
		return
	}
	e.raw("}")
}

func (e *encoder) int(name string, value *int64) {
	if value != nil && e.accepts(name) {
		e.member(name)
		e.out = jsonx.AppendInt(e.out, *value)
	}
}

func (e *encoder) float(name string, value *float64) {
	if value == nil || !e.accepts(name) {
		return
	}
	f := *value
	if r, ok := e.rules.Clamp[name]; ok && (f < r.Min || f > r.Max) {
		f = min(max(f, r.Min), r.Max)
		e.warn("%s is %v, but %s takes %v to %v: changed to %v", name, *value, e.provider(), r.Min, r.Max, f)
	}
	e.member(name)
	e.out = jsonx.AppendFloat(e.out, f)
}

// seed is an int32. A larger one is cut to its lower bits, so that the same seed stays the same.
func (e *encoder) seed() {
	s := e.req.Seed
	if s == nil {
		return
	}
	seed := *s
	if seed < math.MinInt32 || seed > math.MaxInt32 {
		seed &= math.MaxInt32
		e.warn("the seed has more than 32 bits, and %s takes no more: %d is sent", e.provider(), seed)
	}
	e.int("seed", &seed)
}

func (e *encoder) stops() {
	stops := e.req.Stop
	if len(stops) == 0 || !e.accepts("stopSequences") {
		return
	}
	if len(stops) > maxStops {
		e.warn("%s takes %d stop sequences: the others are dropped", e.provider(), maxStops)
		stops = stops[:maxStops]
	}
	e.member("stopSequences")
	e.raw("[")
	for _, s := range stops {
		e.element()
		e.str(s)
	}
	e.raw("]")
}

func (e *encoder) choices() {
	n := e.req.N
	switch {
	case n == nil || *n == 1:
	case e.rules.SingleChoice || !e.accepts("candidateCount"):
		e.refuse("n", "%s gives one answer for this model, not %d", e.provider(), *n)
	default:
		e.int("candidateCount", n)
	}
}

func (e *encoder) logprobs() {
	r := e.req
	if r.Logprobs == nil || !e.accepts("responseLogprobs") {
		return
	}
	e.member("responseLogprobs")
	e.out = jsonx.AppendBool(e.out, *r.Logprobs)
	if *r.Logprobs {
		e.int("logprobs", r.TopLogprobs)
	}
}

func (e *encoder) responseFormat() {
	f := e.req.ResponseFormat
	if f == nil || f.Kind != chat.FormatJSON && f.Kind != chat.FormatSchema {
		return
	}
	if !e.accepts("responseMimeType") {
		e.refuse("response_format", "JSON cannot be asked of this model of %s", e.provider())
		return
	}
	e.member("responseMimeType")
	e.raw(`"application/json"`)
	if f.Kind == chat.FormatSchema && len(f.Schema) > 0 {
		e.schema("response_format", "responseJsonSchema", "responseSchema", f.Schema)
	}
}
