package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// The readers of simple values note an issue and return a zero value if there is
// something else.

// required is the object's member of that name; without one, or if it is null, it is noted.
func (d *decoder) required(v jsonx.Value, name string) jsonx.Value {
	m := v.Get(name)
	if !m.Given() {
		d.AddMember(v, name, "required")
	}
	return m
}

// text is the required member's string.
func (d *decoder) text(v jsonx.Value, name string) string {
	if m := d.required(v, name); m.Given() {
		return d.string(m)
	}
	return ""
}

// id is the required member's string, which must not be empty.
func (d *decoder) id(v jsonx.Value, name string) string {
	s := d.text(v, name)
	if m := v.Get(name); m.Kind() == jsonx.String && (s == "" || len(s) > maxName) {
		d.Add(m, "expected 1 to %d bytes", maxName)
	}
	return s
}

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
	case n < low:
		d.Add(v, "expected a whole number of at least %d, got %d", low, n)
		return nil
	case n > high:
		d.Add(v, "expected a whole number of at most %d, got %d", high, n)
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

// isWeb says whether s is an address that a provider can fetch.
func isWeb(s string) bool {
	scheme, rest, _ := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	return (scheme == "http" || scheme == "https") && rest != "" && printable(s) && !strings.Contains(s, " ")
}

// isBase64 checks the alphabet and the padding: providers say less clearly what is wrong.
func isBase64(s string) bool {
	n := strings.TrimRight(s, "=")
	if s == "" || len(s)%4 != 0 || len(s)-len(n) > 2 {
		return false
	}
	for i := range len(n) {
		c := n[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// quote shows what a caller wrote, cut if it is long.
func quote(s string) string {
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:61], "") + "..."
	}
	return strconv.Quote(s)
}
