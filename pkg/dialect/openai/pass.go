package openai

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// PassRequest edits the caller's body where the rules force it. What they force at the top level is
// edited member by member; what they force within messages or tools has those written anew.
// What is too odd to reason about (functions from before there were tools) does not pass. Data
// comes back itself if nothing is to be changed.
func (c Client) PassRequest(data []byte, req *chat.Request, changed []int) (dialect.Encoded, bool) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object || req.FunctionCalls || root.Get("function_call").Given() {
		return dialect.Encoded{}, false
	}
	p := passer{encoder: newEncoder(req, c.rules()), root: root}
	p.prepareReasoning()
	if p.steersAlready() {
		p.Warnings = nil // they are of a level that nobody named: the caller said on
	}
	p.edit = p.Edits(root)
	for m := root.First(); m.Exists(); m = m.Next() {
		p.member(string(m.Key()), m)
	}
	p.edit.Model()
	p.steering()
	p.streamOptions()
	p.conversation(changed)
	if !p.toolsPass() {
		p.edit.Replace(p.Apart(func() { p.Tools(p.tool, p.toolChoice) }), p.NameOf("tools"))
	}
	return p.edit.Encoded(chatPath, data)
}

// A passer edits one body. It asks the encoder what the rules want.
type passer struct {
	encoder
	root jsonx.Value
	edit body.Edits
}

// member edits one member by the rules of its field. Fields that depend on others have
// methods of their own.
func (p *passer) member(key string, m jsonx.Value) {
	r := p.Req
	if !m.Given() {
		p.null(key)
		return
	}
	switch key {
	case "model", "reasoning_effort", "reasoning", "thinking", "stream_options":
	case "messages":
		p.edit.Keep(key, m, body.Refuses)
	case "max_tokens", "max_completion_tokens":
		p.limit(key, m)
	case "temperature":
		p.edit.Float(key, m, r.Temperature)
	case "top_p":
		p.edit.Float(key, m, r.TopP)
	case "frequency_penalty":
		p.edit.Float(key, m, r.FrequencyPenalty)
	case "presence_penalty":
		p.edit.Float(key, m, r.PresencePenalty)
	case "top_k":
		p.edit.Int(key, m, r.TopK)
	case "seed":
		p.edit.Int(key, m, r.Seed)
	case "logprobs", "top_logprobs":
		p.logprobs(key, m)
	case "safety_identifier":
		p.endUser(m)
	case "stop":
		p.stops(m)
	case "n":
		p.answers(m)
	case "tool_choice":
		p.choice(m)
	default:
		p.edit.Keep(key, m, p.lossOf(key))
	}
}

// lossOf is what it does to lose a field whose value the rules leave alone.
func (p *passer) lossOf(key string) body.Loss {
	silentUnless := func(needed bool, loss body.Loss) body.Loss {
		if needed {
			return loss
		}
		return body.Silent
	}
	r := p.Req
	switch key {
	case "stream":
		return silentUnless(r.Stream, body.Refuses)
	case "tools":
		return silentUnless(len(r.Tools) > 0, body.Refuses)
	case "parallel_tool_calls":
		return silentUnless(len(r.Tools) > 0, body.Warns)
	case "response_format":
		return silentUnless(r.ResponseFormat != nil && r.ResponseFormat.Kind != chat.FormatText, body.Refuses)
	}
	return body.Warns
}

// null keeps a member that says nothing out of the way of those who do not know it.
func (p *passer) null(key string) {
	if want := p.limitField(); want != "" && want != key && (key == "max_tokens" || key == "max_completion_tokens") || !p.Accepts(key) {
		p.edit.Drop(key)
		return
	}
	p.edit.Rename(key, p.NameOf(key))
}

// limit edits the field that limits the answer's length. If the caller sent both, the newer counts.
func (p *passer) limit(key string, m jsonx.Value) {
	if key == "max_tokens" && p.root.Get("max_completion_tokens").Given() {
		if p.limitField() != "" || !p.Accepts(key) {
			p.edit.Drop(key)
		}
		return
	}
	want := p.limitField()
	if want != "" && want != key {
		p.edit.Rename(key, want)
		key = want
	}
	p.edit.Int(key, m, p.Req.MaxTokens)
}

// stops edits the stop sequences. Too many of them are a 400 wherever there is a limit.
func (p *passer) stops(m jsonx.Value) {
	if !p.edit.Keep("stop", m, body.Warns) {
		return
	}
	if m.Kind() == jsonx.String && p.Rules.Stop == StopArray {
		p.edit.Set(p.NameOf("stop"), slices.Concat([]byte("["), m.Raw(), []byte("]")))
	} else if stops := p.Stops(p.Rules.MaxStops); len(stops) < len(p.Req.Stop) {
		p.edit.Set(p.NameOf("stop"), jsonx.AppendStrings(nil, stops))
	}
}

func (p *passer) answers(m jsonx.Value) {
	switch n := p.Req.N; {
	case n == nil || *n == 1:
		p.edit.Keep("n", m, body.Silent)
	case p.Rules.SingleChoice:
		p.Lost("n", body.Refuses)
	default:
		p.edit.Keep("n", m, body.Refuses)
	}
}

