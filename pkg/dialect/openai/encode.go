package openai

import (
	"cmp"
	"maps"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// prepare settles what several fields depend on.
func (e *encoder) prepare() {
	for _, m := range e.rules.Models {
		if m.Match != nil && m.Match(e.req.Model) {
			e.model = m
			break
		}
	}
	e.prepareReasoning()
}

func (e *encoder) request() {
	r := e.req
	e.raw("{")
	if e.field("model", lossRefuses) {
		e.str(r.Model)
	}
	if e.field("messages", lossRefuses) {
		e.messages()
	}
	e.tools()
	e.responseFormat()
	e.limits()
	e.sampling()
	e.reasoning()
	e.fieldString("verbosity", r.Verbosity)
	e.fieldString("service_tier", r.ServiceTier)
	e.fieldString("user", r.User)
	e.metadata()
	e.fieldString("prompt_cache_key", r.CacheKey)
	if r.Stream && e.field("stream", lossRefuses) {
		e.raw("true")
		if e.rules.StreamUsage == dialect.UsageAsked && e.field("stream_options", lossSilent) {
			e.raw(`{"include_usage":true}`)
		}
	}
	e.raw("}")
}

// limits writes what bounds the answer.
func (e *encoder) limits() {
	e.fieldInt(cmp.Or(e.limitField(), "max_completion_tokens"), e.req.MaxTokens)
	if len(e.req.Stop) > 0 && e.field("stop", lossWarns) {
		// An array suits both StopAny and StopArray.
		e.raw("[")
		for i, s := range e.req.Stop {
			e.comma(i)
			e.str(s)
		}
		e.raw("]")
	}
	e.choices()
}

// limitField is the field that the provider wants, empty if either will do.
func (e *encoder) limitField() string {
	switch cmp.Or(e.model.MaxTokens, e.rules.MaxTokens) {
	case dialect.MaxTokens:
		return "max_tokens"
	case dialect.MaxCompletionTokens:
		return "max_completion_tokens"
	}
	return ""
}

func (e *encoder) choices() {
	n := e.req.N
	switch {
	case n == nil || *n == 1:
	case e.rules.SingleChoice:
		e.refuse("n", "%s gives one answer, not %d", e.provider(), *n)
	case e.field("n", lossRefuses):
		e.out = jsonx.AppendInt(e.out, *n)
	}
}

func (e *encoder) sampling() {
	r := e.req
	e.fieldFloat("temperature", r.Temperature)
	e.fieldFloat("top_p", r.TopP)
	e.fieldInt("top_k", r.TopK)
	e.fieldInt("seed", r.Seed)
	e.fieldFloat("frequency_penalty", r.FrequencyPenalty)
	e.fieldFloat("presence_penalty", r.PresencePenalty)
	if len(r.LogitBias) > 0 && e.field("logit_bias", lossWarns) {
		e.raw("{")
		for i, token := range slices.Sorted(maps.Keys(r.LogitBias)) {
			e.comma(i)
			e.name(token)
			e.out = jsonx.AppendFloat(e.out, r.LogitBias[token])
		}
		e.raw("}")
	}
	if e.rules.Logprobs == dialect.LogprobsBool {
		e.fieldBool("logprobs", r.Logprobs)
		e.fieldInt("top_logprobs", r.TopLogprobs)
	} else if wanted := logprobsCount(r); wanted != nil {
		e.fieldInt("logprobs", wanted)
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

func (e *encoder) metadata() {
	if len(e.req.Metadata) == 0 || !e.field("metadata", lossWarns) {
		return
	}
	e.raw("{")
	for i, key := range slices.Sorted(maps.Keys(e.req.Metadata)) {
		e.comma(i)
		e.name(key)
		e.str(e.req.Metadata[key])
	}
	e.raw("}")
}

func (e *encoder) comma(i int) {
	if i > 0 {
		e.out = append(e.out, ',')
	}
}
