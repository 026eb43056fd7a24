package body_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// toolBox has a tool of every kind.
func toolBox() *chat.Request {
	exec := chat.Tool{Name: "exec", Raw: json.RawMessage(`{"type":"custom","name":"exec","description":"runs","format":{"type":"grammar","syntax":"lark","definition":"start: WORD"}}`), Origin: "x"}
	read := chat.Tool{Name: "read", Description: "reads", Parameters: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string"}}}`)}
	return &chat.Request{
		Tools: []chat.Tool{
			{Name: "read", Description: "another"},
			{Name: "mcp__files", Description: "about files", Raw: json.RawMessage(`{"type":"namespace"}`), Origin: "x", Tools: []chat.Tool{read, exec}},
			exec,
			{Name: "shell", Description: "a shell", Parameters: json.RawMessage(`{"type":"object","properties":{}}`), CallType: "shell_call", Raw: json.RawMessage(`{"type":"shell"}`), Origin: "x"},
			{Name: "web_search", Raw: json.RawMessage(`{"type":"web_search"}`), Origin: "x", Hosted: &chat.HostedTool{Kind: chat.WebSearch}},
			{Name: "tool_search", Raw: json.RawMessage(`{"type":"tool_search"}`), Origin: "x", Hosted: &chat.HostedTool{Kind: chat.ToolSearch}},
		},
		Messages: []chat.Message{
			{Role: chat.Developer, Parts: []chat.Part{{Kind: chat.Unrendered, Raw: json.RawMessage(`{"type":"additional_tools"}`), Tools: []chat.Tool{{Name: "late"}}}}},
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "go"}}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "1", Name: "read", Group: "mcp__files", Arguments: `{"path":"a"}`}},
				{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "2", Name: "exec", Custom: true, Arguments: `say "x"`}},
				{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "3", Name: "shell", Type: "shell_call", Arguments: `{"commands":["ls"]}`}, Raw: json.RawMessage(`{"type":"shell_call"}`)},
				{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "4", Name: "gone", Group: "mcp__old", Custom: true, Arguments: "x"}},
			}},
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "1", Name: "read"}}}},
			{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "3", Name: "shell"}, Raw: json.RawMessage(`{"type":"shell_call_output"}`)}}},
		},
	}
}

