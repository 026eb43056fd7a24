package native

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// The readers of simple values note an issue and return a zero value if there is
// something else.

func (d *decoder) string(v jsonx.Value) string {
	if v.Kind() != jsonx.String {
		d.Expected(v, "a string")
	}
	return v.Str()
}

func (d *decoder) bool(v jsonx.Value) bool {
	b, ok := v.Bool()
	if !ok {
		d.Expected(v, "a boolean")
	}
	return b
}

func (d *decoder) float(v jsonx.Value, low, high float64) *float64 {
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

func (d *decoder) int(v jsonx.Value, low, high int64) *int64 {
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
func (d *decoder) name(v jsonx.Value) string {
	s := d.string(v)
	if len(s) > maxName || !printable(s) {
		d.Add(v, "expected at most %d printable ASCII characters", maxName)
	}
	return s
}

func (d *decoder) oneOf(v jsonx.Value, words ...string) string {
	s := d.string(v)
	if v.Kind() == jsonx.String && !slices.Contains(words, s) {
		d.Add(v, "expected one of %s, got %s", strings.Join(words, ", "), quote(s))
	}
	return s
}

// list reads an array with at least one element. Hint says what leaving the member out does.
func (d *decoder) list(v jsonx.Value, hint string, read func(jsonx.Value)) {
	switch {
	case v.Kind() != jsonx.Array:
		d.Expected(v, "an array")
	case v.Len() == 0:
		d.Add(v, "must not be empty; leave it out to %s", hint)
	}
	for e := v.First(); e.Exists() && v.Kind() == jsonx.Array && !d.Full(); e = e.Next() {
		read(e)
	}
}

func (d *decoder) object(v jsonx.Value, read func(jsonx.Value)) {
	if v.Kind() != jsonx.Object {
		d.Expected(v, "an object")
		return
	}
	for m := v.First(); m.Exists() && !d.Full(); m = m.Next() {
		read(m)
	}
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
