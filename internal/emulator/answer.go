package emulator

import (
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// answer is the emulated model's answer.
type answer struct {
	text, reasoning, refusal string
	redacted                 bool // the reasoning is sent encrypted only
	calls                    []call
	finish                   finish
	stopped                  string // the stop sequence that ended it
	prompt, completion       int    // tokens: words, as this model counts
	reasoned                 int    // of completion
}

type call struct{ id, name, arguments, group string }

// finish is the reason why an answer ended.
type finish string

const (
	finishStop   finish = "stop"
	finishLength finish = "length"
	finishCalls  finish = "tool_calls"
	finishFilter finish = "content_filter"
)

// answer answers the request. It depends on the request and the behaviour only.
func (x *exchange) answer(req *decodedRequest) *answer {
	last, fromTool := req.last()
	word, rest, _ := strings.Cut(last, ":")
	rest = strings.TrimSpace(rest)
	a := &answer{finish: finishStop, prompt: req.tokens()}
	a.think(req, last)
	scripted, ok := req.scripted()
	switch {
	case ok && !fromTool:
		a.calls, a.finish = []call{scripted}, finishCalls
	case len(req.tools) > 0 && !fromTool && req.wantsCall(last):
		a.calls, a.finish = req.calls(last), finishCalls
	case x.do.Text != "":
		a.text = x.do.Text
	case req.json:
		a.text = req.jsonText()
	case fromTool:
		a.text = "The tool said: " + last
	case word == "echo":
		a.text = rest
	case word == "words":
		n, _ := strconv.Atoi(rest)
		a.text = strings.TrimSpace(strings.Repeat("word ", min(max(n, 1), 1_000_000)))
	case word == "think" && req.thinking != thinkingOff:
		a.text = "I have thought about it."
	case last == "refuse" && req.refuses:
		a.refusal = "I cannot help with that."
	case last == "refuse":
		a.text = "I cannot help with that."
	case last == "refuse midway":
		a.text = "First you take"
		if req.filters {
			a.finish = finishFilter
		}
	default:
		a.text = "Hello! " + x.p.name + " is emulated here; nothing left this machine."
	}
	a.shorten(req)
	a.completion = tokens(a.text) + tokens(a.refusal) + a.reasoned
	for _, c := range a.calls {
		a.completion += 2 + tokens(c.arguments)
	}
	return a
}

// think adds the reasoning.
func (a *answer) think(req *decodedRequest, last string) {
	if req.thinking == thinkingOff {
		return
	}
	reasoning := "The user wants an answer: " + firstWords(last, 3)
	if rest, ok := strings.CutPrefix(last, "think:"); ok {
		reasoning = strings.TrimSpace(rest)
	}
	a.reasoned, a.redacted = tokens(reasoning), last == "redact"
	if req.thinking == thinkingShown {
		a.reasoning = reasoning
	}
}

func firstWords(s string, n int) string {
	f := strings.Fields(s)
	return strings.Join(f[:min(n, len(f))], " ")
}

// shorten applies stop sequences and the token limit.
func (a *answer) shorten(req *decodedRequest) {
	end := len(a.text)
	for _, s := range req.stop {
		if i := strings.Index(a.text, s); i >= 0 && i < end && s != "" {
			end, a.stopped = i, s
		}
	}
	a.text = a.text[:end]
	if req.limit == nil {
		return
	}
	if left := *req.limit - a.reasoned; tokens(a.text) > left {
		a.text, a.finish, a.stopped = firstWords(a.text, max(left, 0)), finishLength, ""
	}
}

func (req *decodedRequest) wantsCall(last string) bool {
	return req.choice == choiceMust || req.choice == choiceAuto && (strings.HasPrefix(last, "call") || last == "noarg")
}

// calls returns calls of the wanted tools, with arguments that fit their schemas.
func (req *decodedRequest) calls(last string) []call {
	var out []call
	for _, t := range req.tools {
		if req.only != nil && !slices.Contains(req.only, t.name) {
			continue
		}
		c := call{id: req.callID(len(out), t.name), name: t.name, arguments: "{}"}
		if last == "noarg" {
			if req.only == nil && takesArguments(t.schema) &&
				slices.ContainsFunc(req.tools, func(t tool) bool { return !takesArguments(t.schema) }) {
				continue
			}
		} else if len(t.schema) > 0 {
			c.arguments = string(example(t.schema))
		}
		out = append(out, c)
		if last != "call all" || req.single {
			break
		}
	}
	return out
}

// scripted returns the call that stands anywhere in what was said since the model's last turn: <<call NAME MEMBER TEXT>>
// has one argument. Agents put texts of their own around what their user says, and names before those of tools.
func (req *decodedRequest) scripted() (c call, ok bool) {
	said := ""
	for i := len(req.turns) - 1; i >= 0 && req.turns[i].role != roleModel; i-- {
		said = req.turns[i].text + "\n" + said
	}
	_, script, ok := strings.Cut(said, "<<call ")
	if !ok {
		return c, false
	}
	script, _, _ = strings.Cut(script, ">>")
	name, argument, _ := strings.Cut(script, " ")
	member, value, _ := strings.Cut(argument, " ")
	arguments, err := json.Marshal(map[string]string{member: value})
	if err != nil {
		return c, false
	}
	for _, t := range slices.Concat(req.tools, req.grouped) {
		if strings.HasSuffix(t.name, name) {
			return call{req.callID(0, t.name), t.name, string(arguments), t.group}, true
		}
	}
	return c, false
}

func takesArguments(schema json.RawMessage) bool {
	var s struct{ Properties map[string]json.RawMessage }
	json.Unmarshal(schema, &s)
	return len(s.Properties) > 0
}

func (req *decodedRequest) jsonText() string {
	if len(req.schema) > 0 {
		return string(example(req.schema))
	}
	return `{"answer": "Hello!"}`
}

// pieces splits a text after each space, in place of tokens.
func pieces(s string) []string {
	if s == "" {
		return nil
	}
	return strings.SplitAfter(s, " ")
}

// fragments splits arguments into pieces of five characters.
func fragments(s string) []string {
	var out []string
	for c := range slices.Chunk([]rune(s), 5) {
		out = append(out, string(c))
	}
	return out
}

// hasText reports whether a stream has text; an endless one always has.
func (x *exchange) hasText(a *answer) bool { return a.text != "" || x.do.Endless }

// textPieces returns the pieces of a stream's text. For an endless stream they never end.
func (x *exchange) textPieces(a *answer) iter.Seq[string] {
	return func(yield func(string) bool) {
		for x.do.Endless {
			if !yield("word ") {
				return
			}
		}
		for _, p := range pieces(a.text) {
			if !yield(p) {
				return
			}
		}
	}
}
