package provider

import (
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/redact"
)

// maxText bounds the texts of a provider's error, in bytes.
const maxText = 2000

// Redact takes the key, pieces of it, and whatever looks like a credential out of
// the texts that came from the provider, and bounds and cleans them.
func Redact(err *chat.Error, secret string) {
	for _, s := range []*string{&err.Message, &err.Code, &err.Type, &err.Param} {
		*s = RedactText(*s, secret)
	}
}

// RedactText is [Redact] for one text.
func RedactText(s, secret string) string { return redact.Message(clean(s, maxText), secret) }

// RedactWord takes the key and pieces of it, in every form, out of a short text that came from the provider, such as an
// id or the name of an event, and bounds and cleans it.
func RedactWord(s, secret string) string { return redact.Pieces(clean(s, maxHeader), secret) }

// clean makes a text printable on one line and cuts it to n bytes.
func clean(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			return -1
		}
		return r
	}, s))
}
