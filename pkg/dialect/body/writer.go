package body

import (
	"fmt"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A Writer writes one request as a provider's rules want it. It must be made by NewWriter.
type Writer struct {
	Req      *chat.Request
	Out      []byte
	Warnings []string
	// Err is why the request cannot be sent; nil if it can.
	Err *chat.Error
	// Effort of reasoning is as it will be sent; empty if nothing is said.
	Effort string

	part       *chat.Part // that is written
	rules      *dialect.CommonRules
	exceptions dialect.ModelExceptions // of the request's model
}

// Loss is what the loss of a field means.
type Loss uint8

// The losses.
const (
	Warns   Loss = iota // a warning
	Silent              // nothing
	Refuses             // the request is refused, as it would mean something else
)

// NewWriter returns a writer that has written nothing. Exceptions are those of the request's model.
func NewWriter(req *chat.Request, rules *dialect.CommonRules, exceptions dialect.ModelExceptions) Writer {
	return Writer{Req: req, rules: rules, exceptions: exceptions}
}

// Begin begins the request's object.
func (w *Writer) Begin() { w.Out = append(make([]byte, 0, sizeOf(w.Req)), '{') }

// Encoded returns the request, to be sent to the path, or why it cannot be sent.
func (w *Writer) Encoded(path string) (dialect.Encoded, error) {
	if w.Err != nil {
		return dialect.Encoded{}, w.Err
	}
	return dialect.Encoded{Path: path, Body: w.Out, Warnings: w.Warnings}, nil
}

// maxWarnings bounds the warnings of a request: some name what the caller wrote.
const maxWarnings = 64

// Warn adds a warning about something that is dropped or changed, once.
func (w *Writer) Warn(format string, args ...any) {
	if len(w.Warnings) >= maxWarnings {
		return
	}
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(w.Warnings, text) {
		w.Warnings = append(w.Warnings, text)
	}
}

// WarnContinued warns that a message of the user follows what the assistant said last.
func (w *Writer) WarnContinued() {
	w.Warn("%s does not continue a message of the assistant with this model: a message of the user asks it to go on", w.Provider())
}

// Refuse makes the request fail. The first reason counts.
func (w *Writer) Refuse(param, format string, args ...any) {
	if w.Err == nil {
		w.Err = &chat.Error{Class: chat.BadRequest, Param: param, Message: fmt.Sprintf(format, args...)}
	}
}

// TurnRules returns the rules of the order of the conversation.
func (w *Writer) TurnRules() dialect.TurnRules {
	if w.exceptions.Turns != nil {
		return *w.exceptions.Turns
	}
	return w.rules.Turns
}

// Provider returns the provider's name for warnings.
func (w *Writer) Provider() string {
	if w.rules.Provider == "" {
		return "the provider"
	}
	return w.rules.Provider
}

// Accepts reports whether the provider takes the dialect's field for this model.
func (w *Writer) Accepts(name string) bool {
	if slices.Contains(w.rules.Drop, name) || slices.Contains(w.exceptions.Drop, name) ||
		w.Effort != "none" && slices.Contains(w.exceptions.DropUnlessEffortNone, name) {
		return false
	}
	return len(w.rules.Fields) == 0 || slices.Contains(w.rules.Fields, w.NameOf(name))
}

// NameOf returns the provider's name of the dialect's field.
func (w *Writer) NameOf(name string) string {
	if key, ok := w.rules.Rename[name]; ok {
		return key
	}
	return name
}

// Field begins a top-level field. It returns false, and calls Lost, if the provider does not accept it.
func (w *Writer) Field(name string, loss Loss) bool {
	if !w.Accepts(name) {
		w.Lost(name, loss)
		return false
	}
	w.Key(w.NameOf(name))
	return true
}

// Lost warns or refuses because a field cannot be sent.
func (w *Writer) Lost(name string, loss Loss) {
	switch loss {
	case Warns:
		w.Warn("%s is not supported by %s for this model: dropped", name, w.Provider())
	case Refuses:
		w.Refuse(name, "%s cannot be sent to %s for this model", name, w.Provider())
	}
}

// Key begins a member of the object that is being written.
func (w *Writer) Key(name string) { w.Out = jsonx.AppendKey(w.Out, name) }

// Raw writes JSON as it is.
func (w *Writer) Raw(s string) { w.Out = append(w.Out, s...) }

// Str writes a string.
func (w *Writer) Str(s string) { w.Out = jsonx.AppendString(w.Out, s) }

// FieldRaw writes a top-level field as the caller did, if it is given.
func (w *Writer) FieldRaw(name string, m jsonx.Value) {
	if m.Given() && w.Field(name, Warns) {
		w.Out = append(w.Out, m.Raw()...)
	}
}

// FieldModel writes the request's model.
func (w *Writer) FieldModel() {
	if w.Field("model", Refuses) {
		w.Str(w.Req.Model)
	}
}

// FieldStream asks for a stream if the request does.
func (w *Writer) FieldStream() {
	if w.Req.Stream && w.Field("stream", Refuses) {
		w.Raw("true")
	}
}

// FieldString writes a top-level field unless it is empty. Its loss is a warning.
func (w *Writer) FieldString(name, value string) {
	if value != "" && w.Field(name, Warns) {
		w.Str(value)
	}
}

// FieldBool writes a top-level field unless it is nil. Its loss is a warning.
func (w *Writer) FieldBool(name string, value *bool) {
	if value != nil && w.Field(name, Warns) {
		w.Out = jsonx.AppendBool(w.Out, *value)
	}
}

// FieldFloat writes a number as FieldBool does, clamped.
func (w *Writer) FieldFloat(name string, value *float64) {
	if value != nil && w.Field(name, Warns) {
		w.Out = jsonx.AppendFloat(w.Out, w.Clamp(name, *value))
	}
}

// FieldInt writes a whole number as FieldFloat does.
func (w *Writer) FieldInt(name string, value *int64) {
	if value != nil && w.Field(name, Warns) {
		w.Out = jsonx.AppendInt(w.Out, w.ClampInt(name, *value))
	}
}

// Clamp returns the value within the provider's limits, with a warning if it changes.
func (w *Writer) Clamp(name string, value float64) float64 {
	r, ok := w.rules.Clamp[name]
	if !ok || value >= r.Min && value <= r.Max {
		return value
	}
	clamped := min(max(value, r.Min), r.Max)
	w.Warn("%s is %v, but %s takes %v to %v: changed to %v", name, value, w.Provider(), r.Min, r.Max, clamped)
	return clamped
}

// ClampInt clamps a whole number. One within the limits stays as it is: a float may not hold all its digits.
func (w *Writer) ClampInt(name string, value int64) int64 {
	if clamped := w.Clamp(name, float64(value)); clamped != float64(value) {
		return int64(clamped)
	}
	return value
}

// EncodeObject returns an object with the members that write writes. They do not become part of the request.
func (w *Writer) EncodeObject(write func()) jsonx.Value {
	out := w.Out
	w.Out = append(make([]byte, 0, 512), '{')
	write()
	members, err := jsonx.Parse(append(w.Out, '}'), jsonx.Lenient)
	w.Out = out
	if err != nil && w.Err == nil {
		// Only raw JSON of a caller's can be malformed.
		w.Refuse("", "the request cannot be written for %s: %v", w.Provider(), err)
	}
	return members
}

// MaxOutput returns the limit of the model's answers in tokens; 0 if unknown.
func (w *Writer) MaxOutput() int64 {
	if w.rules.MaxOutput == nil {
		return 0
	}
	return w.rules.MaxOutput(w.Req.Model)
}

// MaxTokens returns the requested limit of the answer's length, lowered to what the model gives, with a warning if that
// changes it; nil if there is none.
func (w *Writer) MaxTokens() *int64 {
	asked, most := w.Req.MaxTokens, w.MaxOutput()
	if asked == nil || most <= 0 || *asked <= most {
		return asked
	}
	w.Warn("max_tokens is %d, but this model of %s gives at most %d: changed", *asked, w.Provider(), most)
	return &most
}

// Stops returns at most so many of the request's stop sequences (0: all), with a warning if some are dropped.
func (w *Writer) Stops(most int) []string {
	stops := w.Req.Stop
	if most <= 0 || len(stops) <= most {
		return stops
	}
	w.Warn("%s takes %d stop sequences: the others are dropped", w.Provider(), most)
	return stops[:most]
}

// Comma begins an element of the array that is being written.
func (w *Writer) Comma() { w.Out = jsonx.AppendComma(w.Out) }

// OneAnswer refuses a request for several answers.
func (w *Writer) OneAnswer() {
	if n := w.Req.N; n != nil && *n != 1 {
		w.Refuse("n", "%s gives one answer, not %d", w.Provider(), *n)
	}
}

// Metadata writes the field of that name, sorted by key.
func (w *Writer) Metadata() {
	if len(w.Req.Metadata) == 0 || !w.Field("metadata", Warns) {
		return
	}
	w.Out = AppendMap(w.Out, w.Req.Metadata)
}
