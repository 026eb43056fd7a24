package parity

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

// provided is a provider with models that differ in how they reason.
type provided struct {
	id     string
	models []string
}

// providers are those with models of several kinds, and all other emulated ones with the models that the emulator
// lists.
func providers() []provided {
	list := []provided{
		{"openai", []string{"gpt-4o-mini", "gpt-5-nano", "gpt-5.6-sol"}},
		{"anthropic", []string{"claude-haiku-4-5", "claude-opus-4-8", "claude-sonnet-5-5"}},
		{"gemini", []string{"gemini-2.5-flash", "gemini-3.1-pro-preview"}},
		{"openrouter", []string{"anthropic/claude-haiku-4.5", "deepseek/deepseek-v4-pro"}},
		{"mistral", []string{"mistral-small-latest", "mistral-large-2512"}},
		{"groq", []string{"llama-3.1-8b-instant", "openai/gpt-oss-20b"}},
		{"together", []string{"meta-llama/Llama-3.3-70B-Instruct-Turbo", "openai/gpt-oss-120b"}},
		{"fireworks", []string{"accounts/fireworks/models/gpt-oss-120b", "accounts/fireworks/models/glm-5p3", "accounts/fireworks/models/kimi-k2p6"}},
		{"deepseek", []string{"deepseek-flash", "deepseek-v4-pro"}},
	}
	for _, id := range emulator.Providers() {
		if !slices.ContainsFunc(list, func(p provided) bool { return p.id == id }) {
			list = append(list, provided{id, emulator.Models(id)})
		}
	}
	return list
}

