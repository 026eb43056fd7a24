package gemini

import (
	"bytes"
	"math"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// maxStops is the most stop sequences.
const maxStops = 5

// generationConfig writes the parameters of the answer, if there are any.
func (e *encoder) generationConfig() {
	r := e.Req
	e.Key("generationConfig")
	start := len(e.Out)
	e.Raw("{")
	e.FieldInt("maxOutputTokens", e.MaxTokens())
	e.FieldFloat("temperature", r.Temperature)
	e.FieldFloat("topP", r.TopP)
	e.FieldInt("topK", r.TopK)
	e.seed()
	e.stops()
	e.choices()
	e.FieldFloat("presencePenalty", r.PresencePenalty)
	e.FieldFloat("frequencyPenalty", r.FrequencyPenalty)
	e.logprobs()
	e.responseFormat()
	e.thinking()
	if len(e.Out) == start+1 {
		e.Out = bytes.TrimSuffix(e.Out[:start], []byte(`,"generationConfig":`))
		return
	}
	e.Raw("}")
}

// seed is an int32. A larger one is cut to its lower bits, so that the same seed stays the same.
func (e *encoder) seed() {
	s := e.Req.Seed
	if s == nil {
		return
	}
	seed := *s
	if seed < math.MinInt32 || seed > math.MaxInt32 {
		seed &= math.MaxInt32
		e.Warn("the seed has more than 32 bits, and %s takes no more: %d is sent", e.Provider(), seed)
	}
	e.FieldInt("seed", &seed)
}

func (e *encoder) stops() {
	if len(e.Req.Stop) > 0 && e.Field("stopSequences", body.Warns) {
		e.Out = jsonx.AppendStrings(e.Out, e.Stops(maxStops))
	}
}

func (e *encoder) choices() {
	switch n := e.Req.N; {
	case n == nil || *n == 1:
	case e.Rules.SingleChoice || !e.Accepts("candidateCount"):
		e.Refuse("n", "%s gives one answer for this model, not %d", e.Provider(), *n)
	default:
		e.FieldInt("candidateCount", n)
	}
}

func (e *encoder) logprobs() {
	r := e.Req
	e.FieldBool("responseLogprobs", r.Logprobs)
	if r.Logprobs != nil && *r.Logprobs && e.Accepts("responseLogprobs") {
		e.FieldInt("logprobs", r.TopLogprobs)
	}
}

func (e *encoder) responseFormat() {
	f := e.Req.ResponseFormat
	if f == nil || f.Kind != chat.FormatJSON && f.Kind != chat.FormatSchema {
		return
	}
	if !e.Field("responseMimeType", body.Warns) {
		e.Refuse("response_format", "this model of %s cannot be asked for JSON", e.Provider())
		return
	}
	e.Raw(`"application/json"`)
	if f.Kind == chat.FormatSchema && len(f.Schema) > 0 {
		e.schema("response_format", "responseJsonSchema", "responseSchema", f.Schema)
	}
}