func TestToolsBecomeFunctions(t *testing.T) {
	shared, before := toolBox(), toolBox()
	req := *shared
	req.ToolChoice = &chat.ToolChoice{Mode: chat.ToolNamed, Name: "read"}
	forms, warnings := body.FitTools(&req, body.Target{Provider: "p", Traits: dialect.Traits{ToolNames: dialect.ToolNames64, Hosted: []chat.HostedKind{chat.WebSearch}}})
	if !reflect.DeepEqual(shared, before) {
		t.Fatal("what the request shares has changed")
	}
	var names []string
	for _, tool := range req.Tools {
		names = append(names, tool.Name)
		if tool.Hosted == nil && (len(tool.Raw) > 0 || tool.CallType != "") {
			t.Errorf("%s is no function: %+v", tool.Name, tool)
		}
	}
	if want := "read mcp__files__read mcp__files__exec exec shell web_search late"; strings.Join(names, " ") != want {
		t.Errorf("%v, want %s", names, want)
	}
	if d := req.Tools[1].Description; !strings.Contains(d, "reads") || !strings.Contains(d, "about files") {
		t.Errorf("the group's description is lost: %q", d)
	}
	if d := req.Tools[3].Description; !strings.Contains(d, "runs") || !strings.Contains(d, "start: WORD") || !strings.Contains(string(req.Tools[3].Parameters), `"input"`) {
		t.Errorf("the free-text tool is described as %q %s", d, req.Tools[3].Parameters)
	}
	if req.ToolChoice.Name != "read" || len(warnings) != 1 || !strings.Contains(warnings[0], "search the tools") {
		t.Errorf("%+v %q", req.ToolChoice, warnings)
	}
	calls := req.Messages[1].Parts
	for i, want := range []chat.ToolCall{
		{ID: "1", Name: "mcp__files__read", Arguments: `{"path":"a"}`}, {ID: "2", Name: "exec", Arguments: `{"input":"say \"x\""}`},
		{ID: "3", Name: "shell", Arguments: `{"commands":["ls"]}`}, {ID: "4", Name: "mcp__old__gone", Arguments: `{"input":"x"}`},
	} {
		if *calls[i].ToolCall != want || calls[i].Raw != nil {
			t.Errorf("%+v, want %+v", *calls[i].ToolCall, want)
		}
	}
	if r := req.Messages[2].Parts[0].ToolResult; r.Name != "mcp__files__read" {
		t.Errorf("a result is of %q", r.Name)
	}
	if req.Messages[3].Parts[0].Raw != nil {
		t.Error("a result of the caller's dialect stays raw")
	}
	// What comes back is what the caller knows.
	answer := &chat.Response{Choices: []chat.Choice{{}}}
	for _, name := range names {
		answer.Choices[0].Message.Parts = append(answer.Choices[0].Message.Parts, chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{Name: name, Arguments: `{"input":"é"}`}})
	}
	forms.RestoreAnswer(answer)
	for i, want := range []chat.ToolCall{
		{Name: "read", Arguments: `{"input":"é"}`}, {Name: "read", Group: "mcp__files", Arguments: `{"input":"é"}`}, {Name: "exec", Group: "mcp__files", Custom: true, Arguments: "é"},
		{Name: "exec", Custom: true, Arguments: "é"}, {Name: "shell", Type: "shell_call", Arguments: `{"input":"é"}`}, {Name: "web_search", Arguments: `{"input":"é"}`}, {Name: "late", Arguments: `{"input":"é"}`},
	} {
		if got := *answer.Choices[0].Message.Parts[i].ToolCall; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// In the caller's own dialect nothing changes, and free-text tools stay where the provider has them.
func TestToolsStay(t *testing.T) {
	req := toolBox()
	forms, warnings := body.FitTools(req, body.Target{Traits: dialect.Traits{ToolNames: dialect.ToolNames64, CustomTools: true}, Same: true})
	if forms != nil || warnings != nil || !reflect.DeepEqual(req, toolBox()) {
		t.Errorf("%v %v %+v", forms, warnings, req)
	}
	req = toolBox()
	body.FitTools(req, body.Target{Traits: dialect.Traits{ToolNames: dialect.ToolNames64, CustomTools: true}})
	if len(req.Tools[3].Raw) == 0 || !req.Messages[1].Parts[1].ToolCall.Custom {
		t.Errorf("a free-text tool became a function: %+v", req.Tools[3])
	}
}

// A tool that the provider would run, and cannot, stays for the encoder to refuse if it is asked for, or alone.
func TestHostedTools(t *testing.T) {
	search := chat.Tool{Name: "web_search", Raw: json.RawMessage(`{"type":"web_search"}`), Origin: "x", Hosted: &chat.HostedTool{Kind: chat.WebSearch}}
	for name, c := range map[string]struct {
		tools  []chat.Tool
		choice *chat.ToolChoice
		traits dialect.Traits
		kept   bool
	}{
		"alone":                        {tools: []chat.Tool{search}, kept: true},
		"beside a function":            {tools: []chat.Tool{search, {Name: "f"}}},
		"asked for":                    {tools: []chat.Tool{search, {Name: "f"}}, choice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: "web_search"}, kept: true},
		"known":                        {tools: []chat.Tool{search, {Name: "f"}}, traits: dialect.Traits{Hosted: []chat.HostedKind{chat.WebSearch}}, kept: true},
		"known, not beside a function": {tools: []chat.Tool{search, {Name: "f"}}, traits: dialect.Traits{Hosted: []chat.HostedKind{chat.WebSearch}, HostedAlone: true}},
	} {
		req := &chat.Request{Tools: c.tools, ToolChoice: c.choice}
		_, warnings := body.FitTools(req, body.Target{Provider: "p", Traits: c.traits})
		if kept := body.Named(req.Tools, "web_search") != nil; kept != c.kept || (len(warnings) > 0) == kept {
			t.Errorf("%s: kept %t, warnings %q", name, kept, warnings)
		}
	}
}

