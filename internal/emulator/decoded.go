package emulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

// decodedRequest is a request of any wire format.
type decodedRequest struct {
	turns   []turn
	tools   []tool
	grouped []tool // in namespaces
	// choice says whether a tool must or must not be called. Only lists the allowed names; nil allows all.
	choice choice
	only   []string
	single bool // one call at most

	thinking thinking
	refuses  bool // the wire format has a field for refusals
	filters  bool // the wire format has a finish reason for filtered answers
	stop     []string
	limit    *int // tokens, reasoning included
	json     bool // the answer must be JSON
	schema   json.RawMessage

	// callID returns the id of the answer's i-th call, of the function.
	callID func(i int, function string) string
}

// turn is a message or a tool's result.
type turn struct {
	role   role
	text   string
	failed bool // a tool's result that is an error
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
	thinkingHidden          // counted, not shown
	thinkingShown
)

type tool struct {
	name   string
	schema json.RawMessage
	group  string // the namespace that it is in: it is called only if it is named
}

// tokens counts a word as a token, and adds three for each turn.
func (req *decodedRequest) tokens() int {
	n := 0
	for _, t := range req.turns {
		n += tokens(t.text) + 3
	}
	return n
}

func tokens(s string) int { return len(strings.Fields(s)) }

// last returns what the model answers: the last user's text, or the results of the tools since the model's last turn.
func (req *decodedRequest) last() (text string, fromTool bool) {
	for i := len(req.turns) - 1; i >= 0; i-- {
		switch t := req.turns[i]; t.role {
		case roleUser:
			return strings.TrimSpace(t.text), false
		case roleTool:
			return req.results(i), true
		}
	}
	return "", false
}

// results joins the results of the tools up to turn i.
func (req *decodedRequest) results(i int) string {
	var said []string
	for ; i >= 0 && req.turns[i].role == roleTool; i-- {
		s := strings.TrimSpace(req.turns[i].text)
		if req.turns[i].failed {
			s = "(error) " + s
		}
		said = append([]string{s}, said...)
	}
	return strings.Join(said, "; ")
}

// media describes an image or a file in the answer. Data is base64, or empty if the file is at the address.
func media(kind, mime, data, address string) string {
	if data == "" {
		return fmt.Sprintf("[%s %s]", kind, address)
	}
	b, _ := unbase64(data)
	return strings.ReplaceAll(fmt.Sprintf("[%s %s %d bytes]", kind, mime, len(b)), "  ", " ")
}

// dataURL splits a data URL.
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
