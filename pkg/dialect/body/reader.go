// Package body is the code that the dialects share for the bodies of requests and answers. Reader decodes
// callers' requests and reports what is wrong with them. Writer encodes requests by a provider's rules, and Passthrough
// edits those that need no translation.
package body

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A Reader reads a caller's body and collects what is wrong with it. The zero value is
// ready. Its methods add an issue and return a zero value if the value is not what they read.
type Reader struct {
	jsonx.Report
	// Passes, unless nil, is a request that may go to a provider of the caller's own dialect, which may know more values
	// than the gateway: what only a translation needs is noted there instead of being an issue.
	Passes     *chat.Request
	paths      jsonx.Paths
	called     map[string]string // the functions of the calls so far, by the calls' ids
	signatures map[string]string // of calls, by id
}

// MaxName is the most bytes of a name: of models, tools, ids.
const MaxName = 256

// Unfit notes a value that is unknown, out of range or out of place, though of the right kind: an issue, unless the
// request may pass.
func (r *Reader) Unfit(v jsonx.Value, format string, args ...any) {
	if r.Passes == nil {
		r.Add(v, format, args...)
		return
	}
	NoteForeignAt(r.Passes, v, fmt.Sprintf(format, args...))
}

// PathOf returns where the value is in the body.
func (r *Reader) PathOf(v jsonx.Value) string { return r.paths.Of(v) }

// Str reads a string.
func (r *Reader) Str(v jsonx.Value) string {
	if v.Kind() != jsonx.String {
		r.Expected(v, "a string")
	}
	return v.Str()
}

// Bool reads a boolean.
func (r *Reader) Bool(v jsonx.Value) bool {
	b, ok := v.Bool()
	if !ok {
		r.Expected(v, "a boolean")
	}
	return b
}

// Float reads a number from low to high; nil if it is none.
func (r *Reader) Float(v jsonx.Value, low, high float64) *float64 {
	f, ok := r.Float64(v)
	if !ok {
		return nil
	}
	if (f < low || f > high) && r.Passes == nil { // providers' own ranges are in their rules
		r.Add(v, "expected a number from %v to %v, got %v", low, high, f)
		return nil
	}
	return &f
}

// Int reads a whole number from low to high; nil if it is none.
func (r *Reader) Int(v jsonx.Value, low, high int64) *int64 {
	n, ok := r.Int64(v)
	switch {
	case !ok:
		return nil
	case n < low && high >= 1<<53:
		r.Unfit(v, "expected a whole number of at least %d, got %d", low, n)
		return nil
	case n < low || n > high:
		r.Unfit(v, "expected a whole number from %d to %d, got %d", low, high, n)
		return nil
	}
	return &n
}

// Name reads an identifier that travels in headers and paths.
func (r *Reader) Name(v jsonx.Value) string {
	s := r.Str(v)
	if len(s) > MaxName || !Printable(s) {
		r.Add(v, "expected at most %d printable ASCII characters", MaxName)
	}
	return s
}

// OneOf reads one of the words; another one is empty if it passes.
func (r *Reader) OneOf(v jsonx.Value, words ...string) string {
	s := r.Str(v)
	if v.Kind() == jsonx.String && !slices.Contains(words, s) {
		r.Unfit(v, "expected one of %s, got %s", strings.Join(words, ", "), Quote(s))
		if r.Passes != nil {
			return ""
		}
	}
	return s
}

// List reads an array with at least one element. The hint says what it does to leave the member out.
func (r *Reader) List(v jsonx.Value, hint string, read func(jsonx.Value)) {
	switch {
	case v.Kind() != jsonx.Array:
		r.Expected(v, "an array")
	case v.Len() == 0:
		r.Add(v, "must not be empty; leave it out to %s", hint)
	}
	for e := v.First(); e.Exists() && v.Kind() == jsonx.Array && !r.Full(); e = e.Next() {
		read(e)
	}
}

// Array reads each element of an array.
func (r *Reader) Array(v jsonx.Value, read func(jsonx.Value)) {
	if v.Kind() != jsonx.Array {
		r.Expected(v, "an array")
		return
	}
	for e := v.First(); e.Exists() && !r.Full(); e = e.Next() {
		read(e)
	}
}

// Stops reads stop sequences: an array of at most limit strings, none of them empty.
func (r *Reader) Stops(v jsonx.Value, limit int) []string {
	if v.Kind() == jsonx.Array && v.Len() > limit {
		r.Unfit(v, "expected at most %d sequences, got %d", limit, v.Len())
		return nil
	}
	var stops []string
	r.Array(v, func(e jsonx.Value) { stops = append(stops, r.stop(e)) })
	return stops
}

// StopOrStops reads stop sequences, or one without an array.
func (r *Reader) StopOrStops(v jsonx.Value, limit int) []string {
	switch v.Kind() {
	case jsonx.String:
		return []string{r.stop(v)}
	case jsonx.Array:
		return r.Stops(v, limit)
	}
	r.Expected(v, "a string or an array")
	return nil
}

func (r *Reader) stop(v jsonx.Value) string {
	if v.Kind() == jsonx.String && v.Empty() {
		r.Add(v, "must not be empty")
	}
	return r.Str(v)
}

// Object reads each member of an object.
func (r *Reader) Object(v jsonx.Value, read func(jsonx.Value)) {
	if v.Kind() != jsonx.Object {
		r.Expected(v, "an object")
		return
	}
	for m := v.First(); m.Exists() && !r.Full(); m = m.Next() {
		read(m)
	}
}

// Members reads each member of an object that is not null.
func (r *Reader) Members(v jsonx.Value, read func(name string, m jsonx.Value)) {
	r.Object(v, func(m jsonx.Value) {
		if m.Given() {
			read(string(m.Key()), m)
		}
	})
}

// Required returns a member, and adds an issue unless it is given.
func (r *Reader) Required(object jsonx.Value, member string) jsonx.Value {
	r.Has(object, member)
	return object.Get(member)
}

// Text reads a member that is required and a string.
func (r *Reader) Text(object jsonx.Value, member string) string {
	if !r.Has(object, member) {
		return ""
	}
	return r.Str(object.Get(member))
}

// ID reads a member that is required and an id, as CallID does.
func (r *Reader) ID(object jsonx.Value, member string) string {
	if !r.Has(object, member) {
		return ""
	}
	return r.CallID(object.Get(member))
}

// OptionalText reads a member that is a string, if it is given.
func (r *Reader) OptionalText(object jsonx.Value, member string) string {
	return r.optional(object.Get(member))
}

// Metadata reads an object of strings. A member that is null is left out.
func (r *Reader) Metadata(v jsonx.Value) map[string]string {
	var out map[string]string
	r.Members(v, func(name string, m jsonx.Value) {
		if out == nil {
			out = make(map[string]string, v.Len())
		}
		out[name] = r.Str(m)
	})
	return out
}

// Has reports whether the member is given, and adds an issue if not.
func (r *Reader) Has(object jsonx.Value, member string) bool {
	if object.Get(member).Given() {
		return true
	}
	r.AddMember(object, member, "required")
	return false
}

// Printable reports whether s is ASCII without control characters.
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// MadeOf reports whether s has 1 to limit letters, digits and characters of extra.
func MadeOf(s string, limit int, extra string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// Quote quotes a caller's text, cut if it is long.
func Quote(s string) string {
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:61], "") + "..."
	}
	return strconv.Quote(s)
}
