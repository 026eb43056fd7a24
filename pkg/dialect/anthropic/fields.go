package anthropic

import (
	"fmt"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An encoder writes one request.
type encoder struct {
	req      *chat.Request
	purpose  purpose
	rules    *dialect.Rules
	model    dialect.ModelRules // the exceptions of this model
	out      []byte
	warnings []string
	err      *chat.Error

	system []chat.Part // what goes before the conversation
	turns  []turn
	// conversing says that the messages are being written.
	conversing bool
	surplus    int // marks of the conversation that are too many
	maxTokens  int64
	thinking   thinking
	files      bool // a file_id is sent
}

// loss says what the loss of a field does.
type loss uint8

const (
	lossWarns loss = iota
	lossSilent
	lossRefuses // the request would mean something else
)

func (e *encoder) warn(format string, args ...any) {
	w := fmt.Sprintf(format, args...)
	if !slices.Contains(e.warnings, w) {
		e.warnings = append(e.warnings, w)
	}
}

// refuse makes the request fail. The first reason counts.
func (e *encoder) refuse(param, format string, args ...any) {
	if e.err == nil {
		e.err = &chat.Error{Class: chat.BadRequest, Param: param, Message: fmt.Sprintf(format, args...)}
	}
}

func (e *encoder) provider() string {
	if e.rules.Provider == "" {
		return "the provider"
	}
	return e.rules.Provider
}

// accepts says whether the provider takes the dialect's field for this model.
func (e *encoder) accepts(name string) bool {
	if slices.Contains(e.rules.Drop, name) || slices.Contains(e.model.Drop, name) {
		return false
	}
	return len(e.rules.Fields) == 0 || slices.Contains(e.rules.Fields, e.key(name))
}

// key is the provider's name of the dialect's field.
func (e *encoder) key(name string) string {
	if key, ok := e.rules.Rename[name]; ok {
		return key
	}
	return name
}

// field begins a top-level field, or says that it must stay out.
func (e *encoder) field(name string, loss loss) bool {
	if !e.accepts(name) {
		switch loss {
		case lossWarns:
			e.warn("%s is not supported by %s for this model: dropped", name, e.provider())
		case lossRefuses:
			e.refuse(name, "%s cannot be sent to %s for this model", name, e.provider())
		}
		return false
	}
	if len(e.out) > 1 {
		e.out = append(e.out, ',')
	}
	e.name(e.key(name))
	return true
}

// lost warns that the dialect has no such field.
func (e *encoder) lost(name string, given bool) {
	if given {
		e.warn("%s is not supported by %s: dropped", name, e.provider())
	}
}

// name writes a member's name and the colon.
func (e *encoder) name(s string) {
	e.out = jsonx.AppendString(e.out, s)
	e.out = append(e.out, ':')
}

func (e *encoder) raw(s string) { e.out = append(e.out, s...) }

func (e *encoder) str(s string) { e.out = jsonx.AppendString(e.out, s) }

// member writes a further member of an object, unless it is empty.
func (e *encoder) member(name, value string) {
	if value != "" {
		e.raw(",")
		e.name(name)
		e.str(value)
	}
}

func (e *encoder) comma(i int) {
	if i > 0 {
		e.out = append(e.out, ',')
	}
}

func (e *encoder) clamp(name string, value float64) float64 {
	r, ok := e.rules.Clamp[name]
	if !ok || value >= r.Min && value <= r.Max {
		return value
	}
	clamped := min(max(value, r.Min), r.Max)
	e.warn("%s is %v, but %s takes %v to %v: changed to %v", name, value, e.provider(), r.Min, r.Max, clamped)
	return clamped
}
