package emulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

// question is what a request asks, whichever wire format it came in.
type question struct {
	turns []turn
	tools []tool
	// choice says whether a tool must or must not be called; only are the names that may
	// be, if not all.
	choice choice
	only   []string
	single bool // one call at most

	thinking thinking
	refuses  bool // the wire format has a form for refusals
	filters  bool // and one for answers that a filter cut short
	stop     []string
	limit    *int // tokens, those of reasoning included
	json     bool // the answer is to be JSON
	schema   json.RawMessage

	// callID is the id of the i-th call of the answer, which is of the function.
	callID func(i int, function string) string
}

// turn is a message, or a tool's result, as far as the emulated model understands it.
type turn struct {
	role   role
	text   string
	failed bool // of a tool's result
}

type role uint8

const (
	roleSystem role = iota
	roleUser
	roleModel
	roleTool
)

type choice uint8

const (
	choiceAuto choice = iota
	choiceNone
	choiceMust
)

// thinking says whether the model reasons before it answers.
type thinking uint8

const (
	thinkingOff    thinking = iota
	thinkingHidden          // counted, and not shown
	thinkingShown
)

type tool struct {
	name   string
	schema json.RawMessage
}

// tokens counts as this model does: a word is a token, and a turn costs three.
func (q *question) tokens() int {
	n := 0
	for _, t := range q.turns {
		n += tokens(t.text) + 3
	}
	return n
}

func tokens(s string) int { return len(strings.Fields(s)) }

// last is what is to be answered: the last user's text, or the results of the tools
// since the model spoke.
func (q *question) last() (text string, fromTool bool) {
	for i := len(q.turns) - 1; i >= 0; i-- {
		switch t := q.turns[i]; t.role {
		case roleUser:
			return strings.TrimSpace(t.text), false
		case roleTool:
			return q.results(i), true
		}
	}
	return "", false
}

// results puts together what the tools said up to the turn i.
func (q *question) results(i int) string {
	var said []string
	for ; i >= 0 && q.turns[i].role == roleTool; i-- {
		s := strings.TrimSpace(q.turns[i].text)
		if q.turns[i].failed {
			s = "(error) " + s
		}
		said = append([]string{s}, said...)
	}
	return strings.Join(said, "; ")
}

// media is how the emulated model tells that it saw an image, or a file. Data is
// base64, or empty if the file is at the address.
func media(kind, mime, data, address string) string {
	if data == "" {
		return fmt.Sprintf("[%s %s]", kind, address)
	}
	b, _ := unbase64(data)
	return strings.ReplaceAll(fmt.Sprintf("[%s %s %d bytes]", kind, mime, len(b)), "  ", " ")
}

// dataURL takes a data URL apart.
func dataURL(s string) (mime, data string, ok bool) {
	rest, ok := strings.CutPrefix(s, "data:")
	if !ok {
		return "", "", false
	}
	mime, data, ok = strings.Cut(rest, ";base64,")
	return mime, data, ok
}

func mediaURL(kind, url string) string {
	if mime, data, ok := dataURL(url); ok {
		return media(kind, mime, data, "")
	}
	return media(kind, "", "", url)
}
