package gemini

import (
	"bytes"
	"math"

	"github.com/alicetears/llm-gateway/pkg/chat"
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
	e.int("maxOutputTokens", e.MaxTokens())
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
	if len(e.Out) == start+1 {
		e.Out = bytes.TrimSuffix(e.Out[:start], []byte(`,"generationConfig":`))
		return
	}
	e.Raw("}")
}

func (e *encoder) int(name string, value *int64) {
	if value != nil && e.accepts(name) {
		e.Key(name)
		e.Out = jsonx.AppendInt(e.Out, *value)
	}
}

func (e *encoder) float(name string, value *float64) {
	if value == nil || !e.accepts(name) {
		return
	}
	f := e.Clamp(name, *value)
	e.Key(name)
	e.Out = jsonx.AppendFloat(e.Out, f)
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
	e.int("seed", &seed)
}

func (e *encoder) stops() {
	if len(e.Req.Stop) > 0 && e.accepts("stopSequences") {
		e.Key("stopSequences")
		e.Out = jsonx.AppendStrings(e.Out, e.Stops(maxStops))
	}
}

func (e *encoder) choices() {
	if n := e.Req.N; n != nil && *n != 1 && e.several(*n) {
		e.int("candidateCount", n)
	}
}

// several says whether the model gives n > 1 answers, and refuses the request if not.
func (e *encoder) several(n int64) bool {
	if e.Rules.SingleChoice || !e.accepts("candidateCount") {
		e.Refuse("n", "%s gives one answer for this model, not %d", e.Provider(), n)
		return false
	}
	return true
}

func (e *encoder) logprobs() {
	r := e.Req
	if r.Logprobs == nil || !e.accepts("responseLogprobs") {
		return
	}
	e.Key("responseLogprobs")
	e.Out = jsonx.AppendBool(e.Out, *r.Logprobs)
	if *r.Logprobs {
		e.int("logprobs", r.TopLogprobs)
	}
}

func (e *encoder) responseFormat() {
	f := e.Req.ResponseFormat
	if f == nil || f.Kind != chat.FormatJSON && f.Kind != chat.FormatSchema {
		return
	}
	if !e.accepts("responseMimeType") {
		e.Refuse("response_format", "this model of %s cannot be asked for JSON", e.Provider())
		return
	}
	e.Key("responseMimeType")
	e.Raw(`"application/json"`)
	if f.Kind == chat.FormatSchema && len(f.Schema) > 0 {
		e.schema("response_format", "responseJsonSchema", "responseSchema", f.Schema)
	}
}
