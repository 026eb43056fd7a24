package openai

import (
	"cmp"
	"maps"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An encoder writes one request.
type encoder struct {
	body.Writer
	Rules *Rules
	Model ModelRules // the exceptions of the request's model
}

// strict reports whether the provider takes no unknown members within messages and tools.
func (e *encoder) strict() bool { return len(e.Rules.MessageFields) > 0 }

func (e *encoder) request() {
	r := e.Req
	e.Begin()
	e.FieldModel()
	if e.Field("messages", body.Refuses) {
		e.messages()
	}
	e.Tools(e.tool)
	e.ToolChoice(e.toolChoice)
	e.responseFormat()
	e.FieldInt(cmp.Or(e.limitField(), "max_completion_tokens"), e.MaxTokens())
	e.stops()
	e.choices()
	e.numbers()
	e.logitBias()
	e.logprobs()
	e.reasoning()
	e.reasoningFormat()
	e.FieldString("verbosity", r.Verbosity)
	e.FieldString("service_tier", r.ServiceTier)
	e.FieldString("user", r.User)
	e.Metadata()
	e.FieldString("prompt_cache_key", r.CacheKey)
	e.stream()
	e.Raw("}")
}

func (e *encoder) stops() {
	if len(e.Req.Stop) > 0 && e.Field("stop", body.Warns) {
		// Every provider takes an array.
		e.Out = jsonx.AppendStrings(e.Out, e.Stops(e.Rules.MaxStops))
	}
}

func (e *encoder) stream() {
	if !e.Req.Stream || !e.Field("stream", body.Refuses) {
		return
	}
	e.Raw("true")
	if e.Rules.AsksStreamUsage && e.Field("stream_options", body.Silent) {
		e.Raw(`{"include_usage":true}`)
	}
}

// limitField returns the field that the provider wants, empty if it takes both.
func (e *encoder) limitField() string {
	switch cmp.Or(e.Model.MaxTokens, e.Rules.MaxTokens) {
	case MaxTokens:
		return "max_tokens"
	case MaxCompletionTokens:
		return "max_completion_tokens"
	}
	return ""
}

func (e *encoder) choices() {
	n := e.Req.N
	switch {
	case n == nil || *n == 1:
	case e.Rules.SingleChoice:
		e.OneAnswer()
	case e.Field("n", body.Refuses):
		e.Out = jsonx.AppendInt(e.Out, *n)
	}
}

func (e *encoder) numbers() {
	r := e.Req
	e.FieldFloat("temperature", r.Temperature)
	e.FieldFloat("top_p", r.TopP)
	e.FieldInt("top_k", r.TopK)
	e.FieldInt("seed", r.Seed)
	e.FieldFloat("frequency_penalty", r.FrequencyPenalty)
	e.FieldFloat("presence_penalty", r.PresencePenalty)
}

func (e *encoder) logitBias() {
	r := e.Req
	if len(r.LogitBias) > 0 && e.Field("logit_bias", body.Warns) {
		e.Raw("{")
		for _, token := range slices.Sorted(maps.Keys(r.LogitBias)) {
			e.Key(token)
			e.Out = jsonx.AppendFloat(e.Out, r.LogitBias[token])
		}
		e.Raw("}")
	}
}

func (e *encoder) logprobs() {
	r := e.Req
	if !e.Rules.LogprobsCount {
		e.FieldBool("logprobs", r.Logprobs)
		e.FieldInt("top_logprobs", r.TopLogprobs)
	} else if wanted := logprobsCount(r); wanted != nil {
		e.FieldInt("logprobs", wanted)
	}
}

func logprobsCount(r *chat.Request) *int64 {
	if r.Logprobs == nil || !*r.Logprobs {
		return nil
	}
	n := int64(1)
	if r.TopLogprobs != nil {
		n = max(n, *r.TopLogprobs)
	}
	return &n
}
