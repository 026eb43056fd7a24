package anthropic

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// prepare settles what several fields depend on.
func (e *encoder) prepare() {
	e.match()
	e.arrange()
	e.prepareThinking()
	e.limit()
}

// match finds the exceptions of the model.
func (e *encoder) match() {
	for _, m := range e.rules.Models {
		if m.Match != nil && m.Match(e.req.Model) {
			e.model = m
			break
		}
	}
}

func (e *encoder) request() {
	r := e.req
	e.raw("{")
	if e.field("model", lossRefuses) {
		e.str(r.Model)
	}
	if e.purpose == answers && e.field("max_tokens", lossRefuses) {
		e.out = jsonx.AppendInt(e.out, e.maxTokens)
	}
	e.instructions()
	if e.field("messages", lossRefuses) {
		e.conversing = true
		e.messages()
		e.conversing = false
	}
	e.tools()
	e.think()
	e.outputConfig()
	if e.purpose == answers {
		e.sampling()
		e.stop()
		e.serviceTier()
		e.user()
		if r.Stream && e.field("stream", lossRefuses) {
			e.raw("true")
		}
		e.inexpressible()
	}
	e.raw("}")
}

// inexpressible deals with what the dialect has no field for.
func (e *encoder) inexpressible() {
	r := e.req
	if r.N != nil && *r.N != 1 {
		e.refuse("n", "%s gives one answer, not %d", e.provider(), *r.N)
	}
	e.lost("seed", r.Seed != nil)
	e.lost("frequency_penalty", r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0)
	e.lost("presence_penalty", r.PresencePenalty != nil && *r.PresencePenalty != 0)
	e.lost("logit_bias", len(r.LogitBias) > 0)
	e.lost("logprobs", r.Logprobs != nil && *r.Logprobs)
	e.lost("verbosity", r.Verbosity != "")
	e.lost("metadata", len(r.Metadata) > 0)
}

// wholeTokens is how long a whole answer may be if the caller did not say.
const wholeTokens = 8192

// limit settles max_tokens, and what of it may be thought.
func (e *encoder) limit() {
	most := int64(0)
	if e.rules.MaxOutput != nil {
		most = e.rules.MaxOutput(e.req.Model)
	}
	switch asked := e.req.MaxTokens; {
	case asked != nil && most > 0 && *asked > most:
		e.warn("max_tokens is %d, but this model of %s gives at most %d: changed", *asked, e.provider(), most)
		e.maxTokens = most
	case asked != nil:
		e.maxTokens = *asked
	case e.req.Stream && most > 0:
		e.maxTokens = most
	default:
		e.maxTokens = wholeTokens
		switch e.thinking.form {
		case thinkAdaptive:
			e.maxTokens *= 2
		case thinkEnabled:
			e.maxTokens += e.thinking.budget
		}
		if most > 0 {
			e.maxTokens = min(e.maxTokens, most)
		}
	}
	e.fitBudget()
}

// sampling writes the numbers. Both temperature and top_p are too much for models from
// Claude Opus 4.1 on, and any of them is while a model thinks
// (https://platform.claude.com/docs/en/build-with-claude/extended-thinking).
func (e *encoder) sampling() {
	r := e.req
	thinks := e.thinking.form == thinkAdaptive || e.thinking.form == thinkEnabled
	one := func(name string, value *float64) {
		loss := lossWarns
		if value != nil && *value == 1 {
			loss = lossSilent // it is the default
		}
		switch {
		case value == nil:
		case thinks && loss == lossWarns:
			e.warn("%s does not take %s while the model thinks: dropped", e.provider(), name)
		case thinks:
		case e.field(name, loss):
			e.out = jsonx.AppendFloat(e.out, e.clamp(name, *value))
		}
	}
	one("temperature", r.Temperature)
	if r.Temperature == nil || r.TopP == nil || thinks || !e.accepts("top_p") {
		one("top_p", r.TopP)
	} else if *r.TopP != 1 {
		e.warn("%s does not take top_p beside temperature: dropped", e.provider())
	}
	switch {
	case r.TopK == nil:
	case thinks:
		e.warn("%s does not take top_k while the model thinks: dropped", e.provider())
	case e.field("top_k", lossWarns):
		e.out = jsonx.AppendInt(e.out, *r.TopK)
	}
}

// stop writes the stop sequences; those of white space alone are refused.
func (e *encoder) stop() {
	var kept []string
	for _, s := range e.req.Stop {
		if strings.TrimSpace(s) == "" {
			e.warn("%s takes no stop sequence of white space: dropped", e.provider())
			continue
		}
		kept = append(kept, s)
	}
	if len(kept) == 0 || !e.field("stop_sequences", lossWarns) {
		return
	}
	e.raw("[")
	for i, s := range kept {
		e.comma(i)
		e.str(s)
	}
	e.raw("]")
}

// serviceTier knows two words; OpenAI's default is what standard_only says.
func (e *encoder) serviceTier() {
	tier := e.req.ServiceTier
	switch tier {
	case "":
		return
	case "auto", "standard_only":
	case "default", "standard":
		tier = "standard_only"
	default:
		e.warn("the service tier %q is not known to %s: dropped", tier, e.provider())
		return
	}
	if e.field("service_tier", lossWarns) {
		e.str(tier)
	}
}

// maxUser is how long an end user's id may be, in characters.
const maxUser = 512

func (e *encoder) user() {
	switch id := e.req.User; {
	case id == "":
	case len([]rune(id)) > maxUser:
		e.warn("%s takes a user id of at most %d characters: dropped", e.provider(), maxUser)
	case e.field("metadata", lossWarns):
		e.raw(`{"user_id":`)
		e.str(id)
		e.raw("}")
	}
}

// instructions writes the system prompt.
func (e *encoder) instructions() {
	prompt := e.formatPrompt()
	var blocks []chat.Part
	for _, p := range e.system {
		if p.Kind != chat.Text {
			e.refuse("messages", "instructions to %s can be text alone", e.provider())
		} else if !blank(p.Text) {
			blocks = append(blocks, p)
		}
	}
	if prompt != "" {
		blocks = append(blocks, chat.Part{Kind: chat.Text, Text: prompt})
	}
	if len(blocks) == 0 || !e.field("system", lossRefuses) {
		return
	}
	e.raw("[")
	for i := range blocks {
		e.comma(i)
		e.text(&blocks[i])
	}
	e.raw("]")
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
