package parity

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// awkward are function names that some providers refuse: Anthropic takes 128 characters where OpenAI takes 64; Gemini
// also takes dots and colons, and requires a letter or an underscore first.
func awkward(s *caller) []tool {
	long := "mcp__an_enterprise_server_with_a_name__" + strings.Repeat("find_", 12)
	names := []string{long + "open_issues", long + "closed_issues", strings.Repeat("n", 128), "1st"}
	switch s.name {
	case "gemini", "gemini array":
		names = append(names[:3:3], "my.tool:x", "my_tool_x")
	case "openai", "native":
		names = append(names, "my.tool:x", "my_tool_x")
	}
	var tools []tool
	for _, name := range names {
		tools = append(tools, tool{name, weather})
	}
	return tools
}

// TestNamesOfFunctions: the caller sees its own function names, whatever names the provider takes, in the first turn
// and in the one after.
func TestNamesOfFunctions(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, pr := range providers() {
		p.key(pr.id, "")
	}
	everyConversation(t, func(pr provided, model string, s *caller, m memory, streamed bool) error {
		c := &conversation{p: p, s: s, model: pr.id + "/" + model, memory: m}
		c.first = request{model: c.model, turns: []turn{{text: "call all"}}, tools: awkward(s), streamed: streamed}
		got, r, err := p.exchange(s, &c.first)
		if err != nil || got.failed != nil {
			return fmt.Errorf("%v, %d %s", err, r.status, r.body)
		}
		var names, want, answer []string
		for _, one := range got.calls {
			names = append(names, one.name)
		}
		for _, one := range c.first.tools {
			want = append(want, one.name)
			answer = append(answer, one.name+" works")
		}
		if !slices.Equal(names, want) {
			return fmt.Errorf("called %q, want %q", names, want)
		}
		c.answer(&got)
		a := c.first
		a.turns = append(append([]turn{}, a.turns...), c.history...)
		if got, r, err = p.exchange(s, &a); err != nil || got.text != "The tool said: "+strings.Join(answer, "; ") {
			return fmt.Errorf("next turn: %v, %d %s", err, r.status, r.body)
		}
		return nil
	})
}
