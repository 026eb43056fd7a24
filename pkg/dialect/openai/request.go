package openai

import (
	"cmp"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A requestDecoder reads one request, and goes on after an issue.
type requestDecoder struct {
	body.Reader
	req *chat.Request

	// What depends on other members is read last.
	toolChoice, functionCall             jsonx.Value
	effort, reasoning, thinking, without jsonx.Value // without is what keeps the reasoning from the caller
	oldLimit                             *int64
	endUser                              string

	calls []*chat.ToolCall // so far, in the conversation
}

const maxStops = 16 // as many as any provider takes

func (d *requestDecoder) request(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	d.require(v, "messages")
	for m := v.First(); m.Exists() && !d.Full(); m = m.Next() {
		if !m.Given() {
			continue
		}
		switch key := string(m.Key()); {
		case d.conversation(key, m), d.sampling(key, m), d.shape(key, m), d.extras(key, m):
		default:
			d.foreign(key, m)
		}
	}
	r := d.req
	if r.MaxTokens == nil {
		r.MaxTokens = d.oldLimit
	}
	r.User = cmp.Or(r.User, d.endUser)
	d.reasons()
	d.choice(v)
}

// conversation reads what is said, to whom, and how the answer comes.
func (d *requestDecoder) conversation(key string, m jsonx.Value) bool {
	switch key {
	case "model":
		d.req.Model = d.Name(m)
	case "messages":
		d.messages(m)
	case "stream":
		d.req.Stream = d.Bool(m)
	case "stream_options":
		d.object(m, func(key string, o jsonx.Value) {
			if key == "include_usage" {
				d.req.StreamUsage = d.Bool(o)
			}
		})
	default:
		return false
	}
	return true
}

// sampling reads the numbers.
func (d *requestDecoder) sampling(key string, m jsonx.Value) bool {
	r := d.req
	switch key {
	case "max_completion_tokens":
		r.MaxTokens = d.Int(m, 1, 1<<53)
	case "max_tokens": // deprecated for the former, and all that some servers know
		d.oldLimit = d.Int(m, 1, 1<<53)
	case "temperature":
		r.Temperature = d.Float(m, 0, 2)
	case "top_p":
		r.TopP = d.Float(m, 0, 1)
	case "top_k":
		// Open models' servers take 0 and -1 for all tokens, which is to say nothing.
		if k := d.Int(m, -1, 1<<53); k != nil && *k > 0 {
			r.TopK = k
		}
	case "seed", "random_seed": // random_seed: Mistral
		r.Seed = d.Int(m, -1<<63, 1<<63-1)
	case "n":
		r.N = d.Int(m, 1, 128)
	case "frequency_penalty":
		r.FrequencyPenalty = d.Float(m, -2, 2)
	case "presence_penalty":
		r.PresencePenalty = d.Float(m, -2, 2)
	case "logprobs":
		d.logprobs(m)
	case "top_logprobs":
		r.TopLogprobs = d.Int(m, 0, 20)
	default:
		return false
	}
	return true
}

// logprobs reads a boolean or, as Together has it, how many are wanted.
func (d *requestDecoder) logprobs(m jsonx.Value) {
	wanted := false
	if m.Kind() == jsonx.Number {
		n := d.Int(m, 0, 20)
		wanted = n != nil && *n > 0
		if wanted {
			d.req.TopLogprobs = n
		}
	} else {
		wanted = d.Bool(m)
	}
	d.req.Logprobs = &wanted
}

// foreign notes what the canonical form does not carry.
func (d *requestDecoder) foreign(key string, m jsonx.Value) {
	essential := false
	switch key {
	case "store", "usage": // nothing is kept anyway; OpenRouter's wish for what every answer has
		return
	case "modalities":
		for e := m.First(); e.Exists(); e = e.Next() {
			essential = essential || !e.Is("text")
		}
		if !essential {
			return
		}
	}
	body.NoteForeign(d.req, m, essential)
}

// extras reads what only some providers know.
func (d *requestDecoder) extras(key string, m jsonx.Value) bool {
	r := d.req
	switch key {
	case "logit_bias":
		d.object(m, func(token string, bias jsonx.Value) {
			if f := d.Float(bias, -100, 100); f != nil {
				if r.LogitBias == nil {
					r.LogitBias = make(map[string]float64, m.Len())
				}
				r.LogitBias[token] = *f
			}
		})
	case "metadata":
		d.object(m, func(key string, value jsonx.Value) {
			if r.Metadata == nil {
				r.Metadata = make(map[string]string, m.Len())
			}
			r.Metadata[key] = d.Str(value)
		})
	case "verbosity":
		r.Verbosity = d.OneOf(m, "low", "medium", "high")
	case "service_tier":
		r.ServiceTier = d.Name(m)
	case "user":
		r.User = d.Str(m)
	case "safety_identifier", "user_id": // OpenAI's new name of user; DeepSeek's
		d.endUser = d.Str(m)
	case "prompt_cache_key":
		r.CacheKey = d.Str(m)
	case "reasoning_effort":
		d.effort = m
	case "reasoning":
		d.reasoning = m
	case "thinking":
		d.thinking = m
	case "include_reasoning", "reasoning_format": // OpenRouter, Groq
		d.without = m
	default:
		return false
	}
	return true
}
