package server

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// timestamp is Unix milliseconds, shown as RFC 3339 in UTC.
type timestamp int64

const timeFormat = "2006-01-02T15:04:05.000Z"

func (t timestamp) String() string { return time.UnixMilli(int64(t)).UTC().Format(timeFormat) }

func (t timestamp) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// since is a timestamp that may be missing: 0 is null.
func since(ms int64) *timestamp {
	if ms == 0 {
		return nil
	}
	t := timestamp(ms)
	return &t
}

// dateOf shows a day.
func dateOf(day int64) string {
	return time.UnixMilli(store.DayStart(day)).UTC().Format(time.DateOnly)
}

// dollars is nano-dollars, shown as a decimal number of dollars without loss.
type dollars int64

func (d dollars) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

func (d dollars) String() string { return store.Dollars(int64(d)) }

// maxName is the longest name of anything, in characters.
const maxName = 100

// checkName trims a name and notes what is wrong with it. It may be empty.
func checkName(issues *fault.Issues, path, name string) string {
	name = strings.TrimSpace(name)
	switch {
	case utf8.RuneCountInString(name) > maxName:
		issues.Add(path, "must be at most %d characters long", maxName)
	case printableText(name) != name:
		issues.Add(path, "must not hold control characters")
	}
	return name
}

// printableText is s without what cannot be seen: control characters, invalid UTF-8, and the
// marks that turn the direction of the text around them.
func printableText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
}
