package openai

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// maxName bounds models, names and ids, in bytes.
const maxName = 256

// The readers of simple values note an issue and return a zero value if there is
// something else.

func (d *requestDecoder) string(v jsonx.Value) string {
	if v.Kind() != jsonx.String {
		d.Expected(v, "a string")
	}
	return v.Str()
}

func (d *requestDecoder) bool(v jsonx.Value) bool {
	b, ok := v.Bool()
	if !ok {
		d.Expected(v, "a boolean")
	}
	return b
}

func (d *requestDecoder) float(v jsonx.Value, low, high float64) *float64 {
	f, ok := d.Float64(v)
	if !ok {
		return nil
	}
	if f < low || f > high {
		d.Add(v, "expected a number from %v to %v, got %v", low, high, f)
		return nil
	}
	return &f
}

func (d *requestDecoder) int(v jsonx.Value, low, high int64) *int64 {
	n, ok := d.Int64(v)
	switch {
	case !ok:
		return nil
	case n < low && high >= 1<<53:
		d.Add(v, "expected a whole number of at least %d, got %d", low, n)
		return nil
	case n < low || n > high:
		d.Add(v, "expected a whole number from %d to %d, got %d", low, high, n)
		return nil
	}
	return &n
}

// name reads an identifier that travels in headers and paths.
func (d *requestDecoder) name(v jsonx.Value) string {
	s := d.string(v)
	if len(s) > maxName || !printable(s) {
		d.Add(v, "expected at most %d printable ASCII characters", maxName)
	}
	return s
}

// id reads the id of a call or an upload.
func (d *requestDecoder) id(v jsonx.Value) string {
	s := d.string(v)
	if v.Kind() == jsonx.String && (s == "" || len(s) > maxName) {
		d.Add(v, "expected 1 to %d bytes", maxName)
	}
	return s
}

// toolName takes what any provider takes; most take less.
func (d *requestDecoder) toolName(v jsonx.Value) string {
	s := d.string(v)
	if v.Kind() == jsonx.String && !madeOf(s, 128, "_-.:") {
		d.Add(v, "expected 1 to 128 letters, digits, underscores, hyphens, dots or colons")
	}
	return s
}

func (d *requestDecoder) oneOf(v jsonx.Value, words ...string) string {
	s := d.string(v)
	if v.Kind() == jsonx.String && !slices.Contains(words, s) {
		d.Add(v, "expected one of %s, got %s", strings.Join(words, ", "), quote(s))
	}
	return s
}

// object reads the members that are not null.
func (d *requestDecoder) object(v jsonx.Value, read func(key string, m jsonx.Value)) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	for m := v.First(); m.Exists() && !d.Full(); m = m.Next() {
		if m.Given() {
			read(string(m.Key()), m)
		}
	}
}

// array reads the elements.
func (d *requestDecoder) array(v jsonx.Value, read func(e jsonx.Value)) {
	if v.Kind() != jsonx.Array {
		d.Expected(v, "an array")
		return
	}
	for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
		read(e)
	}
}

// require notes an issue if the object lacks the member, or if it is null.
func (d *requestDecoder) require(object jsonx.Value, name string) bool {
	m := object.Get(name)
	if m.Given() {
		return true
	}
	if object.Kind() == jsonx.Object {
		d.AddMember(object, name, "required")
	}
	return false
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// madeOf says whether s has 1 to limit letters, digits and characters of extra.
func madeOf(s string, limit int, extra string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// quote shows what a caller wrote, cut if it is long.
func quote(s string) string {
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:61], "") + "..."
	}
	return strconv.Quote(s)
}
