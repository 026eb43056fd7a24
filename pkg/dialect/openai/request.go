package openai

import (
	"cmp"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A RequestDecoder reads one request, and goes on after an issue.
type RequestDecoder struct {
	body.Reader
	Request *chat.Request

	format *RequestFormat
	own    func(m jsonx.Value) bool

	// Members that depend on others are read last.
	toolChoice, functionCall             jsonx.Value
	effort, reasoning, thinking, without jsonx.Value // without: what keeps the reasoning out of the answer
	oldLimit                             *int64
	endUser                              string
	models                               []string // to serve if the model cannot

	calls []*chat.ToolCall // so far, in the conversation
}

const maxStops = 16 // as many as any provider takes

// NewRequestDecoder returns a decoder of one request in the format. own, if not nil, reads members of the
// request that only the format has; it returns false for others.
func NewRequestDecoder(format *RequestFormat, own func(m jsonx.Value) bool) *RequestDecoder {
	d := &RequestDecoder{Request: new(chat.Request), format: format, own: own}
	if !format.Strict {
		d.Passes = d.Request
	}
	return d
}

// Decode reads the request.
func (d *RequestDecoder) Decode(v jsonx.Value) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	if messages := v.Get("messages"); messages.Exists() && !messages.Given() && d.format.Strict {
		d.Expected(messages, "an array")
	} else {
		d.require(v, "messages")
	}
	d.object(v, d.format.Request, d.member)
	r := d.Request
	if r.MaxTokens == nil {
		r.MaxTokens = d.oldLimit
	}
	r.User = cmp.Or(r.User, d.endUser)
	d.readReasoning()
	d.readToolChoice()
}

func (d *RequestDecoder) member(name []byte, m jsonx.Value) {
	switch {
	case d.own != nil && d.own(m):
	case d.conversation(name, m), d.sampling(name, m), d.shape(name, m), d.extras(name, m):
	default:
		d.foreign(name, m)
	}
}

// conversation reads the messages, the model that answers, and how the answer is sent.
func (d *RequestDecoder) conversation(name []byte, m jsonx.Value) bool {
	switch string(name) {
	case "model":
		d.Request.Model = d.Name(m)
	case "messages":
		d.messages(m)
	case "stream":
		d.Request.Stream = d.Bool(m)
	case "stream_options":
		d.object(m, nil, func(name []byte, o jsonx.Value) {
			if string(name) == "include_usage" {
				d.Request.StreamUsage = d.Bool(o)
			}
		})
	default:
		return false
	}
	return true
}

// sampling reads the parameters that are numbers.
func (d *RequestDecoder) sampling(name []byte, m jsonx.Value) bool {
	r := d.Request
	switch string(name) {
	case "max_completion_tokens":
		r.MaxTokens = d.Int(m, 1, 1<<53)
	case "max_tokens": // deprecated in favour of the former, and the only one that some servers know
		d.oldLimit = d.Int(m, 1, 1<<53)
	case "temperature":
		r.Temperature = d.Float(m, 0, 2)
	case "top_p":
		r.TopP = d.Float(m, 0, 1)
	case "top_k":
		least := int64(-1) // servers of open models take 0 and -1 for no limit
		if d.format.Strict {
			least = 1
		}
		if k := d.Int(m, least, 1<<53); k != nil && *k > 0 {
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

// logprobs reads a boolean or, as Together has it, the number of the likeliest tokens to list.
func (d *RequestDecoder) logprobs(m jsonx.Value) {
	wanted := false
	if m.Kind() == jsonx.Number && !d.format.Strict {
		n := d.Int(m, 0, 20)
		wanted = n != nil && *n > 0
		if wanted {
			d.Request.TopLogprobs = n
		}
	} else {
		wanted = d.Bool(m)
	}
	d.Request.Logprobs = &wanted
}

// foreign notes a member that package chat has no field for.
func (d *RequestDecoder) foreign(name []byte, m jsonx.Value) {
	essential := false
	switch string(name) {
	case "usage": // OpenRouter's request for usage, which every answer has
		return
	case "models":
		d.models = body.Models(m)
	case "modalities":
		for e := m.First(); e.Exists(); e = e.Next() {
			essential = essential || !e.Is("text")
		}
		if !essential {
			return
		}
	}
	body.NoteForeign(d.Request, m, essential)
}

// extras reads members that only some providers know.
func (d *RequestDecoder) extras(name []byte, m jsonx.Value) bool {
	r := d.Request
	switch string(name) {
	case "logit_bias":
		d.object(m, nil, func(token []byte, bias jsonx.Value) {
			if f := d.Float(bias, -100, 100); f != nil {
				if r.LogitBias == nil {
					r.LogitBias = make(map[string]float64, m.Len())
				}
				r.LogitBias[string(token)] = *f
			}
		})
	case "metadata":
		r.Metadata = d.Metadata(m)
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
