package body

import (
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// Edits change a caller's body that passes, where the rules force it. They must be made by Writer.Edits.
type Edits struct {
	*jsonx.Edit
	Root jsonx.Value
	w    *Writer
}

// Edits begins to change the body, which must be an object. The writer says what the rules
// want, and takes the warnings.
func (w *Writer) Edits(root jsonx.Value) Edits { return Edits{jsonx.NewEdit(root), root, w} }

// Encoded is the request to be sent to the path: data itself, which the edits are of, if there are
// none. It is not ok if something was refused.
func (e *Edits) Encoded(path string, data []byte) (enc dialect.Encoded, ok bool) {
	if e.w.Err != nil {
		return dialect.Encoded{}, false
	}
	if e.Changed() {
		data = e.Append(make([]byte, 0, len(data)+256))
	}
	return dialect.Encoded{Path: path, Body: data, Warnings: e.w.Warnings}, true
}

// Keep gives the member the provider's name, or takes it out if the provider does not know it.
func (e *Edits) Keep(name string, m jsonx.Value, loss Loss) bool {
	if e.w.Accepts(name) {
		e.Rename(name, e.w.NameOf(name))
		return true
	}
	if says(m) {
		e.w.Lost(name, loss)
	}
	e.Drop(name)
	return false
}

// says is false for values whose loss is none.
func says(m jsonx.Value) bool {
	switch m.Kind() {
	case jsonx.Missing, jsonx.Null:
		return false
	case jsonx.String:
		return !m.Empty()
	case jsonx.Array, jsonx.Object:
		return m.Len() > 0
	}
	return true
}

// Float keeps the member, whose value may be nil, and clamps it.
func (e *Edits) Float(name string, m jsonx.Value, value *float64) {
	if !e.Keep(name, m, Warns) || value == nil {
		return
	}
	if clamped := e.w.Clamp(name, *value); clamped != *value {
		e.Set(e.w.NameOf(name), jsonx.AppendFloat(nil, clamped))
	}
}

// Int is Float for whole numbers.
func (e *Edits) Int(name string, m jsonx.Value, value *int64) {
	if !e.Keep(name, m, Warns) || value == nil {
		return
	}
	if clamped := e.w.ClampInt(name, *value); clamped != *value {
		e.Set(e.w.NameOf(name), jsonx.AppendInt(nil, clamped))
	}
}

// Replace gives the members of those names the values that they have in another object, and takes out those that it lacks.
func (e *Edits) Replace(by jsonx.Value, names ...string) {
	for _, name := range names {
		if m := by.Get(name); m.Exists() {
			e.Set(name, m.Raw())
		} else {
			e.Drop(name)
		}
	}
}

// Model sets the model to send.
func (e *Edits) Model() {
	m := e.Root.Get("model")
	if e.Keep("model", m, Refuses) && !m.Is(e.w.Req.Model) {
		e.Set(e.w.NameOf("model"), jsonx.AppendString(nil, e.w.Req.Model))
	}
}

// AsItCame is the StreamPasser that changes nothing but the framing.
type AsItCame struct{}

// Pass appends the event.
func (AsItCame) Pass(out []byte, name string, data []byte) []byte {
	return sse.AppendEvent(out, name, data)
}