// choice edits the word for "call some tool".
func (p *passer) choice(m jsonx.Value) {
	loss := body.Refuses
	if c := p.Req.ToolChoice; c == nil || c.Mode == chat.ToolAuto || len(p.Req.Tools) == 0 {
		loss = body.Silent
	}
	if !p.edit.Keep("tool_choice", m, loss) {
		return
	}
	word, other := "required", "any"
	if p.Rules.ToolChoice == ChoiceAny {
		word, other = other, word
	}
	if m.Is(other) {
		p.edit.Set(p.NameOf("tool_choice"), jsonx.AppendString(nil, word))
	}
	if m.Get("type").Is("allowed_tools") && p.Rules.AllowedTools == AllowedToolsFiltered {
		p.Lost("tool_choice", body.Refuses)
	}
}

// logprobs edits the two fields that Together has as one.
func (p *passer) logprobs(key string, m jsonx.Value) {
	asNumber := m.Kind() == jsonx.Number
	switch {
	case p.Rules.Logprobs == LogprobsBool && key == "logprobs" && asNumber:
		if p.edit.Keep(key, m, body.Warns) {
			p.edit.Set(p.NameOf(key), jsonx.AppendBool(nil, *p.Req.Logprobs))
		}
		if n := p.Req.TopLogprobs; n != nil && p.Accepts("top_logprobs") {
			p.edit.Set(p.NameOf("top_logprobs"), jsonx.AppendInt(nil, *n))
		}
	case p.Rules.Logprobs == LogprobsBool:
		p.edit.Int(key, m, nil)
	case key == "top_logprobs":
		p.edit.Drop(key)
	case !asNumber:
		if n := logprobsCount(p.Req); n == nil {
			p.edit.Drop(key)
		} else if p.edit.Keep(key, m, body.Warns) {
			p.edit.Set(p.NameOf(key), jsonx.AppendInt(nil, *n))
		}
	default:
		p.edit.Keep(key, m, body.Warns)
	}
}

// endUser edits OpenAI's new name of user, which others do not know.
func (p *passer) endUser(m jsonx.Value) {
	const name = "safety_identifier"
	switch {
	case p.Accepts("user") && p.NameOf("user") == "user":
		p.edit.Keep(name, m, body.Warns)
	case p.root.Get("user").Given():
		p.edit.Drop(name)
	case !p.Accepts("user"):
		p.Lost("user", body.Warns)
		p.edit.Drop(name)
	default:
		p.edit.Rename(name, p.NameOf("user"))
	}
}

// streamOptions asks for usage where the provider sends none unasked, and keeps what else
// the caller asked for.
func (p *passer) streamOptions() {
	const name = "stream_options"
	m := p.root.Get(name)
	if !p.edit.Keep(name, m, body.Silent) || !p.Req.Stream || p.Rules.StreamUsage != UsageAsked {
		return
	}
	if asked, _ := m.Get("include_usage").Bool(); asked {
		return
	}
	options := []byte(`{"include_usage":true}`)
	if m.Kind() == jsonx.Object {
		inner := jsonx.NewEdit(m)
		inner.Set("include_usage", []byte("true"))
		options = inner.Append(nil)
	}
	p.edit.Set(p.NameOf(name), options)
}

// steering edits the members that steer reasoning. They stay if they say in the provider's
// form what it is to be told; else they make way for those that do.
func (p *passer) steering() {
	if p.steersAlready() {
		return
	}
	p.edit.Replace(p.Apart(p.reasoning), "reasoning_effort", "reasoning", "thinking")
}

func (p *passer) steersAlready() bool {
	effort, object, thinking := p.root.Get("reasoning_effort"), p.root.Get("reasoning"), p.root.Get("thinking")
	if p.Rules.Reasoning == ReasoningObject {
		asked := ""
		if r := p.Req.Reasoning; r != nil {
			asked = r.Effort
		}
		// reasoning_effort is known beside the object.
		return !thinking.Given() && p.Effort == asked && p.Accepts("reasoning")
	}
	switch {
	case p.Rules.Reasoning == ReasoningToggle:
		return !thinking.Given() && p.togglesAlready(effort, object)
	case object.Given():
		return false
	case p.Rules.Reasoning == ReasoningBudget && effort.Given() != thinking.Given() && effort.Kind() != jsonx.String:
		return effort.Given() || thinking.Get("type").Is("disabled") || thinking.Get("type").Is("enabled") &&
			(!thinking.Get("budget_tokens").Given() || p.budgets())
	case p.Rules.Reasoning == ReasoningThinking:
		return p.thinksAlready(effort, thinking.Get("type"))
	case thinking.Given():
		return false
	case !effort.Given():
		return p.Effort == ""
	}
	return effort.Is(p.Effort)
}

func (p *passer) togglesAlready(effort, object jsonx.Value) bool {
	if object.Given() {
		enabled, ok := object.Get("enabled").Bool()
		if !ok || object.Len() != 1 || enabled != (p.Effort != "none") {
			return false
		}
	}
	if effort.Given() {
		return effort.Is(p.Effort) && p.Effort != "none" && p.Accepts("reasoning_effort")
	}
	return object.Given() || p.Effort == ""
}

func (p *passer) thinksAlready(effort, kind jsonx.Value) bool {
	switch {
	case p.Effort == "none":
		return kind.Is("disabled")
	case kind.Given() && !kind.Is("enabled"), p.Req.Reasoning != nil && p.Req.Reasoning.Budget != nil:
		return false
	case !effort.Given():
		return p.Effort == "" || kind.Given() // how much is the provider's choice
	}
	return effort.Is(p.Effort)
}
