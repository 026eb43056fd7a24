package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// config edits generationConfig.
func (p *passer) config(key string, m jsonx.Value) {
	inner := jsonx.NewEdit(m)
	for c := m.First(); c.Exists(); c = c.Next() {
		if c.Given() {
			p.setting(inner, c)
		}
	}
	if inner.Changed() {
		p.edit.Set(key, inner.Append(nil))
	}
}

// setting edits one member of generationConfig.
func (p *passer) setting(inner *jsonx.Edit, c jsonx.Value) {
	r, key := p.Req, string(c.Key())
	switch name := camel(c); name {
	case "temperature":
		p.float(inner, c, name, r.Temperature)
	case "topP":
		p.float(inner, c, name, r.TopP)
	case "presencePenalty":
		p.float(inner, c, name, r.PresencePenalty)
	case "frequencyPenalty":
		p.float(inner, c, name, r.FrequencyPenalty)
	case "candidateCount":
		if r.N != nil && *r.N != 1 {
			p.several(*r.N)
		} else if !p.Accepts(name) {
			inner.Drop(key)
		}
	case "stopSequences":
		if !p.accepts(name) {
			inner.Drop(key)
		} else if stops := p.Stops(maxStops); len(stops) < len(r.Stop) {
			inner.Set(key, jsonx.AppendStrings(nil, stops))
		}
	case "responseMimeType":
		if p.Accepts(name) {
			return
		}
		if f := r.ResponseFormat; f != nil && f.Kind != chat.FormatText {
			p.Lost(name, body.Refuses)
		}
		inner.Drop(key)
	case "thinkingConfig":
		p.steer(inner, c)
	default:
		if !p.accepts(name) {
			inner.Drop(key)
		}
	}
}

func (p *passer) float(inner *jsonx.Edit, c jsonx.Value, name string, value *float64) {
	if !p.accepts(name) {
		inner.Drop(string(c.Key()))
		return
	}
	if value == nil {
		return
	}
	if clamped := p.Clamp(name, *value); clamped != *value {
		inner.Set(string(c.Key()), jsonx.AppendFloat(nil, clamped))
	}
}

// steer edits thinkingConfig: it stays if it says in the model's form how much to think.
func (p *passer) steer(config *jsonx.Edit, c jsonx.Value) {
	r, key := p.Req.Reasoning, string(c.Key())
	if r == nil {
		return
	}
	if !p.thinks(r) {
		config.Drop(key)
		return
	}
	if r.Effort == "" && r.Budget == nil {
		return
	}
	inner := jsonx.NewEdit(c)
	level, budget := find(c, "thinkingLevel"), find(c, "thinkingBudget")
	if p.byLevel(r) {
		wanted := strings.ToUpper(p.level(r))
		if strings.ToUpper(level.Str()) == wanted {
			return
		}
		inner.Drop(string(budget.Key()))
		inner.Set(nameIn(level, "thinkingLevel"), jsonx.AppendString(nil, wanted))
	} else {
		wanted := p.budget(r)
		if r.Budget != nil && *r.Budget == wanted {
			return
		}
		inner.Drop(string(level.Key()))
		inner.Set(nameIn(budget, "thinkingBudget"), jsonx.AppendInt(nil, wanted))
	}
	config.Set(key, inner.Append(nil))
}

// nameIn is the member's name as the caller writes it, or the name given if there is no member.
func nameIn(m jsonx.Value, name string) string {
	if m.Exists() {
		return string(m.Key())
	}
	return name
}
