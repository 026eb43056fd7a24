package emulator

import (
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// answer is what the emulated model says.
type answer struct {
	text, reasoning, refusal string
	redacted                 bool // the reasoning may not be read
	calls                    []call
	finish                   finish
	stopped                  string // the stop sequence that ended it
	prompt, completion       int    // tokens: words, as this model counts
	reasoned                 int    // of completion
}

type call struct{ id, name, arguments string }

// finish is why an answer ended.
type finish string

const (
	finishStop   finish = "stop"
	finishLength finish = "length"
	finishCalls  finish = "tool_calls"
	finishFilter finish = "content_filter"
)

// answer answers the question. It follows from the question and the behaviour alone.
func (x *exchange) answer(q *question) *answer {
	last, fromTool := q.last()
	word, rest, _ := strings.Cut(last, ":")
	rest = strings.TrimSpace(rest)
	a := &answer{finish: finishStop, prompt: q.tokens()}
	a.think(q, last)
	switch {
	case len(q.tools) > 0 && !fromTool && q.wantsCall(last):
		a.calls, a.finish = q.calls(last), finishCalls
	case x.do.Text != "":
		a.text = x.do.Text
	case q.json:
		a.text = q.jsonText()
	case fromTool:
		a.text = "The tool said: " + last
	case word == "echo":
		a.text = rest
	case word == "words":
		n, _ := strconv.Atoi(rest)
		a.text = strings.TrimSpace(strings.Repeat("word ", min(max(n, 1), 1_000_000)))
	case word == "think" && q.thinking != thinkingOff:
		a.text = "I have thought about it."
	case last == "refuse" && q.refuses:
		a.refusal = "I cannot help with that."
	case last == "refuse":
		a.text = "I cannot help with that."
	case last == "refuse midway":
		a.text = "First you take"
		if q.filters {
			a.finish = finishFilter
		}
	default:
		a.text = "Hello! " + x.p.name + " is emulated here; nothing left this machine."
	}
	a.shorten(q)
	a.completion = tokens(a.text) + tokens(a.refusal) + a.reasoned
	for _, c := range a.calls {
		a.completion += 2 + tokens(c.arguments)
	}
	return a
}

// think fills in the reasoning.
func (a *answer) think(q *question, last string) {
	if q.thinking == thinkingOff {
		return
	}
	reasoning := "The user wants an answer: " + firstWords(last, 3)
	if rest, ok := strings.CutPrefix(last, "think:"); ok {
		reasoning = strings.TrimSpace(rest)
	}
	a.reasoned, a.redacted = tokens(reasoning), last == "redact"
	if q.thinking == thinkingShown {
		a.reasoning = reasoning
	}
}

func firstWords(s string, n int) string {
	f := strings.Fields(s)
	return strings.Join(f[:min(n, len(f))], " ")
}

// shorten honours stop sequences, and the limit on tokens.
func (a *answer) shorten(q *question) {
	end := len(a.text)
	for _, s := range q.stop {
		if i := strings.Index(a.text, s); i >= 0 && i < end && s != "" {
			end, a.stopped = i, s
		}
	}
	a.text = a.text[:end]
	if q.limit == nil {
		return
	}
	if left := *q.limit - a.reasoned; tokens(a.text) > left {
		a.text, a.finish, a.stopped = firstWords(a.text, max(left, 0)), finishLength, ""
	}
}

func (q *question) wantsCall(last string) bool {
	return q.choice == choiceMust || q.choice == choiceAuto && (strings.HasPrefix(last, "call") || last == "noarg")
}

// calls are calls of the tools that are wanted, with arguments that fit their schemas.
func (q *question) calls(last string) []call {
	var out []call
	for _, t := range q.tools {
		if q.only != nil && !slices.Contains(q.only, t.name) {
			continue
		}
		c := call{q.callID(len(out), t.name), t.name, "{}"}
		if last == "noarg" {
			if q.only == nil && takesArguments(t.schema) && slices.ContainsFunc(q.tools, func(t tool) bool { return !takesArguments(t.schema) }) {
				continue
			}
		} else if len(t.schema) > 0 {
			c.arguments = string(example(t.schema))
		}
		out = append(out, c)
		if last != "call all" || q.single {
			break
		}
	}
	return out
}

func takesArguments(schema json.RawMessage) bool {
	var s struct{ Properties map[string]json.RawMessage }
	json.Unmarshal(schema, &s)
	return len(s.Properties) > 0
}

func (q *question) jsonText() string {
	if len(q.schema) > 0 {
		return string(example(q.schema))
	}
	return `{"answer": "Hello!"}`
}

// pieces cuts a text after each space, as tokens would.
func pieces(s string) []string {
	if s == "" {
		return nil
	}
	return strings.SplitAfter(s, " ")
}

// fragments cuts arguments into pieces of five characters.
func fragments(s string) []string {
	var out []string
	for c := range slices.Chunk([]rune(s), 5) {
		out = append(out, string(c))
	}
	return out
}

// speaks says whether a stream has text; an endless one always has.
func (x *exchange) speaks(a *answer) bool { return a.text != "" || x.do.Endless }

// spoken are the pieces of a stream's text; of an endless one they never end.
func (x *exchange) spoken(a *answer) iter.Seq[string] {
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
