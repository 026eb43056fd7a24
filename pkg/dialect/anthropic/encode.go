package anthropic

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// prepare computes what several fields depend on.
func (e *encoder) prepare() {
	e.arrange()
	e.prepareThinking()
	if e.endsWithAssistant() {
		e.askToContinue()
	}
	e.limit()
}

func (e *encoder) request() {
	e.Begin()
	e.FieldModel()
	if e.purpose == answers && e.Field("max_tokens", body.Refuses) {
		e.Out = jsonx.AppendInt(e.Out, e.maxTokens)
	}
	e.instructions()
	e.fieldMessages()
	e.tools()
	e.think()
	e.outputConfig()
	if e.purpose == answers {
		e.sampling()
		e.stop()
		e.serviceTier()
		e.user()
		e.FieldStream()
		e.unsupported()
	}
	e.Raw("}")
}

// unsupported warns of what the dialect has no field for, or refuses it.
func (e *encoder) unsupported() {
	r := e.Req
	e.OneAnswer()
	e.warnUnsupported("seed", r.Seed != nil)
	e.warnUnsupported("frequency_penalty", r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0)
	e.warnUnsupported("presence_penalty", r.PresencePenalty != nil && *r.PresencePenalty != 0)
	e.warnUnsupported("logit_bias", len(r.LogitBias) > 0)
	e.warnUnsupported("logprobs", r.Logprobs != nil && *r.Logprobs)
	e.warnUnsupported("verbosity", r.Verbosity != "")
	e.warnUnsupported("metadata", len(r.Metadata) > 0)
}

// defaultMaxTokens limits a whole answer if the caller does not.
const defaultMaxTokens = 8192

// limit computes max_tokens, and the budget for thinking within it.
func (e *encoder) limit() {
	most := e.MaxOutput()
	switch asked := e.MaxTokens(); {
	case asked != nil:
		e.maxTokens = *asked
	case e.Req.Stream && most > 0:
		e.maxTokens = most
	default:
		e.maxTokens = defaultMaxTokens
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

// sampling writes the numbers. Models from Claude Opus 4.1 on refuse temperature beside top_p, and
// every model refuses either while it thinks
// (https://platform.claude.com/docs/en/build-with-claude/extended-thinking).
func (e *encoder) sampling() {
	r := e.Req
	thinks := e.thinking.form == thinkAdaptive || e.thinking.form == thinkEnabled
	number := func(name string, value *float64) {
		loss := body.Warns
		if value != nil && *value == 1 {
			loss = body.Silent // it is the default
		}
		switch {
		case value == nil:
		case thinks && loss == body.Warns:
			e.Warn("%s does not take %s while the model thinks: dropped", e.Provider(), name)
		case thinks:
		case e.Field(name, loss):
			e.Out = jsonx.AppendFloat(e.Out, e.Clamp(name, *value))
		}
	}
	number("temperature", r.Temperature)
	if r.Temperature == nil || r.TopP == nil || thinks || !e.Accepts("top_p") {
		number("top_p", r.TopP)
	} else if *r.TopP != 1 {
		e.Warn("%s does not take top_p beside temperature: dropped", e.Provider())
	}
	switch {
	case r.TopK == nil:
	case thinks:
		e.Warn("%s does not take top_k while the model thinks: dropped", e.Provider())
	case e.Field("top_k", body.Warns):
		e.Out = jsonx.AppendInt(e.Out, *r.TopK)
	}
}

// stop writes the stop sequences. The API refuses those of white space alone.
func (e *encoder) stop() {
	var kept []string
	for _, s := range e.Req.Stop {
		if strings.TrimSpace(s) == "" {
			e.Warn("%s takes no stop sequence of white space: dropped", e.Provider())
			continue
		}
		kept = append(kept, s)
	}
	if len(kept) == 0 || !e.Field("stop_sequences", body.Warns) {
		return
	}
	e.Out = jsonx.AppendStrings(e.Out, kept)
}

// serviceTier writes auto or standard_only, which is OpenAI's default.
func (e *encoder) serviceTier() {
	tier := e.Req.ServiceTier
	switch tier {
	case "":
		return
	case "auto", "standard_only":
	case "default", "standard":
		tier = "standard_only"
	default:
		e.Warn("the service tier %q is not known to %s: dropped", tier, e.Provider())
		return
	}
	if e.Field("service_tier", body.Warns) {
		e.Str(tier)
	}
}

// maxUser limits an end user's id, in characters.
const maxUser = 512

func (e *encoder) user() {
	switch id := e.Req.User; {
	case id == "":
	case len([]rune(id)) > maxUser:
		e.Warn("%s takes a user id of at most %d characters: dropped", e.Provider(), maxUser)
	case e.Field("metadata", body.Warns):
		e.Member(`{"user_id":`, id)
		e.Raw("}")
	}
}

// instructions writes the system prompt.
func (e *encoder) instructions() {
	prompt := e.formatPrompt()
	var blocks []chat.Part
	for _, p := range e.system {
		if p.Kind != chat.Text {
			e.Refuse("messages", "instructions to %s can be text alone", e.Provider())
		} else if !body.Blank(p.Text) {
			blocks = append(blocks, p)
		}
	}
	if prompt != "" {
		blocks = append(blocks, chat.Part{Kind: chat.Text, Text: prompt})
	}
	if len(blocks) == 0 || !e.Field("system", body.Refuses) {
		return
	}
	e.Raw("[")
	for i := range blocks {
		e.Comma()
		e.text(&blocks[i])
	}
	e.Raw("]")
}
