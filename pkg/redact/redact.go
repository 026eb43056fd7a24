// Package redact takes secrets and whatever looks like a credential out of texts that came from somewhere else, such as
// a provider's error message, before they are shown, logged or stored.
//
// All of a text is searched before any of it is replaced, so that one replacement cannot hide a part of another. The
// time is linear in the length of the text.
package redact

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Mark stands in the text for what was taken out.
const Mark = "[redacted]"

// Text returns text without the secrets, pieces of them, and credentials of any kind. Names and schemes before a
// credential stay ("Bearer [redacted]"). It is for logs.
func Text(text string, secrets ...string) string {
	return replace(text, appendCredentials(appendSecrets(nil, text, secrets), text, credentialAlone))
}

// Message is [Text] for messages that people see: a name or scheme goes with its credential.
func Message(text string, secrets ...string) string {
	return replace(text, appendCredentials(appendSecrets(nil, text, secrets), text, withItsName))
}

// Pieces returns text without the secret and pieces of it, in every form that [Text] finds. It looks for no other
// credentials and is for short texts on the way of every answer.
func Pieces(text, secret string) string {
	if len(secret) < minSecret || len(text) < min(piece, len(secret)) {
		return text
	}
	return replace(text, appendSecrets(nil, text, []string{secret}))
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

// replace puts a mark in the place of every span. Spans that overlap or touch share a mark.
func replace(text string, found []span) string {
	if len(found) == 0 {
		return text
	}
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	var out strings.Builder
	done := 0 // the text up to here is written
	for i, s := range found {
		s = wholeRunes(text, s)
		if i > 0 && s.to <= done {
			continue
		}
		if i == 0 || s.from > done {
			out.WriteString(text[done:s.from])
			out.WriteString(Mark)
		}
		done = s.to
	}
	out.WriteString(text[done:])
	return out.String()
}

// wholeRunes widens a span to the bounds of characters, so that valid UTF-8 stays valid.
func wholeRunes(text string, s span) span {
	for i := 0; i < utf8.UTFMax-1 && s.from > 0 && !utf8.RuneStart(text[s.from]); i++ {
		s.from--
	}
	for i := 0; i < utf8.UTFMax-1 && s.to < len(text) && !utf8.RuneStart(text[s.to]); i++ {
		s.to++
	}
	return s
}
