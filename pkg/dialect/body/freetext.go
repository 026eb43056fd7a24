package body

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// customOpen begins the arguments of a function that stands for a free-text tool.
const customOpen = `{"input":`

func isCustom(t *chat.Tool) bool { return len(t.Raw) > 0 && TypeOf(t) == "custom" }

// describeCustom describes a free-text tool as a function with one argument. No other provider enforces a grammar: the
// model is told of it.
func describeCustom(t *chat.Tool) (description string, parameters json.RawMessage) {
	root, err := jsonx.Parse(t.Raw, jsonx.Lenient)
	if err != nil {
		return t.Description, nil
	}
	if nested := root.Get("custom"); nested.Kind() == jsonx.Object {
		root = nested
	}
	description = root.Get("description").Str()
	format := root.Get("format")
	if nested := format.Get("grammar"); nested.Kind() == jsonx.Object {
		format = nested
	}
	if definition := format.Get("definition"); !definition.Empty() {
		description = strings.TrimSpace(description + "\n\nThe argument input must match this grammar (" +
			format.Get("syntax").Str() + "):\n" + definition.Str())
	}
	return description, json.RawMessage(`{"type":"object","properties":{"input":{"type":"string",` +
		`"description":"The whole input of the tool, as plain text."}},"required":["input"],"additionalProperties":false}`)
}

// An inputReader reads the text of a free-text tool from the arguments of the function that stands for it, as they come
// in pieces: the member input, which comes first. The text of other arguments is read when all of them have come: the
// member, or else they themselves. The zero value is ready.
type inputReader struct {
	held  []byte // what cannot be read yet
	state inputState
}

type inputState uint8

const (
	inputBegins inputState = iota // the member has not begun
	inputText                     // within its string
	inputOver                     // behind it
	inputOdd                      // the arguments have another form
)

// Add takes the next piece and returns the text that it adds.
func (r *inputReader) Add(piece string) string {
	if r.state == inputOver {
		return ""
	}
	r.held = append(r.held, piece...)
	if r.state == inputBegins {
		r.begin()
	}
	if r.state != inputText {
		return ""
	}
	return r.text()
}

// begin looks for the beginning of the text.
func (r *inputReader) begin() {
	rest := r.held
	for _, token := range [...]string{"{", `"input"`, ":", `"`} {
		rest = []byte(strings.TrimLeft(string(rest), " \t\r\n"))
		if len(rest) < len(token) {
			if !strings.HasPrefix(token, string(rest)) {
				r.state = inputOdd
			}
			return
		}
		if string(rest[:len(token)]) != token {
			r.state = inputOdd
			return
		}
		rest = rest[len(token):]
	}
	r.held, r.state = rest, inputText
}

// text returns the text that has come, but for an escape that is not complete, and half a character.
func (r *inputReader) text() string {
	whole, over := 0, false
scan:
	for i := 0; i < len(r.held); {
		switch c := r.held[i]; {
		case c == '"':
			over = true
			break scan
		case c >= utf8.RuneSelf:
			if !utf8.FullRune(r.held[i:]) {
				break scan
			}
			_, n := utf8.DecodeRune(r.held[i:])
			i += n
		case c != '\\':
			i++
		default:
			n := escapeLen(r.held[i:])
			if n == 0 {
				break scan
			}
			i += n
		}
		whole = i
	}
	out := unquote(r.held[:whole])
	if over {
		r.held, r.state = nil, inputOver
	} else {
		r.held = append(r.held[:0], r.held[whole:]...)
	}
	return out
}

// escapeLen returns the length of the escape that s begins with, of both halves of a character; 0 if the rest has not
// come yet.
func escapeLen(s []byte) int {
	switch {
	case len(s) < 2:
		return 0
	case s[1] != 'u':
		return 2
	case len(s) < 6:
		return 0
	case s[2]|0x20 != 'd' || strings.IndexByte("89abAB", s[3]) < 0: // not the first half of a character
		return 6
	case len(s) == 6 || s[6] == '\\' && (len(s) == 7 || s[7] == 'u' && len(s) < 12):
		return 0
	case s[6] == '\\' && s[7] == 'u':
		return 12
	}
	return 6
}

func unquote(inner []byte) string {
	if len(inner) == 0 {
		return ""
	}
	quoted := append(append([]byte{'"'}, inner...), '"')
	if v, err := jsonx.Parse(quoted, jsonx.Lenient); err == nil {
		return v.Str()
	}
	return string(inner) // a model's own idea of an escape, or a line break that is none
}

// End returns the rest of the text when no more pieces follow.
func (r *inputReader) End() string {
	state, held := r.state, r.held
	r.state, r.held = inputOver, nil
	switch {
	case state == inputOver:
		return ""
	case state == inputText:
		return unquote(held)
	}
	v, err := jsonx.Parse(held, jsonx.Lenient)
	if err != nil || v.Kind() != jsonx.Object {
		return string(held)
	}
	if input := v.Get("input"); input.Kind() == jsonx.String {
		return input.Str()
	}
	if v.Len() == 0 {
		return ""
	}
	return string(held)
}
