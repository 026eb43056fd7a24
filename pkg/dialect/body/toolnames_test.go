package body_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// asking has the name in all places where a function's name stands.
func asking(names ...string) *chat.Request {
	req := &chat.Request{ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: names[0]}}
	for _, name := range names {
		req.Tools = append(req.Tools, chat.Tool{Name: name})
		req.Messages = append(req.Messages,
			chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Text, Text: name}, {Kind: chat.Call, ToolCall: &chat.ToolCall{ID: "c", Name: name}}}},
			chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{CallID: "c", Name: name}}}})
	}
	return req
}

func naming(form dialect.ToolNameForm) body.Target {
	return body.Target{Traits: dialect.Traits{ToolNames: form, CustomTools: true}, Same: true}
}

func TestFitToolNames(t *testing.T) {
	long := strings.Repeat("n", 65)
	for _, tt := range []struct {
		form dialect.ToolNameForm
		name string
		want string // how it begins; empty: it stays
	}{
		{dialect.ToolNamesAny, "my.tool:x", ""},
		{dialect.ToolNames64, long[1:], ""},
		{dialect.ToolNames64, long, long[:55] + "_"},
		{dialect.ToolNames64, "my.tool:x", "my_tool_x_"},
		{dialect.ToolNames64, "Größe", "Gr____e_"},
		{dialect.ToolNames64, "", "_"},
		{dialect.ToolNames128, long, ""},
		{dialect.ToolNames128, long + long, (long + long)[:119] + "_"},
		{dialect.ToolNames128, "my.tool", "my_tool_"},
		{dialect.ToolNamesDotted, "my.tool:x", ""},
		{dialect.ToolNamesDotted, "_x", ""},
		{dialect.ToolNamesDotted, "1st", "_1st_"},
		{dialect.ToolNamesDotted, long + long, (long + long)[:119] + "_"},
	} {
		shared := asking(tt.name, "plain")
		req, before := *shared, asking(tt.name, "plain")
		names, _ := body.FitTools(&req, naming(tt.form))
		if !reflect.DeepEqual(shared, before) {
			t.Fatalf("%q: what the request shares has changed", tt.name)
		}
		sent := req.Tools[0].Name
		if (names == nil) != (tt.want == "") || tt.want != "" && (!strings.HasPrefix(sent, tt.want) || len(sent) != len(tt.want)+8) || tt.want == "" && sent != tt.name {
			t.Errorf("%d %q is sent as %q", tt.form, tt.name, sent)
		}
		// It is the same everywhere, and nothing else changes.
		want := asking(sent, "plain")
		want.Messages[0].Parts[0].Text = tt.name
		if !reflect.DeepEqual(&req, want) || !body.ToolsFit(req.Tools, naming(tt.form)) {
			t.Errorf("%q:\n got %+v\nwant %+v", tt.name, req, want)
		}
		back := []chat.Event{{Kind: chat.EventCall, ToolCall: &chat.ToolCall{Name: sent}}}
		if names.RestoreEvents(back, 0); back[0].ToolCall.Name != tt.name {
			t.Errorf("%q comes back as %q", tt.name, back[0].ToolCall.Name)
		}
		alone := *asking(tt.name)
		if body.FitTools(&alone, naming(tt.form)); alone.Tools[0].Name != sent {
			t.Errorf("%q is %q beside others, and %q alone", tt.name, sent, alone.Tools[0].Name)
		}
	}
	var none *body.ToolForms
	none.RestoreEvents([]chat.Event{{Kind: chat.EventCall, ToolCall: &chat.ToolCall{Name: "f"}}, {Kind: chat.EventText}}, 0)
	none.RestoreAnswer(nil)
}

// Tools that are no functions, and their calls, stay as they are.
func TestFitToolNamesLeavesOthers(t *testing.T) {
	req := asking("my.tool")
	req.Tools[0].Raw = []byte(`{"type":"custom","custom":{"name":"my.tool"}}`)
	req.Messages[0].Parts[1].ToolCall.Custom = true
	req.Messages = req.Messages[:1]
	before := asking("my.tool")
	before.Tools[0].Raw, before.Messages = req.Tools[0].Raw, before.Messages[:1]
	before.Messages[0].Parts[1].ToolCall.Custom = true
	if body.FitTools(req, naming(dialect.ToolNames64)); !reflect.DeepEqual(req, before) {
		t.Errorf("%+v", req)
	}
}

// Names that differ in what is replaced or cut stay apart.
func TestFitToolNamesStayDistinct(t *testing.T) {
	long := strings.Repeat("n", 100)
	req := asking("a.b", "a:b", "a_b", long+"1", long+"2")
	body.FitTools(req, naming(dialect.ToolNames64))
	seen := map[string]bool{}
	for _, tool := range req.Tools {
		if seen[tool.Name] {
			t.Errorf("%q twice", tool.Name)
		}
		seen[tool.Name] = true
	}
}