const (
	weather = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`
	nothing = `{"type":"object","properties":{},"additionalProperties":false}`
	report  = `{"type":"object","properties":{"city":{"type":"string"},"degrees":{"type":"integer"}},"required":["city","degrees"],"additionalProperties":false}`
	pixel   = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

func both() []tool { return []tool{{"weather", weather}, {"now", nothing}} }

// parityCase is one feature that a conversation may need.
type parityCase struct {
	name    string
	request request
	want    want
}

// want is the expected answer.
type want struct {
	text      string // empty: any
	part      string // of the text
	json      string // the text is this
	reasoning string // empty: any
	refusal   string
	calls     []call // without ids
	nameless  bool   // the model gives calls no ids
	finish    string
	warned    string // the exact warnings
	refused   string // a part of the message of a 400
}

func cases() []parityCase {
	user := func(text string) []turn { return []turn{{text: text}} }
	return []parityCase{
		{"text", request{system: "Be brief.", turns: user("echo: Grüße, \"Welt\" 🌍\n!")}, want{text: "Grüße, \"Welt\" 🌍\n!", finish: "stop"}},
		{"tools", request{turns: user("call it"), tools: both()}, want{calls: []call{{name: "weather", arguments: `{"city":"Zürich 🌍"}`}}, finish: "tool_calls"}},
		{"required", request{turns: user("Hello"), tools: both(), choice: "required"}, want{calls: []call{{name: "weather", arguments: `{"city":"Zürich 🌍"}`}}, finish: "tool_calls"}},
		{"parallel tools", request{turns: user("call all"), tools: both()}, want{calls: []call{{name: "weather", arguments: `{"city":"Zürich 🌍"}`}, {name: "now", arguments: `{}`}}, finish: "tool_calls"}},
		{"no-argument tool", request{turns: user("noarg"), tools: []tool{{"weather", weather}, {"now", ""}}}, want{calls: []call{{name: "now", arguments: `{}`}}, finish: "tool_calls"}},
		{"image", request{turns: []turn{{text: "echo: I see", image: pixel}}}, want{text: "I see [image image/png 70 bytes]", finish: "stop"}},
		{"schema", request{turns: user("Weather as JSON"), schema: report}, want{json: `{"city":"Zürich 🌍","degrees":7}`, finish: "stop"}},
		{"reasoning", request{turns: user("think: one and one are two"), effort: "high"}, want{text: "I have thought about it.", reasoning: "one and one are two", finish: "stop"}},
		{"long stop", request{turns: user("words: 200"), limit: 40}, want{part: "word word word", finish: "length"}},
		{"stop sequence", request{turns: user("echo: one two STOP three"), stop: "STOP"}, want{text: "one two ", finish: "stop"}},
		{"refusal", request{turns: user("refuse")}, want{text: "I cannot help with that.", finish: "stop"}},
		{"refusal midway", request{turns: user("refuse midway")}, want{text: "First you take", finish: "content_filter"}},
	}
}

// outcome is all that a caller learns, without what differs in each answer.
type outcome struct {
	status                            int
	text, reasoning, refusal, stopped string
	calls                             []call
	named                             bool // the calls have ids
	finish                            string
	usage                             string
	warnings                          string
	provider, model, keyID            string
	row                               string
	failed                            failure
}

func (p *person) outcome(s *caller, a *request, header ...string) (outcome, error) {
	got, r, err := p.exchange(s, a, header...)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{status: r.status, text: got.text, reasoning: got.reasoning, refusal: got.refusal, stopped: got.stopped, usage: got.usage.String(),
		warnings: r.header.Get("X-Llm-Warnings"), provider: r.header.Get("X-Llm-Provider"), model: r.header.Get("X-Llm-Model"), keyID: r.header.Get("X-Llm-Key-Id")}
	if got.failed != nil {
		o.failed = *got.failed
		return o, nil
	}
	o.finish = s.finish(&got)
	ids := map[string]bool{}
	for _, c := range got.calls {
		if c.id != "" && ids[c.id] {
			return o, fmt.Errorf("the ids of the calls are not unique: %v", got.calls)
		}
		ids[c.id] = true
		o.calls = append(o.calls, call{name: c.name, arguments: c.arguments})
	}
	o.named = !ids[""]
	if a.streamed && !got.terminated {
		return o, fmt.Errorf("the stream has no end: %s", r.body)
	}
	row := p.row(r)
	for name, n := range got.usage {
		if have, told := map[string]int64{"input": row.Input, "output": row.Output, "reasoning": row.Reasoning, "cached": row.Cached}[name]; told && have != n {
			return o, fmt.Errorf("the answer says %d tokens of %s, the row %d", n, name, have)
		}
	}
	cost := "unpriced"
	if row.Cost != nil {
		cost = fmt.Sprint(*row.Cost)
	}
	o.row = fmt.Sprintf("status %d outcome %d input %d cached %d write %d output %d reasoning %d cost %s", row.Status, row.Outcome, row.Input, row.Cached, row.CacheWrite, row.Output, row.Reasoning, cost)
	return o, nil
}

func TestParity(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, pr := range providers() {
		p.key(pr.id, "")
	}
	var combinations atomic.Int64
	t.Run("providers", func(t *testing.T) {
		for _, pr := range providers() {
			t.Run(pr.id, func(t *testing.T) {
				t.Parallel()
				for _, model := range pr.models {
					for _, s := range callers() {
						for _, c := range cases() {
							combinations.Add(1)
							p.compare(t, pr, model, s, c)
						}
					}
				}
			})
		}
	})
	t.Logf("%d combinations of model, dialect and case, each whole and streamed", combinations.Load())
}

// compare sends the request whole and streamed, and expects the same answer.
func (p *person) compare(t *testing.T, pr provided, model string, s *caller, c parityCase) {
	t.Helper()
	name := fmt.Sprintf("%s, %s, %s", model, s.name, c.name)
	a := c.request
	a.model, a.includeUsage = pr.id+"/"+model, true
	whole, err := p.outcome(s, &a)
	if err != nil {
		t.Errorf("%s, whole: %v", name, err)
		return
	}
	a.streamed = true
	stream, err := p.outcome(s, &a)
	if err != nil {
		t.Errorf("%s, streamed: %v", name, err)
		return
	}
	if !reflect.DeepEqual(whole, stream) {
		t.Errorf("%s:\nwhole    %+v\nstreamed %+v", name, whole, stream)
	}
	want := c.want
	for _, e := range exceptions() {
		if e.fits(pr.id, model, s.name, c.name) {
			e.change(&want)
		}
	}
	if problem := want.check(&whole); problem != "" {
		t.Errorf("%s: %s: %+v\nwant %+v", name, problem, whole, want)
	}
	if whole.status == 200 && (whole.provider != pr.id || whole.model != model) {
		t.Errorf("%s: answered by %s, %s", name, whole.provider, whole.model)
	}
}

// check returns an error that lists the differences.
func (w *want) check(o *outcome) string {
	switch {
	case w.refused != "":
		if o.status != 400 || o.failed.message != w.refused {
			return "not refused"
		}
		return ""
	case o.status != 200:
		return "an error"
	case w.text != "" && o.text != w.text, w.calls != nil && o.text != "", !strings.Contains(o.text, w.part), w.json != "" && !sameJSON(w.json, o.text):
		return "the text is another"
	case w.reasoning != "" && o.reasoning != w.reasoning:
		return "the reasoning is another"
	case o.refusal != w.refusal:
		return "the refusal is another"
	case o.finish != w.finish:
		return "the finish reason is another"
	case !slices.EqualFunc(o.calls, w.calls, func(a, b call) bool { return a.name == b.name && sameJSON(a.arguments, b.arguments) }):
		return "the calls are others"
	case o.named == w.nameless:
		return "the ids of the calls are others"
	case o.warnings != w.warned:
		return "the warnings are others"
	case o.usage == "" || strings.Contains(o.usage, "estimated") || strings.Contains(o.row, "unpriced"):
		return "no usage, or no price"
	}
	return ""
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