// Names that would fall together stay apart, whatever their order.
func TestGroupedNamesStayDistinct(t *testing.T) {
	group := func(name string, tools ...string) chat.Tool {
		g := chat.Tool{Name: name, Raw: json.RawMessage(`{"type":"namespace"}`), Origin: "x"}
		for _, tool := range tools {
			g.Tools = append(g.Tools, chat.Tool{Name: tool})
		}
		return g
	}
	req := &chat.Request{Tools: []chat.Tool{group("a", "b__c"), group("a__b", "c"), {Name: "a__b__c"}, group("g__", "x"), group(strings.Repeat("n", 60), "y", "z")}}
	forms, _ := body.FitTools(req, body.Target{Traits: dialect.Traits{ToolNames: dialect.ToolNames64}})
	seen := map[string]bool{}
	back := map[string]bool{}
	for _, tool := range req.Tools {
		if seen[tool.Name] || len(tool.Name) > 64 {
			t.Errorf("%q again, or too long", tool.Name)
		}
		seen[tool.Name] = true
		ev := []chat.Event{{Kind: chat.EventCall, ToolCall: &chat.ToolCall{Name: tool.Name}}}
		ev = forms.RestoreEvents(ev, 0)
		back[ev[0].ToolCall.Group+"/"+ev[0].ToolCall.Name] = true
	}
	if len(seen) != 6 || len(back) != 6 || !back["a/b__c"] || !back["a__b/c"] || !back["/a__b__c"] || !seen["g__x"] {
		t.Errorf("%v come back as %v", seen, back)
	}
}

// The text of a free-text tool is the same wherever its pieces are cut.
func TestFreeTextStreams(t *testing.T) {
	for arguments, want := range map[string]string{
		`{"input":"text(1);"}`: "text(1);",
		"{ \"input\" :\n\"a\\n\\\"b\\\" \\u00e9 \\ud83d\\ude00 \\\\ é 🙂\"}": "a\n\"b\" é 😀 \\ é 🙂",
		`{"input":"\ud83d"}`:                    "\uFFFD",
		`{"input":"\ud83dx"}`:                   "\uFFFDx",
		`{"input":"cut`:                         "cut",
		`{"input":"cut\`:                        `cut\`,
		`{"input":"a","other":1}`:               "a",
		`{"other":1,"input":"a"}`:               "a",
		`{"text":"a"}`:                          `{"text":"a"}`,
		`plain text`:                            "plain text",
		`{}`:                                    "",
		``:                                      "",
		`{"input":{"nested":1}}`:                `{"input":{"nested":1}}`,
		"*** Begin Patch\n{\"input\":\"no\"}\n": "*** Begin Patch\n{\"input\":\"no\"}\n",
	} {
		forms := func() *body.ToolForms {
			req := &chat.Request{Tools: []chat.Tool{{Name: "exec", Raw: json.RawMessage(`{"type":"custom","name":"exec"}`)}}}
			f, _ := body.FitTools(req, body.Target{})
			return f
		}
		whole := &chat.Response{Choices: []chat.Choice{{Message: chat.Message{Parts: []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{Name: "exec", Arguments: arguments}}}}}}}
		forms().RestoreAnswer(whole)
		if got := whole.Choices[0].Message.Parts[0].ToolCall.Arguments; got != want {
			t.Errorf("%s: whole %q, want %q", arguments, got, want)
		}
		for at := range len(arguments) + 1 {
			events := []chat.Event{{Kind: chat.EventCall, ToolCall: &chat.ToolCall{Name: "exec"}},
				{Kind: chat.EventCallArgs, Text: arguments[:at]}, {Kind: chat.EventCallArgs, Text: arguments[at:]}, {Kind: chat.EventFinish}}
			if arguments == "" {
				events = append(events[:1], events[3])
			}
			events = forms().RestoreEvents(events, 0)
			got, failed := chat.Assemble(events)
			if failed != nil || got.Choices[0].Message.Parts[0].ToolCall.Arguments != want || !got.Choices[0].Message.Parts[0].ToolCall.Custom {
				t.Errorf("%s cut at %d: %+v, want %q", arguments, at, got.Choices[0].Message.Parts[0].ToolCall, want)
			}
			if len(events) == 5 && events[3].Text == "" {
				t.Errorf("%s cut at %d: an empty piece is added", arguments, at)
			}
		}
	}
}
